"""`dedup` against the tables it was given; pyarrow reads all that is written."""

from __future__ import annotations

import gzip
import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROGRAM

import stackmill


def text(family, version):
    words = [f"changed{version}x{at}" if at % 50 == 7 and at // 50 < version else f"w{family}x{at}" for at in range(300)]
    return "\n".join(" ".join(words[at : at + 8]) for at in range(0, 300, 8))


@pytest.fixture(scope="module")
def table():
    """Families of versions, every third text twice, types that have to survive."""
    pairs = [(family, version) for family in range(12) for version in range(5)]
    pairs += [pair for pair in pairs if sum(pair) % 3 == 0]
    return pa.table(
        {
            "key": [f"{number:03}" for number in range(len(pairs))],
            "number": pa.array(range(len(pairs)), pa.int16()),
            "tag": pa.array([f"t{pair[0]}" for pair in pairs]).dictionary_encode(),
            "list": pa.array([[1.5] * pair[1] for pair in pairs], pa.list_(pa.float32())),
            "body": pa.array([text(*pair) for pair in pairs], pa.large_string()),
        }
    )


def test_rows_are_those_of_the_table_in_its_order(table):
    found = stackmill.dedup(table, content="body", id="key", memory="1G")
    assert found.rows["path"].to_pylist() == table["key"].to_pylist()
    kept = table.filter(found.rows["keeper"].combine_chunks())
    assert kept.num_rows == found.figures["kept"] < table.num_rows
    assert found.removed.num_rows == table.num_rows - kept.num_rows
    assert set(found.removed["keeper_path"].to_pylist()) <= set(kept["key"].to_pylist())
    assert {"exact", "near"} == set(found.removed["rule"].to_pylist())


def test_files_give_what_tables_give(table, tmp_path):
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=1000)
    found = stackmill.dedup(tmp_path / "in.parquet", tmp_path / "out", content="body", id="key", memory="1G")
    assert found.removed.column("path") == stackmill.dedup(table, content="body", id="key").removed.column("path")
    assert pq.read_table(tmp_path / "out/rows.parquet") == found.rows
    with pytest.raises(stackmill.ConfigError):
        stackmill.dedup([tmp_path / "in.parquet"], threshold=2)


def dedup(*arguments):
    subprocess.run([PROGRAM, "dedup", *map(str, arguments), "--content", "body", "--id", "key"], check=True)


def test_kept_rows_are_a_filter_of_the_input(table, tmp_path):
    # Twelve row groups and more: their names are not in the order of their numbers.
    for place, size in [("a/in.parquet", 6), ("b/in.parquet", 1000)]:
        (tmp_path / place).parent.mkdir()
        part = table.slice(0, 60) if place[0] == "a" else table.slice(60)
        pq.write_table(part.replace_schema_metadata({"note": place}), tmp_path / place, row_group_size=size)
    out = tmp_path / "out"
    dedup(tmp_path / "a/in.parquet", tmp_path / "b/in.parquet", "--out", out, "--write-kept")
    rows = pq.read_table(out / "rows.parquet").to_pylist()
    kept = {row["path"] for row in rows if row["keeper"]}
    copies = [pq.read_table(out / "kept" / name) for name in ("in.parquet", "2-in.parquet")]
    for place in ("a/in.parquet", "b/in.parquet"):
        given = pq.read_table(tmp_path / place)
        [written] = [copy for copy in copies if copy.schema.metadata == given.schema.metadata]
        wanted = given.filter(pa.array([key in kept for key in given["key"].to_pylist()]))
        assert written.schema.equals(wanted.schema, check_metadata=True)
        assert written == wanted


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz"])
def test_lines_that_are_no_duplicates_are_those_of_the_input(table, tmp_path, name):
    lines = [json.dumps(row, separators=(" , ", ":  ")) for row in table.to_pylist()]
    lines[3:3] = ["", "  "]
    packed = "\n".join([*lines, "no json"]).encode()
    (tmp_path / name).write_bytes(gzip.compress(packed) if name.endswith("gz") else packed)
    dedup(tmp_path / name, "--out", tmp_path / "out", "--write-kept")
    rows = pq.read_table(tmp_path / "out/rows.parquet").to_pylist()
    kept = {row["path"] for row in rows if row["keeper"]}
    written = (tmp_path / "out/kept" / name).read_bytes()
    written = gzip.decompress(written) if name.endswith("gz") else written
    rows = [line for line in lines if line.strip()]
    # What is no row cannot be compared, and stays.
    assert written.decode().splitlines() == [line for line in rows if json.loads(line)["key"] in kept] + ["no json"]

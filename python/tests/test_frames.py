"""A DataFrame as a source: the same files however its rows came."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from spark_cluster import session

import stackmill

pytest.importorskip("pyspark")

ROWS = 3000
RECIPE = 'name = "frame"\n[[source]]\nparquet = "frame/*.parquet"\n[exact]\n[near]\n'


@pytest.fixture(scope="module")
def local():
    made = session("local[2]")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def frame(local):
    """Files of 300 repositories, some of them the same; texts beyond ASCII in keys."""
    return local.range(ROWS).selectExpr(
        "concat('owner/n\u00e4me-', id % 300) as repo_name",
        "concat('src/', id, '.py') as path",
        "concat('def f', id % 2500, '():\\n    return ', id % 2500, '\\n') as content",
        "id as partition",
        "timestamp_seconds(id) as seen",
    )


def save(frame, folder: Path, **more) -> list[Path]:
    from stackmill.spark import save_frame

    return save_frame(frame, folder, **{"key": ["repo_name", "path"], "file_rows": 700, **more})


def hashes(files: list[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_rows_are_the_same_files(local, frame, tmp_path):
    made = []
    ways = [
        (frame.repartition(1), "UTC", "10000"),
        (frame.repartition(7), "Asia/Tokyo", "10"),
        (frame.orderBy("content"), "UTC", "3"),
    ]
    for number, (came, zone, rows) in enumerate(ways):
        folder = tmp_path / str(number) / "frame"
        local.conf.set("spark.sql.session.timeZone", zone)
        local.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", rows)
        files = save(came, folder)
        assert files == sorted(folder.iterdir()) and len(files) == 5
        assert local.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch") == rows
        recipe = tmp_path / str(number) / "recipe.toml"
        recipe.write_text(RECIPE)
        manifest = stackmill.run(recipe, tmp_path / str(number) / "out", progress=False)
        assert manifest["totals"]["listed"] == ROWS and manifest["totals"]["dropped"] >= 500
        made.append((hashes(files), (manifest.folder / "manifest.json").read_bytes()))
    local.conf.set("spark.sql.session.timeZone", "UTC")
    assert made[0] == made[1] == made[2]
    for file in files:
        table = pq.read_table(file)
        keys = list(zip(*(table[name].to_pylist() for name in ("repo_name", "path"))))
        assert keys == sorted(keys, key=lambda key: [text.encode() for text in key]) and len(keys) > 100
        assert table.column_names == frame.columns
    # The place of a row is a hash that others can compute.
    for row in pq.read_table(files[3]).slice(0, 5).to_pylist():
        text = "".join(f"{len(row[name].encode())}:{row[name]}" for name in ("repo_name", "path"))
        assert int(hashlib.md5(text.encode()).hexdigest()[:15], 16) % 5 == 3


def test_spark_reads_what_it_saved(local, frame, tmp_path):
    from stackmill.spark import run

    save(frame, tmp_path / "frame")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    embedded = stackmill.run(tmp_path / "recipe.toml", tmp_path / "embedded", progress=False)
    assert dict(run(local, tmp_path / "recipe.toml", tmp_path / "spark", progress=False)) == dict(embedded)


def test_a_key_that_is_not_unique_is_named(frame, tmp_path):
    twice = frame.union(frame.where("partition = 1234"))
    with pytest.raises(stackmill.InputError, match="two rows have the key") as raised:
        save(twice, tmp_path / "frame")
    assert "repo_name = 'owner/n\u00e4me-34', path = 'src/1234.py'" in str(raised.value)
    assert "add columns to the key" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "kind", "says"),
    [
        ([], stackmill.ConfigError, "needs a key"),
        ("pathh", stackmill.ConfigError, "no column `pathh`"),
        ("seen", stackmill.ConfigError, "`seen` is a timestamp"),
        ("gone", stackmill.InputError, "3000 of 3000 rows have no `gone`"),
    ],
)
def test_what_is_no_key_is_refused(frame, tmp_path, key, kind, says):
    with pytest.raises(kind, match=says):
        save(frame.selectExpr("*", "cast(null as string) as gone"), tmp_path / "frame", key=key)


def test_a_folder_is_written_once(frame, tmp_path):
    (tmp_path / "frame").mkdir()
    with pytest.raises(stackmill.InputError, match="there already"):
        save(frame, tmp_path / "frame")
    with pytest.raises(stackmill.InputError, match="no rows"):
        save(frame.where("partition < 0"), tmp_path / "none")


def test_row_groups_end_where_rows_say(monkeypatch):
    import pyarrow as pa

    from stackmill import _frames

    monkeypatch.setattr(_frames, "_GROUP_BYTES", 100)
    monkeypatch.setattr(_frames, "_GROUP_ROWS", 7)
    lengths = [1, 99, 100, 0, 0, 0, 0, 0, 0, 0, 0, 50, 49, 1, 3]
    table = pa.table({"number": range(len(lengths)), "text": ["x" * length for length in lengths]})
    for size in (1, 2, 4, 100):
        groups = [group["number"].to_pylist() for group in _frames._groups(iter(table.to_batches(size)))]
        assert json.dumps(groups) == "[[0, 1], [2], [3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 13], [14]]"

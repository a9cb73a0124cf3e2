"""A recipe's Maps and Exchanges, driven by hand as an engine would drive them."""

from __future__ import annotations

import random
import re
import textwrap
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import stackmill


@pytest.fixture(scope="module")
def recipe(corpus):
    return stackmill.Recipe(corpus.recipe, set={"exact.keep": ["path"]})


def exchanged(exchange, batches, partitions, sets=None):
    """Both halves, with rows in any order."""
    keyed = [exchange.scatter(batch, partitions) for batch in batches]
    rows = pa.Table.from_batches(keyed).combine_chunks()
    order = list(range(rows.num_rows))
    random.Random(7).shuffle(order)
    rows = rows.take(order)
    gathered = []
    for partition in range(partitions):
        part = rows.filter(pc.equal(rows["partition"], partition))
        side = None if sets is None else sets[partition]
        gathered.append(exchange.gather(partition, part, sets=side))
    return pa.concat_tables(gathered).to_batches()


def test_maps_one_by_one_are_the_fused_map(corpus, recipe):
    batch = recipe.rows(corpus.files()).to_batches()[0]
    kept, dropped = batch, []
    for step in recipe.maps("listing") + recipe.maps("content"):
        expected = step.schema(kept.schema)
        kept, decisions = step.map(kept)
        assert kept.schema == expected
        dropped += decisions.to_pylist()
    fused, first = recipe.fused("listing").map(batch)
    fused, second = recipe.fused("content").map(fused)
    assert fused.equals(kept)
    assert dropped == first.to_pylist() + second.to_pylist()
    assert batch.num_rows == kept.num_rows + len(dropped)
    assert recipe.fused("content").name.startswith("decode > language > ")


@pytest.mark.parametrize(("partitions", "homes"), [(1, 1), (5, 3)])
def test_exchanges_by_hand_find_what_the_stage_finds(corpus, recipe, partitions, homes):
    files = corpus.files()
    expected = stackmill.near_duplicates(files)
    batches = [recipe.maps("content")[0].map(batch)[0] for batch in recipe.rows(files).to_batches()]
    sketch = next(step for step in recipe.maps("content") if step.name == "near")
    batches = [sketch.map(batch)[0] for batch in batches]
    starts = [files.num_rows * home // homes for home in range(homes)]
    all_rows = pa.Table.from_batches(batches)
    ends = [*starts[1:], files.num_rows]
    ids = all_rows["file_id"]
    sets = [
        all_rows.filter(pc.and_(pc.greater_equal(ids, start), pc.less(ids, end))).select(
            ["file_id", "blob_id", "shingles"]
        )
        for start, end in zip(starts, ends)
    ]
    pairs = exchanged(recipe.exchange("near-buckets"), batches, partitions)
    attached = exchanged(recipe.exchange("near-attach", homes=starts), pairs, homes, sets)
    edges = exchanged(recipe.exchange("near-verify", homes=starts), attached, homes, sets)
    decisions = pa.Table.from_batches(exchanged(recipe.exchange("near-keepers"), edges, 1)).to_pylist()
    found = {row["file_id"]: (row["because"], row["similarity"]) for row in decisions}
    clusters = {
        row["number"]: (row["cluster_id"], row["similarity"])
        for row in expected.to_pylist()
        if row["cluster_id"] is not None
    }
    assert found == clusters and len(found) >= 4


def test_exact_by_hand(corpus, recipe):
    exchange = recipe.exchange("exact")
    batches = recipe.rows(corpus.files()).to_batches()
    decisions = [row for batch in exchanged(exchange, batches, 3) for row in batch.to_pylist()]
    dropped = {row["file_id"] for row in decisions if row["outcome"] == "dropped"}
    ledger = corpus.table("ledger").to_pylist()
    assert dropped == {i for i, row in enumerate(ledger) if row["stage"] == "exact"} != set()


def test_pack_by_hand_loses_no_token(recipe):
    documents = [[1, 2, 3], [4], list(range(5000))]
    rows = pa.record_batch(
        {
            "repo_name": pa.array(["a", "a", "b"]),
            "shard": pa.array([0, 0, 1], pa.uint32()),
            "row": pa.array([0, 1, 0], pa.uint32()),
            "tokens": [b"".join(token.to_bytes(4, "little") for token in document) for document in documents],
        }
    )
    exchange = recipe.exchange("pack")
    packed = exchanged(exchange, [rows], exchange.partitions(3, bytes=100))
    tokens = sorted(token for batch in packed for ids in batch["input_ids"].to_pylist() for token in ids)
    assert tokens == sorted([token for document in documents for token in document] + [100257] * 3)


def test_structure_and_blocks_by_hand(tmp_path):
    """Clones with other names are found, and the lines that two files share."""
    stages = "[exact]\nkeep = ['path']\n[structural]\n[blocks]\nlines = 20\n"
    (tmp_path / "recipe.toml").write_text(f"name = 'by hand'\n[[source]]\ndirectory = '.'\n{stages}")
    recipe = stackmill.Recipe(tmp_path / "recipe.toml")
    code = Path(textwrap.__file__).read_text()
    renamed = re.sub(r"\b(chunks|width|text|lines|cur_line)\b", r"other_\1", code)
    texts = [code, renamed, "import os\n" + code + "print(1)\n"]
    files = pa.table({"path": [f"{i}.py" for i in range(3)], "content": texts})
    batches = [recipe.maps("content")[0].map(batch)[0] for batch in recipe.rows(files).to_batches()]
    language = next(step for step in recipe.maps("content") if step.name == "language")
    batches = [language.map(batch)[0] for batch in batches]

    def compared(pass_name, names):
        rows = [recipe.fused(pass_name).map(batch)[0] for batch in batches]
        sets = [pa.Table.from_batches(rows).select(["file_id", "blob_id", "shingles"])]
        for name in names:
            rows = exchanged(recipe.exchange(name), rows, 1, sets)
        return pa.Table.from_batches(rows).to_pylist()

    names = [name for name in recipe.exchanges() if name.startswith("structural")]
    decided = compared("structural", names)
    assert {row["file_id"] for row in decided} == {0, 1, 2}
    (run,) = (run for run in compared("blocks", [name for name in recipe.exchanges() if name.startswith("block")]) if run["file_id"] == 2)
    assert (run["file_id"], run["other_file_id"], run["start_line"], run["lines"]) == (2, 0, 2, code.count("\n"))


def test_what_is_not_there_is_said(recipe):
    assert recipe.exchanges() == ["exact", "near-buckets", "near-attach", "near-verify", "near-keepers", "pack"]
    with pytest.raises(stackmill.ConfigError, match="listing, content, structural"):
        recipe.maps("parsing")
    with pytest.raises(stackmill.ConfigError, match="it has exact, near-buckets"):
        recipe.exchange("shuffle")
    with pytest.raises(stackmill.SchemaError, match="`content`"):
        recipe.fused("content").map(pa.record_batch({"file_id": pa.array([0], pa.uint64())}))
    with pytest.raises(stackmill.InputError, match="shingle sets of home 1"):
        batch = pa.record_batch(
            [pa.array([b"\0" * 16], pa.binary(16)), pa.array([b"\0" * 16], pa.binary(16))], ["rank_a", "rank_b"]
        )
        exchange = recipe.exchange("near-attach")
        exchange.gather(1, exchange.scatter(batch, 2))

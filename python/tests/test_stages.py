"""Single stages say what a run of the binary says of the same files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import stackmill

VERDICT = ["verdict", "stage", "rule", "value", "limit", "because", "trouble"]


class Story:
    """Verdicts by path, as one stage after the other gives them."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.clusters: set[tuple[str, str, float]] = set()

    def after(self, table: pa.Table) -> pa.Table:
        for row in table.select(["path", *VERDICT]).to_pylist():
            self.rows[row.pop("path")] = row
        if "cluster_id" in table.column_names:
            for row in table.select(["path", "cluster_id", "similarity"]).to_pylist():
                if row["cluster_id"] is not None:
                    self.clusters.add((row["path"], row["cluster_id"], row["similarity"]))
        return stackmill.kept(table)


@pytest.fixture(scope="module")
def told(corpus):
    """The recipe, stage by stage, in the order of a run."""
    story = Story()
    files = story.after(stackmill.exact_duplicates(corpus.files()))
    files = story.after(stackmill.rules(files, preset="stack-v2", license={"policy": "stack-v2"}))
    files = story.after(stackmill.near_duplicates(files, jaccard=0.7))
    files = story.after(stackmill.rules(files, parse_error_share=True, definitions_per_line=True))
    files = stackmill.redact(files)
    files = story.after(
        stackmill.contamination(
            files,
            benchmarks=["humaneval", "mbpp"],
            packs=[str(corpus.recipe.with_name("benchmark.pack"))],
            content="text",
        )
    )
    return story, stackmill.tokens(files, encoding="cl100k", content="text")


def by_path(table: pa.Table, *names: str) -> dict[str, Any]:
    return {row.pop("path"): row for row in table.select(["path", *names]).to_pylist()}


def test_languages_and_licenses_are_those_of_the_run(corpus):
    ledger = corpus.table("ledger")
    # Exact duplicates are never read.
    ledger = ledger.filter(pc.not_equal(pc.fill_null(ledger["stage"], ""), "exact"))
    ours = stackmill.license(stackmill.language(corpus.files()), policy="stack-v2")
    ours = by_path(ours, "language", "license_type")
    theirs = by_path(ledger, "language", "license_type")
    assert {path: ours[path] for path in theirs} == theirs
    assert {row["language"] for row in theirs.values()} >= {"Rust", "Python", "C", None}
    assert {row["license_type"] for row in theirs.values()} >= {"permissive", "non_permissive", "no_license"}


def test_verdicts_are_those_of_the_ledger(corpus, told):
    story, _ = told
    theirs = by_path(corpus.table("ledger"), *VERDICT)
    assert story.rows == theirs
    # A test over files that are all kept would say nothing.
    reached = {word for row in theirs.values() for word in (row["stage"], row["rule"])}
    assert reached >= {None, "exact", "decode", "near", "decontaminate", "line-max", "parse-error-share"}, reached


def test_clusters_are_those_of_the_run(corpus, told):
    story, _ = told
    rows = corpus.table("clusters").select(["path", "cluster_id", "similarity"]).to_pylist()
    assert story.clusters == {(row["path"], row["cluster_id"], row["similarity"]) for row in rows}
    assert any(0.7 <= similarity < 1 for _, _, similarity in story.clusters)


def test_text_and_tokens_are_those_of_the_data_set(corpus, told):
    _, tokens = told
    published = corpus.table("corpus")
    assert by_path(tokens, "text") == {
        path: {"text": row["content"]} for path, row in by_path(published, "content").items()
    }
    positions = corpus.table("ledger").filter(pc.field("verdict") == "kept")
    documents = {(row["shard"], row["row"]): path for path, row in by_path(positions, "shard", "row").items()}
    pieces: dict[str, list[tuple[int, list[int]]]] = {}
    for row in corpus.table("tokens").to_pylist():
        for (at, end), doc in zip(zip(row["cu_seqlens"], row["cu_seqlens"][1:]), row["docs"]):
            path = documents[doc["shard"], doc["row"]]
            pieces.setdefault(path, []).append((doc["start"], row["input_ids"][at:end]))
    whole = {path: [id for _, piece in sorted(parts) for id in piece] for path, parts in pieces.items()}
    end_of_document = 100257
    assert {path: row["input_ids"] + [end_of_document] for path, row in by_path(tokens, "input_ids").items()} == whole


def test_any_path_will_do():
    table = pa.table({"content": ["x = 1\n"] * 3, "path": ["/abs/vendor/a.py", "../b.py", ""]})
    result = stackmill.rules(table, vendored=True)
    assert result["rule"].to_pylist() == ["vendored", None, None]


def test_a_large_table_comes_back_in_order_and_in_batches():
    table = pa.table({"content": ["x = 1\n"] * 20_000, "number": list(range(20_000))})
    result = stackmill.tokens(table)
    assert result["number"].to_pylist() == list(range(20_000))
    assert result["input_ids"].num_chunks == 3
    wide = pa.table({"content": ["y" * 10_000_000] * 15})
    assert stackmill.decode(wide)["text"].num_chunks == 3
    assert stackmill.decode(wide)["text"].to_pylist() == wide["content"].to_pylist()


def test_a_path_is_optional():
    table = pa.table({"content": ["#!/usr/bin/env python3\nimport os\n", None]})
    assert stackmill.language(table)["language"].to_pylist() == ["Python", None]
    assert stackmill.rules(table, vendored=True)["verdict"].to_pylist() == ["kept", "failed"]


def test_sketches_are_lists_of_hashes(corpus):
    row = stackmill.sketch(corpus.files().filter(pc.field("path") == "copy.rs"), bands=10, rows=4).to_pylist()[0]
    assert len(row["bands"]) == 11
    assert len(row["shingles"]) > 100 and row["shingles"] == sorted(set(row["shingles"]))


def test_binary_files_say_so():
    row = stackmill.decode(pa.table({"content": [b"\x00\x01"]})).to_pylist()[0]
    assert (row["text"], row["verdict"], row["rule"], row["because"]) == (None, "dropped", "binary", "NUL byte")

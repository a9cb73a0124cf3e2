"""Tables of every library go in, come back as pyarrow, and are not copied on the way."""

from __future__ import annotations

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import stackmill

ROWS = {"content": ["import os\n", "fn f() {}\n", "int x;\n"], "path": ["a.py", "b.rs", "c.c"], "stars": [3, 2, 1]}
TABLE = pa.table(ROWS)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        pa.table({**ROWS, "content": pa.array(ROWS["content"], pa.large_string())}),
        pa.table({**ROWS, "content": pa.array(ROWS["content"], pa.string_view())}),
        pa.table({**ROWS, "content": pa.array(ROWS["content"], pa.binary_view())}),
        pa.table({**ROWS, "content": pa.array([text.encode() for text in ROWS["content"]], pa.large_binary())}),
        pa.table({**ROWS, "content": pa.array(ROWS["content"]).dictionary_encode()}),
        pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]),
        pl.DataFrame(ROWS),
        pd.DataFrame(ROWS),
        datasets.Dataset.from_dict(ROWS),
        datasets.Dataset.from_dict(ROWS).with_format("numpy"),
    ],
    ids=lambda table: type(table).__name__,
)
def test_every_kind_of_table_is_read(table):
    result = stackmill.language(table)
    assert isinstance(result, pa.Table)
    assert result["language"].to_pylist() == ["Python", "Rust", "C"]
    assert result["stars"].to_pylist() == [3, 2, 1]


def test_a_filtered_data_set_has_its_own_rows_only():
    filtered = datasets.Dataset.from_dict(ROWS).filter(lambda row: row["stars"] != 2).sort("stars")
    assert stackmill.language(filtered)["language"].to_pylist() == ["C", "Python"]
    again = datasets.Dataset(stackmill.language(filtered))
    assert again["language"][:] == ["C", "Python"]


def test_results_go_back_to_every_library():
    result = stackmill.language(pl.DataFrame(ROWS))
    assert pl.from_arrow(result)["language"].to_list() == ["Python", "Rust", "C"]
    assert list(result.to_pandas()["language"]) == ["Python", "Rust", "C"]


@pytest.mark.parametrize("of_type", [pa.string(), pa.large_string(), pa.binary()])
def test_columns_come_back_at_the_address_they_had(of_type):
    content = pa.array([f"x = {i}\n" * 100 for i in range(1000)], of_type)
    table = pa.table({"content": content, "number": list(range(1000))})
    result = stackmill.tokens(table)
    for name in table.column_names:
        before, after = table[name].chunk(0).buffers(), result[name].chunk(0).buffers()
        assert [b and b.address for b in before[1:]] == [b and b.address for b in after[1:]]


def test_added_columns_are_handed_over_not_copied():
    result = stackmill._stackmill.annotate(
        TABLE, ("content", "path"), ("{}", ["decode", "language"], [("language", "language")], False)
    )
    twice = [pa.table(result)["language"].chunk(0).buffers()[2].address for _ in range(2)]
    assert twice[0] == twice[1]


def test_no_rows_are_still_columns():
    for empty in (TABLE.slice(0, 0), pa.table({"content": pa.array([], pa.string())})):
        assert stackmill.language(empty).column_names[-1] == "language"
        assert stackmill.near_duplicates(empty).num_rows == 0
        assert stackmill.tokens(empty).schema.field("input_ids").type == pa.list_(pa.field("item", pa.int32(), False))


def test_other_metadata_stays():
    table = TABLE.replace_schema_metadata({"a": "b", "huggingface": "{}"})
    assert stackmill.language(table).schema.metadata == {b"a": b"b"}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: stackmill.language(7), stackmill.SchemaError, "int is no table"),
        (
            lambda: stackmill.language(TABLE, content="code"),
            stackmill.SchemaError,
            'content="…"; there are content, path, stars',
        ),
        (lambda: stackmill.language(TABLE, content="stars"), stackmill.SchemaError, "neither text nor bytes"),
        (
            lambda: stackmill.language(TABLE.append_column("language", [["a"] * 3])),
            stackmill.SchemaError,
            "rename or drop it",
        ),
        (lambda: stackmill.rules(TABLE, preset="stack-v3"), stackmill.ConfigError, "did you mean `stack-v1`?"),
        (lambda: stackmill.rules(TABLE, line_max={"limt": 3}), stackmill.ConfigError, "did you mean `limit`?"),
        (lambda: stackmill.near_duplicates(TABLE, jaccard=7), stackmill.ConfigError, "`threshold` is not in (0, 1]"),
        (lambda: stackmill.tokens(TABLE, encoding="gpt2"), stackmill.ConfigError, "`tokenizer`"),
        (lambda: stackmill.contamination(TABLE, packs=["none.pack"]), stackmill.InputError, "cannot read the pack"),
        (lambda: stackmill.check("none.toml"), stackmill.InputError, "cannot read the recipe"),
        (lambda: stackmill.verify("/none"), stackmill.InputError, "no data set is here"),
        (lambda: stackmill.explain("line-mx"), stackmill.ConfigError, "did you mean `line-max`?"),
        (lambda: stackmill.Recipe("none.toml"), stackmill.InputError, "cannot read the recipe"),
        (lambda: stackmill.plan("r.toml", sample="x"), stackmill.ConfigError, "--sample"),
    ],
)
def test_mistakes_raise_our_kinds_with_hints(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
    assert isinstance(raised.value, stackmill.Error)
    assert raised.value.kind == error.__name__.removesuffix("Error").lower()


def test_an_error_knows_its_place_and_hint():
    with pytest.raises(stackmill.ConfigError) as raised:
        stackmill.rules(TABLE, line_max={"limt": 3})
    error = raised.value
    assert error.message == "rule `line-max`: unknown setting `limt`"
    assert error.context == ("stage `rules`",)
    assert error.hint is not None and error.hint.startswith("did you mean `limit`?")
    assert (error.exit_code, error.transient) == (3, False)
    assert str(error) == f"{error.message}\n  in stage `rules`\n\nhint: {error.hint}"

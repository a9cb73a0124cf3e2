"""Single stages over tables: the table comes back with columns added, its own columns and the order of rows untouched.

Every function takes `content`, the name of the column of contents (text, or bytes in any encoding), and `path`, the
name of the column of paths, which need not be there but helps to tell languages. Other columns that are looked at where
they are there: `repo_name`, `stars`, `forks`, `inherited_license`.

Further keyword arguments are the stage's settings, as the recipe reference has them, with `_` for `-`.

Stages that decide add `verdict` (`kept`, `dropped`, `failed`), `stage`, `rule`, `value`, `limit`, `because`, `trouble`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stackmill import _stackmill
from stackmill._tables import TableLike, arrow, returned

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "contamination",
    "decode",
    "exact_duplicates",
    "flags",
    "kept",
    "language",
    "license",
    "near_duplicates",
    "redact",
    "rules",
    "sketch",
    "tokens",
]


# Columns of verdicts and of clusters.
_DECIDED = [
    *("verdict", "stage", "rule", "value", "limit", "because", "trouble"),
    *("cluster_id", "keeper", "similarity"),
]


def decode(table: TableLike, *, content: str = "content", path: str = "path", **settings: Any) -> pyarrow.Table:
    """Adds `text`, `encoding`, `content_hash` (xxh3-128 of the raw bytes), and verdicts: binary files are dropped."""
    shown = [("content", "text"), ("encoding", "encoding"), ("content_hash", "content_hash")]
    return _annotated(table, (content, path), {"decode": settings}, ["decode"], shown, verdicts=True)


def language(table: TableLike, *, content: str = "content", path: str = "path", **settings: Any) -> pyarrow.Table:
    """Adds `language`: Linguist's name; null where it is unknown or the content cannot be decoded."""
    shown = [("language", "language")]
    return _annotated(table, (content, path), {"language": settings}, ["decode", "language"], shown)


def flags(table: TableLike, *, content: str = "content", path: str = "path") -> pyarrow.Table:
    """Adds `is_vendor` (a third party's copy, by path) and `is_generated` (written by a program), as in Linguist."""
    shown = [("is_vendor", "is_vendor"), ("is_generated", "is_generated")]
    return _annotated(table, (content, path), {}, ["list", "decode", "flags"], shown)


def license(table: TableLike, *, content: str = "content", path: str = "path", **settings: Any) -> pyarrow.Table:
    """Adds `license_expression` (SPDX) and `license_type` (`permissive`, `non_permissive`, `no_license`).

    A file that says nothing itself has what the column `inherited_license` says, if there is one.
    """
    shown = [("license_expression", "license_expression"), ("license_type", "license_type")]
    return _annotated(table, (content, path), {"license": settings}, ["decode", "license"], shown)


def rules(
    table: TableLike,
    *,
    preset: str | None = None,
    explain: str = "first",
    license: Mapping[str, Any] | None = None,
    content: str = "content",
    path: str = "path",
    **rules: Any,
) -> pyarrow.Table:
    """Adds verdicts of rules: those of `preset` (`stack-v2`, `starcoderdata`, …), changed or joined by single ones.

    `rules(table, preset="stack-v2", line_max={"limit": 2000}, vendored=True, html_visible=False)`

    With `explain="all"` every rule looks at every file, and `because` names the others that would have dropped it.
    `license` has the settings of license detection.
    """
    settings = {"rules": {"preset": preset, "explain": explain, **rules}, "license": license or {}}
    stages = ["list", "decode", "language", "flags", "license", "count-tokens", "parse", "rules"]
    return _annotated(table, (content, path), settings, stages, [], verdicts=True)


def sketch(table: TableLike, *, content: str = "content", path: str = "path", **settings: Any) -> pyarrow.Table:
    """Adds what near-duplicates are found by.

    `bands`: hashes of the bands, then the hash of the whole set. `shingles`: the sorted set of hashed word n-grams.
    Both are null for files of fewer shingles than `minimum_shingles`.
    """
    shown = [("bands", "bands"), ("shingles", "shingles")]
    return _annotated(table, (content, path), {"near": settings}, ["decode", "near"], shown)


def redact(table: TableLike, *, content: str = "content", path: str = "path", **settings: Any) -> pyarrow.Table:
    """Adds `text`, the content without addresses and keys, and `redactions`, how many of each kind were replaced."""
    shown = [("content", "text"), ("redactions", "redactions")]
    return _annotated(table, (content, path), {"redact": settings}, ["decode", "redact"], shown)


def contamination(
    table: TableLike,
    *,
    benchmarks: Sequence[str] | None = None,
    packs: Sequence[str] | None = None,
    content: str = "content",
    path: str = "path",
    **settings: Any,
) -> pyarrow.Table:
    """Adds verdicts: files that hold an item of a benchmark are dropped, and `because` says which item, and where.

    `benchmarks` names packs that ship (default: all of them), `packs` files of further ones. Packs given alone are used
    alone.
    """
    if benchmarks is None and packs is not None:
        benchmarks = []
    asked = {"benchmarks": benchmarks, "packs": packs, **settings}
    return _annotated(table, (content, path), {"decontaminate": asked}, ["decode", "decontaminate"], [], verdicts=True)


def tokens(
    table: TableLike,
    *,
    encoding: str = "o200k",
    content: str = "content",
    path: str = "path",
) -> pyarrow.Table:
    """Adds `input_ids`, those of tiktoken's `encode_ordinary` under `o200k` or `cl100k`."""
    asked = {"tokenizer": encoding if encoding.endswith("_base") else f"{encoding}_base"}
    return _annotated(table, (content, path), {"tokenize": asked}, ["decode", "tokenize"], [("tokens", "input_ids")])


def exact_duplicates(
    table: TableLike, *, content: str = "content", path: str = "path", **settings: Any
) -> pyarrow.Table:
    """Adds verdicts, `cluster_id` (git blob id of the keeper), `keeper` (its row) and `similarity` (1).

    Of equal files the first in the order of the keep policy is kept: inherited license, stars, forks, then row.
    """
    return _duplicates(table, (content, path), {"exact": settings})


def near_duplicates(
    table: TableLike, *, jaccard: float = 0.7, content: str = "content", path: str = "path", **settings: Any
) -> pyarrow.Table:
    """Adds verdicts, `cluster_id` (git blob id of the keeper), `keeper` (its row) and `similarity`.

    In the order of the keep policy (see `exact_duplicates`) a file is dropped iff it has a Jaccard index of at least
    `jaccard`, over word n-grams, with an earlier kept file; every pair is compared exactly. All rows' n-grams are
    held in memory at once: for what does not fit, use `run`.
    """
    return _duplicates(table, (content, path), {"near": {"threshold": jaccard, **settings}})


def kept(table: pyarrow.Table) -> pyarrow.Table:
    """The rows that a stage kept, without the columns that say so: what the next stage takes. Needs pyarrow."""
    rows = table.filter([verdict == "kept" for verdict in table["verdict"].to_pylist()])
    return rows.drop_columns([name for name in _DECIDED if name in rows.column_names])


def _annotated(
    table: TableLike,
    names: tuple[str, str],
    settings: Mapping[str, Any],
    stages: list[str],
    shown: list[tuple[str, str]],
    *,
    verdicts: bool = False,
) -> pyarrow.Table:
    what = (_json(settings), stages, shown, verdicts)
    return returned(_stackmill.annotate(arrow(table), names, what))


def _duplicates(table: TableLike, names: tuple[str, str], settings: Mapping[str, Any]) -> pyarrow.Table:
    return returned(_stackmill.duplicates(arrow(table), names, _json(settings)))


def _json(settings: Mapping[str, Any]) -> str:
    return json.dumps(_kebab(settings))


def _kebab(value: Any) -> Any:
    """Settings as a recipe has them: `-` in keys, and no key without a value."""
    if isinstance(value, Mapping):
        return {key.replace("_", "-"): _kebab(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_kebab(inner) for inner in value]
    return value

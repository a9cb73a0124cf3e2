"""Recipes for engines with a scheduling of their own: every Map and both halves of every Exchange, over record batches.

```text
    rows = recipe.rows(table)                                  numbered files
    kept, decisions = recipe.fused("content").map(batch)       record-local: any batch, anywhere
    keyed = exchange.scatter(batch, partitions)                keyed rows and the column `partition`
    table = exchange.gather(partition, batches)                one whole partition, in any order
```
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stackmill import _stackmill
from stackmill._tables import TableLike, arrow, returned
from stackmill.runs import changes

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Exchange", "Map", "Recipe"]


class Map:
    """One Map of a recipe, or the fused Maps of a pass. Its tables and caches are made at the first batch, and kept."""

    def __init__(self, inner: _stackmill.Map) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """The stage; of fused Maps all of them, joined by ` > `."""
        return " > ".join(self._inner.names)

    def schema(self, input: Any) -> pyarrow.Schema:
        """The columns after this Map; raises `SchemaError` where it cannot run on these."""
        return _schema(self._inner.schema(input))

    def map(self, batch: TableLike) -> tuple[pyarrow.RecordBatch, pyarrow.RecordBatch]:
        """The rows that are kept, with their new columns, and the decisions about the others."""
        kept, decisions = self._inner.map(arrow(batch))
        return _batch(kept), _batch(decisions)

    def __repr__(self) -> str:
        return f"Map({self.name})"


class Exchange:
    """One Exchange of a recipe: work that needs all rows."""

    def __init__(self, inner: _stackmill.Exchange) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """As `Recipe.exchanges` tells it: `exact`, `near-buckets`, …"""
        return self._inner.name

    @property
    def keyed(self) -> pyarrow.Schema:
        """The columns that travel from scatter to gather, `partition` left out."""
        return _schema(self._inner.keyed)

    @property
    def schema(self) -> pyarrow.Schema:
        """The columns that gather gives."""
        return _schema(self._inner.schema)

    def partitions(self, files: int, *, bytes: int = 0, homes: int = 1) -> int:
        """Number of partitions for an input of that size. It never depends on the number of workers."""
        return self._inner.partitions(files, bytes, homes)

    def scatter(self, batch: TableLike, partitions: int) -> pyarrow.RecordBatch:
        """Keyed rows, and in the column `partition` where each has to go."""
        return _batch(self._inner.scatter(arrow(batch), partitions))

    def gather(self, partition: int, rows: TableLike, *, sets: TableLike | None = None) -> pyarrow.Table:
        """What one whole partition amounts to, whatever the order of its rows.

        `sets` has the columns `file_id`, `blob_id` and `shingles` of the files of the home that is this partition, in
        order of `file_id`; Exchanges need it that attach sets or compare them.
        """
        return returned(self._inner.gather(partition, arrow(rows), None if sets is None else arrow(sets)))

    def __repr__(self) -> str:
        return f"Exchange({self.name})"


class Recipe:
    """A recipe with all its stages built and checked."""

    def __init__(self, path: str | os.PathLike[str], *, set: Mapping[str, Any] | None = None) -> None:
        self._inner = _stackmill.Recipe(os.fspath(path), changes(set))

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self._inner.name

    @property
    def config(self) -> dict[str, Any]:
        """Every setting with defaults filled in."""
        config: dict[str, Any] = json.loads(self._inner.config())
        return config

    def rows(self, table: TableLike, *, content: str = "content", path: str = "path", first: int = 0) -> pyarrow.Table:
        """The table's files as rows for the Maps, in their order, numbered from `first` (`split << 32 | row`) on.

        Its batches hold at most 256 files and 8 MiB of content each.
        """
        return returned(self._inner.rows(arrow(table), (content, path), first))

    def maps(self, pass_name: str) -> list[Map]:
        """The Maps of the pass `listing`, `content`, `structural`, `blocks` or `syntax`, in running order."""
        return [Map(inner) for inner in self._inner.maps(pass_name)]

    def fused(self, pass_name: str) -> Map:
        """All Maps of a pass as one: batches stay in memory between them."""
        return Map(self._inner.fused(pass_name))

    def exchanges(self) -> list[str]:
        """Names of the Exchanges that the recipe asks for, in running order."""
        return self._inner.exchanges()

    def exchange(self, name: str, *, homes: Sequence[int] = (0,)) -> Exchange:
        """One of them.

        `homes` has the first file id of every task that files live in, ascending: Exchanges that attach sets or
        compare them have a partition a home.
        """
        return Exchange(self._inner.exchange(name, list(homes)))

    def __repr__(self) -> str:
        return f"Recipe({self.name})"


def _batch(batch: Any) -> pyarrow.RecordBatch:
    try:
        import pyarrow
    except ImportError:
        return batch
    return pyarrow.record_batch(batch)


def _schema(schema: Any) -> pyarrow.Schema:
    try:
        import pyarrow
    except ImportError:
        return schema
    return pyarrow.schema(schema)

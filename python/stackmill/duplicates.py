"""Exact and near-duplicates of tables and of whatever else can be read, without a recipe: `stackmill dedup` as a function."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from stackmill import _stackmill
from stackmill._tables import TableLike, arrow
from stackmill.runs import AnyPath

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Duplicates", "dedup"]


class Duplicates(NamedTuple):
    """What `dedup` found; columns as in the guide to deduplicating."""

    #: Every row of the inputs once: `cluster_id`, `keeper`, `verdict`, …
    rows: pyarrow.Table
    #: Rows that were removed, their keepers and similarities.
    removed: pyarrow.Table
    #: Counts, histogram of similarities, sizes of clusters.
    figures: dict[str, Any]


def dedup(
    inputs: Union[AnyPath, Sequence[AnyPath], TableLike],
    out: AnyPath | None = None,
    *,
    content: str | None = None,
    id: str | None = None,
    threshold: float = 0.7,
    keep: Iterable[str] = (),
    memory: str | int | None = None,
    threads: int | None = None,
    write_kept: bool = False,
    write_corpus: bool = False,
    replace: bool = False,
) -> Duplicates:
    """Finds exact and near-duplicates of a table, or of files, folders and repositories; arguments as on the command line.

    `rows` has the rows of a table in its order, so that `table.filter(found.rows["keeper"])` is what is kept. Results stay
    in the folder `out`; without one, in memory alone. Needs pyarrow.
    """
    with tempfile.TemporaryDirectory(prefix="stackmill-") as scratch:
        folder = Path(scratch, "out") if out is None else Path(out)
        options: dict[str, Any] = {
            "out": folder,
            "content": content,
            "id": id,
            "threshold": threshold,
            "keep": ",".join(keep) or None,
            "memory": memory,
            "threads": threads,
        }
        arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
        flags = {"write-kept": write_kept, "write-corpus": write_corpus, "replace": replace, "json": True}
        arguments += [f"--{name}" for name, is_set in flags.items() if is_set]
        places = _places(inputs, Path(scratch))
        figures = json.loads(_stackmill.command(["stackmill", "dedup", *arguments, "--", *places]))
        return Duplicates(_read(folder / "rows.parquet"), _read(folder / "removed.parquet"), figures)


def _places(inputs: Any, scratch: Path) -> list[str]:
    """Where the inputs are; a table is written into `scratch` first."""
    if isinstance(inputs, (str, os.PathLike)):
        return [os.fspath(inputs)]
    if isinstance(inputs, (list, tuple)):
        return [os.fspath(place) for place in inputs]
    import pyarrow
    from pyarrow import parquet

    place = str(scratch / "table.parquet")
    table = pyarrow.table(arrow(inputs))
    # One row group: rows of several come in the order of the groups' names.
    parquet.write_table(table, place, row_group_size=max(table.num_rows, 1))
    return [place]


def _read(place: Path) -> pyarrow.Table:
    from pyarrow import parquet

    return parquet.read_table(place)

"""Tables of other libraries in, tables out; nothing is copied where Arrow allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from stackmill.errors import SchemaError

if TYPE_CHECKING:
    import pyarrow


class ArrowStream(Protocol):
    """A table or a stream of batches: pyarrow, polars, pandas (2.2 or later), DuckDB, …"""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ArrowBatch(Protocol):
    """One record batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


# Anything with Arrow's PyCapsule interface, or a Hugging Face `datasets.Dataset` (which has no type to name here).
TableLike = ArrowStream | ArrowBatch | Any


def arrow(table: TableLike) -> Any:
    """The object that speaks Arrow for `table`."""
    if type(table).__module__.partition(".")[0] == "datasets":
        data_set: Any = table
        # Through the format, because the table below a filtered or shuffled data set still has all its rows.
        return data_set.with_format("arrow")[:]
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        return table
    raise SchemaError(
        f"{type(table).__name__} is no table that Arrow can read",
        kind="schema",
        hint="give a pyarrow, polars or pandas table, or a Hugging Face data set",
        exit_code=3,
    )


def returned(table: Any) -> pyarrow.Table:
    """A pyarrow.Table where pyarrow is there, else an object with Arrow's PyCapsule interface."""
    try:
        import pyarrow
    except ImportError:
        return table
    return pyarrow.table(table)

"""Writes a DataFrame as Parquet files that do not show how its rows were partitioned: any engine's source.

```text
    frame ► file = md5(key) mod n ► carried ► sorted by key ► one file a partition, FOLDER/part-NNNNN.parquet
```
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackmill._remote import received, sent
from stackmill._sessions import carried, setting
from stackmill.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import Column, DataFrame
    from stackmill.runs import AnyPath

# A column of ours, while rows travel.
_FILE = "_stackmill_file"
# Rows of a file, about: their number decides how many files there are.
_FILE_ROWS = 100_000
# A row group ends with the row that brings it to so many bytes of text, or rows.
_GROUP_BYTES = 64 << 20
_GROUP_ROWS = 65_536
# Contents may be large: few of them fit into one Arrow batch.
_BATCH = ("spark.sql.execution.arrow.maxRecordsPerBatch", "64")
_KEY_TYPES = ("string", "binary", "tinyint", "smallint", "int", "bigint", "date", "boolean")


def save_frame(
    frame: DataFrame, folder: AnyPath, *, key: str | Sequence[str], file_rows: int = _FILE_ROWS
) -> list[Path]:
    """Writes any DataFrame (Delta, Iceberg, Hive, …) as Parquet files for a source `parquet = "FOLDER/*.parquet"`.

    `key` names columns whose values are there in every row, and together in one row only: texts, bytes, whole numbers,
    dates or truth values. Which file a row is in is decided by a hash of its key, and the order there by the key, so
    that the same rows give the same files however they were partitioned (with the same pyarrow). `file_rows`: rows of a
    file, about.

    `folder` has to be where every executor sees it, under the same name. It must not be there yet, and is there only
    when it is whole.

    **All columns, contents too, travel through Spark's shuffle once here**, and are sorted; nowhere else do contents
    travel. A source that is in Parquet files already need not be saved like this.

    Gives the files, in order. The frame is computed twice, once for its keys alone; it must not change in between.
    """
    keys = [key] if isinstance(key, str) else list(key)
    _check_key(frame, keys)
    target = Path(os.path.abspath(folder))
    if target.exists():
        raise InputError(f"{target} is there already", kind="input", exit_code=4, hint="choose another folder")
    rows = _counted(frame, keys)
    files = -(-rows // file_rows)
    building = _building(target)
    try:
        with setting(frame.sparkSession, *_BATCH), received():
            placed = frame.withColumn(_FILE, _place(frame, keys, files))
            placed = carried(placed, files, _FILE).sortWithinPartitions(*keys)
            written = placed.mapInArrow(_writer(str(building), keys), "name string, rows bigint").collect()
        if sum(file.rows for file in written) != rows:
            hint = "save it as a table first"
            raise InputError("the frame gave other rows the second time", kind="input", exit_code=4, hint=hint)
        _keep(building, {file.name for file in written})
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return sorted(target / file.name for file in written)


def _check_key(frame: DataFrame, keys: list[str]) -> None:
    types = dict(frame.dtypes)
    if not keys:
        hint = "name columns that together tell every row from all others: key=[\"repo_name\", \"path\"]"
        raise ConfigError("a frame has no order of its own: it needs a key", kind="config", exit_code=3, hint=hint)
    for name in keys:
        if name not in types:
            hint = f"it has {', '.join(types)}"
            raise ConfigError(f"the frame has no column `{name}`", kind="config", exit_code=3, hint=hint)
        if types[name] not in _KEY_TYPES:
            hint = f"a key is one of {', '.join(_KEY_TYPES)}"
            raise ConfigError(f"column `{name}` is a {types[name]}", kind="config", exit_code=3, hint=hint)


def _counted(frame: DataFrame, keys: list[str]) -> int:
    """Rows; there is at least one, and all have a key."""
    from pyspark.sql import functions

    missing = functions.lit(False)
    for name in keys:
        missing = missing | frame[name].isNull()
    rows, without = frame.agg(functions.count("*"), functions.count_if(missing)).collect()[0]
    if without:
        hint = "leave them out, or choose another key"
        message = f"{without} of {rows} rows have no {' or no '.join(f'`{name}`' for name in keys)}"
        raise InputError(message, kind="input", exit_code=4, hint=hint)
    if not rows:
        raise InputError("the frame has no rows", kind="input", exit_code=4)
    return int(rows)


def _place(frame: DataFrame, keys: list[str], files: int) -> Column:
    """The file of a row: a hash that is the same everywhere, of the key's values with their lengths."""
    from pyspark.sql import functions

    parts = []
    for name in keys:
        column = frame[name]
        text = functions.hex(column) if dict(frame.dtypes)[name] == "binary" else column.cast("string")
        parts += [functions.octet_length(text).cast("string"), functions.lit(":"), text]
    digits = functions.substring(functions.md5(functions.concat(*parts)), 1, 15)
    number = functions.conv(digits, 16, 10).cast("bigint")
    return functions.pmod(number, functions.lit(files)).cast("int")


def _building(target: Path) -> Path:
    """A folder beside the target for this attempt; those of earlier ones are deleted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for old in target.parent.glob(f".{target.name}.building-*"):
        shutil.rmtree(old, ignore_errors=True)
    building = target.parent / f".{target.name}.building-{uuid.uuid4().hex}"
    building.mkdir()
    return building


def _keep(building: Path, names: set[str]) -> None:
    """Deletes what attempts of tasks left that nobody waited for; makes names durable."""
    for path in building.iterdir():
        if path.name not in names:
            path.unlink(missing_ok=True)
    descriptor = os.open(building, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _writer(building: str, keys: list[str]) -> Callable[[Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """What Spark calls in each partition."""

    def write(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None, "because Spark calls this in a task"
        with sent():
            name = f"part-{context.partitionId():05}.parquet"
            rows = _write(Path(building), name, _unique(batches, keys))
        if rows:
            yield pyarrow.RecordBatch.from_pydict({"name": [name], "rows": [rows]})

    return write


def _unique(batches: Iterator[pyarrow.RecordBatch], keys: list[str]) -> Iterator[pyarrow.RecordBatch]:
    """The same batches, sorted by key: equal keys are neighbours."""
    before: tuple[Any, ...] | None = None
    for batch in batches:
        for found in zip(*(batch.column(name).to_pylist() for name in keys)):
            if found == before:
                values = ", ".join(f"{name} = {value!r}" for name, value in zip(keys, found))
                hint = "add columns to the key until no two rows have the same"
                raise InputError(f"two rows have the key {values}", kind="input", exit_code=4, hint=hint)
            before = found
        yield batch.drop_columns([_FILE])


def _write(building: Path, name: str, batches: Iterator[pyarrow.RecordBatch]) -> int:
    """Writes one file; gives its number of rows. No rows: no file."""
    from pyarrow import parquet

    temporary = building / f".{name}.{uuid.uuid4().hex}"
    writer, rows = None, 0
    try:
        for group in _groups(batches):
            if writer is None:
                # Without the Arrow schema, which says in which time zone the session was.
                writer = parquet.ParquetWriter(temporary, group.schema, compression="zstd", store_schema=False)
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
        if writer is not None:
            writer.close()
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            temporary.rename(building / name)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _groups(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.Table]:
    """Row groups: where they end depends on rows alone, not on how these came in batches."""
    import pyarrow

    waiting: list[pyarrow.RecordBatch] = []
    rows = bytes = 0
    for batch in batches:
        start = 0
        for row, length in enumerate(_lengths(batch)):
            rows, bytes = rows + 1, bytes + length
            if rows >= _GROUP_ROWS or bytes >= _GROUP_BYTES:
                waiting.append(batch.slice(start, row + 1 - start))
                yield pyarrow.Table.from_batches(waiting).combine_chunks()
                waiting, rows, bytes, start = [], 0, 0, row + 1
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
    if waiting:
        yield pyarrow.Table.from_batches(waiting).combine_chunks()


def _lengths(batch: pyarrow.RecordBatch) -> list[int]:
    """Bytes of the texts of each row."""
    from pyarrow import compute, types

    sums = [0] * batch.num_rows
    for column in batch.columns:
        kind = column.type
        if types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind) or types.is_large_binary(kind):
            lengths = compute.binary_length(column).to_pylist()
            sums = [total + (length or 0) for total, length in zip(sums, lengths)]
    return sums

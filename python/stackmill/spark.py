"""Runs a recipe on Apache Spark: the same steps and the same bytes as `stackmill run`.

Spark places tasks and carries the small rows of exchanges; tasks read their sources themselves, and leave tables in a
scratch that every executor sees: a folder, or a place in an object store. Only the DataFrame API is used:

    range(tasks) ► mapInArrow(task) ► repartitionById(n, partition) ► mapInArrow(task) ► …

Call `run` in a session of yours, or `spark-submit` / `python -m stackmill.spark RECIPE --out OUT --scratch DIR`.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stackmill import _stackmill
from stackmill._archives import read_once
from stackmill._frames import save_frame
from stackmill._remote import received, sent
from stackmill._sessions import carried, setting
from stackmill.runs import AnyPath, Manifest, _arguments, _source

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import SparkSession

__all__ = ["main", "run", "save_frame"]

# A segment with the partition it goes to.
_SEGMENTS = "partition int, segment binary"
# A segment has 16 MiB at most, and an Arrow batch of them is in memory at once, in the JVM and in Python.
_BATCH = ("spark.sql.execution.arrow.maxRecordsPerBatch", "4")
# Spark would leave out the tasks behind a shuffle in which nothing travels; ours have files to write all the same.
_PLAIN = ("spark.sql.adaptive.enabled", "false")

# What one task needs with its parse worker, and is given if nothing is said.
MEMORY = "512M"

Batches = Iterator["pyarrow.RecordBatch"]


def run(
    spark: SparkSession,
    recipe: AnyPath,
    out: AnyPath,
    *,
    scratch: AnyPath | None = None,
    memory: str = MEMORY,
    sample: str | None = None,
    cache: AnyPath | None = None,
    set: Mapping[str, Any] | None = None,
    replace: bool = False,
    update: bool = False,
    progress: bool | Callable[[str], object] = True,
) -> Manifest:
    """Runs a recipe into `out`, or finishes what an earlier run on Spark began there.

    `recipe`, its sources, `out` and `scratch` (default: `.work` in `out`) have to be where every executor sees them,
    under the same name; any of them may be in an object store. `memory` is the most that one task may take outside the
    JVM; `spark.executor.memoryOverhead` has to hold it once for each task that an executor runs at a time. `cache` is a
    folder of each machine's own. `progress` is a function that is told what was done; `True` writes to `sys.stderr`.

    A task that is lost, or fails for want of something that may come back, is run again by Spark, and by the next call
    if Spark gives up; one whose input or recipe is refused is not. Errors are those of `stackmill.run`, wherever they
    arose; where an executor was lost too often, they are Spark's.
    """
    options = {**_options(out, scratch, sample, cache), "memory": memory}
    recipe = _absolute(recipe)
    arguments = _arguments("run", [recipe], options, set)
    first = _arguments("run", [recipe], {**options, "replace": replace, "update": update}, set)
    return _drive(spark, first, arguments, out, _teller(progress))


def _options(out: AnyPath, scratch: AnyPath | None, sample: str | None, cache: AnyPath | None) -> dict[str, Any]:
    folders = {"scratch": scratch and _absolute(scratch), "threads": 1}
    return {"out": _absolute(out), **folders, **_source(sample, cache and _absolute(cache), False)}


def _absolute(path: AnyPath) -> str:
    """Executors have current folders of their own; places in object stores have names of their own."""
    text = os.fspath(path)
    return text if "://" in text else os.path.abspath(text)


def _drive(
    spark: SparkSession, first: list[str], arguments: list[str], out: AnyPath, say: Callable[[str], object]
) -> Manifest:
    """`first`: the arguments that begin the run; `arguments`: those with which others take part."""
    since = time.monotonic()
    driver, complete = _stackmill.Driver.begin(first)
    if driver is None:
        return Manifest(json.loads(complete or "{}"), out, was_done=True)
    # The name of this attempt: what a Python worker has learnt of an earlier one may be wrong by now.
    work = _Work(arguments, uuid.uuid4().hex)
    try:
        with setting(spark, *_BATCH), setting(spark, *_PLAIN), received():
            for chain in driver.chains():
                # Once for most chains; as many jobs as it takes, or none, for components.
                while steps := [step for stage in chain if (step := driver.next(stage))]:
                    _chain(spark, driver, work, steps, say)
        manifest = driver.publish(time.monotonic() - since)
    finally:
        # Not whenever somebody forgets the exception: until then nobody could resume.
        driver.close()
    return Manifest(json.loads(manifest), out, was_done=False)


def _chain(
    spark: SparkSession,
    driver: _stackmill.Driver,
    work: _Work,
    steps: Sequence[str],
    say: Callable[[str], object],
) -> None:
    since = time.monotonic()
    if not _finished(driver, steps):
        count = driver.tasks(steps[0])
        # Where there is nothing to scatter, there are still partitions to gather.
        numbers = spark.range(0, max(count, 1), 1, numPartitions=max(count, 1))
        frame = numbers.mapInArrow(work.first(steps[0], count), _SEGMENTS)
        for step in steps[1:]:
            frame = carried(frame, driver.tasks(step), "partition").mapInArrow(work.next(step), _SEGMENTS)
        frame.write.format("noop").mode("overwrite").save()
    for step in steps:
        tasks = driver.tasks(step)
        driver.finish(step)
        say(f"{step:<14} {tasks} tasks")
    say(f"{' + '.join(steps)}: {time.monotonic() - since:.1f} s")


def _finished(driver: _stackmill.Driver, steps: Sequence[str]) -> bool:
    return all(driver.is_done(step) for step in steps)


class _Work:
    """What a Python worker needs to take part, and the functions that Spark calls there."""

    def __init__(self, arguments: list[str], attempt: str) -> None:
        self.arguments = arguments
        self.attempt = attempt

    def first(self, step: str, count: int) -> Callable[[Batches], Batches]:
        """Over rows of task numbers."""

        def tasks(batches: Batches) -> Batches:
            for batch in batches:
                for task in batch.column(0).to_pylist():
                    if task < count:
                        yield from self._task(step, task, [])

        return tasks

    def next(self, step: str) -> Callable[[Batches], Batches]:
        """Over the segments of one partition, which is one task."""

        def task(batches: Batches) -> Batches:
            from pyspark import TaskContext

            context = TaskContext.get()
            assert context is not None, "because Spark calls this in a task"
            partition, came = context.partitionId(), []
            for batch in batches:
                numbers, segments = (column.to_pylist() for column in batch.columns)
                # Partitions that Spark has joined or split would not be noticed otherwise.
                if any(number != partition for number in numbers):
                    raise RuntimeError(f"step {step}: rows of partitions {numbers} in partition {partition}")
                came += segments
            yield from self._task(step, partition, came)

        return task

    def _task(self, step: str, task: int, came: list[bytes]) -> Batches:
        import pyarrow

        read_once()
        with sent():
            for partition, segment in _worker(self).run(step, task, came):
                arrays = [pyarrow.array([partition], pyarrow.int32()), pyarrow.array([segment], pyarrow.binary())]
                yield pyarrow.RecordBatch.from_arrays(arrays, names=["partition", "segment"])


# The one worker of this process, and the attempt that it takes part in.
_joined: tuple[str, _stackmill.Worker] | None = None


def _worker(work: _Work) -> _stackmill.Worker:
    global _joined
    if _joined is None or _joined[0] != work.attempt:
        _joined = (work.attempt, _stackmill.Worker(work.arguments))
    return _joined[1]


def _teller(progress: bool | Callable[[str], object]) -> Callable[[str], object]:
    if callable(progress):
        return progress
    if progress:
        return lambda line: print(line, file=sys.stderr)
    return lambda _: None


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m stackmill.spark RECIPE --out OUT …`, also for `spark-submit`.

    Where nothing else is said (`PYSPARK_PYTHON`), executors run the Python that runs this.
    """
    import argparse

    from pyspark.sql import SparkSession

    from stackmill.errors import Error

    parser = argparse.ArgumentParser(prog="stackmill.spark", description="Runs a recipe on Apache Spark.")
    parser.add_argument("recipe", help="the recipe, a TOML file that every executor sees")
    parser.add_argument("--out", required=True, help="where the data set goes")
    parser.add_argument("--scratch", help="scratch that every executor sees [default: OUT/.work]")
    parser.add_argument("--memory", default=MEMORY, help="most memory of one task, outside the JVM [default: 512M]")
    parser.add_argument("--cache", help="where clones are kept, on each machine")
    parser.add_argument("--sample", help="take a share of the repositories, as 10%%")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")
    parser.add_argument("--replace", action="store_true", help="start over where another run's data is")
    parser.add_argument("--update", action="store_true", help="resolve the sources anew")
    given = parser.parse_args(arguments)
    options = {**_options(given.out, given.scratch, given.sample, given.cache), "memory": given.memory}
    changes = [f"--set={change}" for change in given.set]
    start = {**options, "replace": given.replace, "update": given.update}

    def command(options: Mapping[str, Any]) -> list[str]:
        words = _arguments("run", [_absolute(given.recipe)], options, None)
        return [*words[:2], *changes, *words[2:]]

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.appName(f"stackmill {os.path.basename(given.recipe)}").getOrCreate()
    try:
        manifest = _drive(spark, command(start), command(options), given.out, _teller(True))
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        spark.stop()
    totals = manifest["totals"]
    print(f"{totals['kept']} of {totals['listed']} files kept in {given.out}")
    return 0


if __name__ == "__main__":
    # Functions that travel to executors must belong to the module, not to the script.
    from stackmill import spark as _module

    sys.exit(_module.main())

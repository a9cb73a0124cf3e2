"""Near-duplicates of one set of Parquet files, whole jobs: this program against a Spark script that others published.

    .venv/bin/python benches/cluster/near.py SCRIPT TABLES [--rounds 3] [--threads 4] [--parallelism N] [--scratch DIR]

SCRIPT is BigCode's `near_deduplication/minhash_deduplication_spark.py` (repository `bigcode-project/bigcode-dataset`),
which needs numpy and scipy. It is run as it is, with its own defaults (threshold .7, 5-grams, 256 permutations), but for
one thing: what it would load from BigQuery is read from TABLES, a folder of Parquet files with the columns `repo_name`,
`path` and `content`. Ours does the same work on Spark and embedded: near-duplicates at .7 on 5-grams, no rule, no other
stage. All begin with files and end with Parquet files; processor seconds are those of all processes, JVM start included.

Both have the same heap. Theirs cuts its work into 512 parts, whatever its size; --parallelism sets
`spark.default.parallelism` for it, with which its exchanges have so many, which is kinder to it on one machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from pyarrow import parquet
from spark import SPARK, measured

PEER = """
import runpy, sys
from pyspark.sql import DataFrameReader
class Table:
    def __init__(self, reader):
        self.reader = reader
    def option(self, name, value):
        self.path = value
        return self
    def load(self):
        return self.reader.parquet(self.path)
DataFrameReader.format = lambda reader, name: Table(reader)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

RECIPE = """
name = "near"
[[source]]
parquet = "{tables}"
[near]
threshold = 0.7
ngram = 5
"""


def rows(folder: Path) -> int:
    """Of all Parquet files below a folder."""
    return sum(parquet.read_metadata(path).num_rows for path in folder.rglob("*.parquet"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path)
    parser.add_argument("tables", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="4")
    parser.add_argument("--parallelism")
    parser.add_argument("--heap", default="6g")
    parser.add_argument("--only", nargs="+", default=["embedded", "spark", "theirs"])
    parser.add_argument("--scratch")
    given = parser.parse_args()
    settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    submit = f"--master local[{given.threads}] --driver-memory {given.heap} "
    submit += " ".join(f"--conf {name}={value}" for name, value in settings.items())
    theirs = f" --conf spark.default.parallelism={given.parallelism}" if given.parallelism else ""
    tables = given.tables.resolve()
    program = str(Path(sys.executable).with_name("stackmill"))
    spent: dict[str, list[float]] = {}
    for name in given.only * given.rounds:
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            place = Path(folder)
            recipe, out, events = place / "near.toml", place / "out", place / "events"
            recipe.write_text(RECIPE.format(tables=f"{tables}/*.parquet"))
            events.mkdir()
            command = {
                "embedded": [program, "run", str(recipe), "--out", str(out), "--threads", given.threads],
                "spark": [sys.executable, "-c", SPARK, given.threads, str(events), str(recipe), str(out)],
                "theirs": [sys.executable, "-c", PEER, str(given.script), f"--table={tables}", f"--output={out}"],
            }[name]
            os.environ["PYSPARK_SUBMIT_ARGS"] = f"{submit}{theirs if name == 'theirs' else ''} pyspark-shell"
            wall, seconds, _ = measured(command)
            spent.setdefault(name, []).append(sum(seconds.values()))
            by_name = {process: round(used, 1) for process, used in seconds.items() if used > 0.5}
            kept = rows(out / "corpus" if name != "theirs" else out)
            print(f"{name:<9} {wall:7.1f} s wall {spent[name][-1]:8.1f} processor-s; {by_name}; kept {kept}")
    medians = {name: statistics.median(seconds) for name, seconds in spent.items()}
    print(f"of {rows(tables)} files; medians of {given.rounds}: {medians}")
    for name in medians:
        if "theirs" in medians and name != "theirs":
            print(f"ratio     {medians['theirs'] / medians[name]:.1f} times the processor seconds of {name}")


if __name__ == "__main__":
    main()

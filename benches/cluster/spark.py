"""Spark against the embedded engine on the same recipe: processor seconds, shuffle bytes, peak memory of each process.

    .venv/bin/python benches/cluster/spark.py RECIPE [--rounds 3] [--threads 4] [--scratch DIR]

Both engines run in processes of their own, in turn, into fresh folders below --scratch; a third process starts Spark and
does nothing, to tell what the JVM costs by itself. Of several rounds the medians count. Processor time is what `/proc`
says of all processes below the one started, looked at ten times a second; shuffle bytes are from Spark's own event log.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")

SPARK = """
import sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master(f"local[{sys.argv[1]}]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
builder = builder.config("spark.eventLog.enabled", "true").config("spark.eventLog.dir", "file://" + sys.argv[2])
builder = builder.config("spark.eventLog.compress", "false").config("spark.eventLog.rolling.enabled", "false")
spark = builder.getOrCreate()
if len(sys.argv) > 3:
    import stackmill.spark
    stackmill.spark.run(spark, sys.argv[3], sys.argv[4])
else:
    spark.range(4).mapInArrow(lambda batches: batches, "id long").count()
spark.stop()
"""


class Seen:
    """Every process below one: most processor seconds and most memory that were seen of it."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, int, int], float] = {}
        self.memory: dict[str, int] = {}
        self.looks = 0

    def look(self, root: int) -> None:
        parents: dict[int, list[int]] = {}
        stats: dict[int, list[str]] = {}
        names: dict[int, str] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    name, rest = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)
                except OSError:
                    continue
                stats[int(entry)] = rest.split()
                names[int(entry)] = name.split("(", 1)[1]
                parents.setdefault(int(stats[int(entry)][1]), []).append(int(entry))
        below = [root]
        self.looks += 1
        for process in below:
            below += parents.get(process, [])
            if process not in stats:
                continue
            stat = stats[process]
            self.seconds[names[process], process, int(stat[19])] = (int(stat[11]) + int(stat[12])) / TICKS
            # The kernel sums up all pages for this.
            if self.looks % 10:
                continue
            try:
                rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            except OSError:
                continue
            for line in rollup.splitlines():
                if line.startswith("Pss:"):
                    name = names[process]
                    self.memory[name] = max(self.memory.get(name, 0), int(line.split()[1]))


def measured(command: list[str]) -> tuple[float, dict[str, float], dict[str, int]]:
    """Wall seconds of a command; processor seconds by name of process; and the most memory of one, in MiB."""
    since = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
        seen = Seen()
        while child.poll() is None:
            seen.look(child.pid)
            time.sleep(0.1)
        if child.returncode:
            log.seek(0)
            sys.exit(log.read().decode(errors="replace")[-4000:])
    memory = {name: kib >> 10 for name, kib in seen.memory.items() if kib > 1 << 14}
    seconds: dict[str, float] = {}
    for (name, _, _), spent in seen.seconds.items():
        seconds[name] = seconds.get(name, 0) + spent
    return time.monotonic() - since, seconds, memory


def shuffled(events: Path) -> int:
    """Bytes that tasks wrote for others."""
    total = 0
    for path in events.rglob("*"):
        for line in path.read_text().splitlines() if path.is_file() else []:
            event = json.loads(line)
            metrics = event.get("Task Metrics") or {}
            if event.get("Event") == "SparkListenerTaskEnd":
                total += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="4")
    parser.add_argument("--scratch", default=None)
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            one_round(Path(folder), given.recipe, given.threads, seconds)
    medians = {name: statistics.median(spent) for name, spent in seconds.items()}
    own = medians["spark"] - medians["spark alone"]
    print(f"medians      {medians}")
    print(f"ratio        {own / medians['embedded']:.2f} (processor time, without an idle Spark)")


def one_round(place: Path, recipe: str, threads: str, seconds: dict[str, list[float]]) -> None:
    """Runs all three, and adds to the processor seconds of each."""
    events = {name: place / name for name in ("nothing", "spark-events")}
    for path in events.values():
        path.mkdir()
    python = [sys.executable, "-c", SPARK, threads]
    program = str(Path(sys.executable).with_name("stackmill"))
    runs = {
        "embedded": [program, "run", recipe, "--out", str(place / "embedded"), "--threads", threads],
        "spark": [*python, str(events["spark-events"]), recipe, str(place / "spark")],
        "spark alone": [*python, str(events["nothing"])],
    }
    for name, command in runs.items():
        wall, spent, memory = measured(command)
        seconds.setdefault(name, []).append(sum(spent.values()))
        print(f"{name:<12} {wall:7.1f} s wall {seconds[name][-1]:8.1f} processor-s")
        by_name = {process: round(used, 1) for process, used in spent.items() if used > 0.5}
        print(f"{'':<12} by process: {by_name}; most MiB of one: {memory}", flush=True)
    manifests = [(place / name / "manifest.json").read_bytes() for name in ("embedded", "spark")]
    hashes = [hashlib.sha256(manifest).hexdigest() for manifest in manifests]
    totals = json.loads(manifests[0])["totals"]
    carried = shuffled(events["spark-events"])
    print(f"manifests    {'the same' if hashes[0] == hashes[1] else 'DIFFER'}: {hashes[0][:16]}")
    print(f"input        {totals['listed']} files, {totals['listed_bytes'] / 1e6:.0f} MB; kept {totals['kept']}")
    print(f"shuffle      {carried / 1e6:.1f} MB, {100 * carried / totals['listed_bytes']:.2f}% of the input")


if __name__ == "__main__":
    main()

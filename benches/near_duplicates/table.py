"""Whole jobs side by side: Parquet in, removed rows out; processor seconds and memory of the process tree.

    python table.py CORPUS.parquet NAME=COMMAND... [--turns N]

CORPUS.parquet is of `near_duplicates write`. A COMMAND is what runs a peer's script of this folder, without its last two
arguments where it needs no more: `rensa="venv/bin/python rensa_rows.py"`; `{corpus}` and `{removed}` stand for them where
more follows: `duplodocus="venv/bin/python duplodocus_rows.py {corpus} {removed} bin/duplodocus"`. A last line
`seconds N` of a script counts in place of its own processor time. Ours runs before each of them. The last lines are what
`near_duplicates judge` says of each.
"""

import argparse
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as parquet

BUILT = Path(__file__).resolve().parents[2] / "target" / "release"


def timed(command):
    """Processor seconds, largest resident process in GB, and what was printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        log.seek(0)
        text = log.read()
    if status:
        sys.exit(f"{command}\n{text[-2000:]}")
    told = re.search(r"^seconds ([0-9.]+)$", text, re.MULTILINE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(told[1]) if told else spent, used.ru_maxrss / 1e6


def ours(corpus, removed):
    with tempfile.TemporaryDirectory() as folder:
        spent = timed([BUILT / "stackmill", "dedup", corpus, "--out", f"{folder}/out", "--threads", "4"])
        rows = parquet.read_table(f"{folder}/out/removed.parquet", columns=["path"])["path"].to_pylist()
    Path(removed).write_text("".join(f"{int(path.removesuffix('.txt'))}\n" for path in rows))
    return spent


def peer(command, corpus, removed):
    if "{corpus}" not in command:
        command += " {corpus} {removed}"
    return timed([word.format(corpus=corpus, removed=removed) for word in shlex.split(command)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("peers", nargs="*", metavar="NAME=COMMAND")
    parser.add_argument("--turns", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, command in (peer.split("=", 1) for peer in arguments.peers):
            places = {tool: f"{folder}/{tool}.txt" for tool in ("stackmill", name)}
            turns = [
                (ours(arguments.corpus, places["stackmill"]), peer(command, arguments.corpus, places[name]))
                for _ in range(arguments.turns)
            ]
            seconds = [[turn[tool][0] for turn in turns] for tool in range(2)]
            print(f"{name}: {statistics.median(b / a for a, b in zip(*seconds)):.1f} times")
            for tool, spent, memory in zip(places, seconds, ([turn[tool][1] for turn in turns] for tool in range(2))):
                print(f"  {tool}: {statistics.median(spent):.2f} s {[round(s, 2) for s in spent]}, {max(memory):.2f} GB")
                judged = [BUILT / "near_duplicates", "judge", arguments.corpus, places[tool]]
                print("    " + subprocess.run(judged, check=True, capture_output=True, text=True).stdout.strip(), flush=True)


if __name__ == "__main__":
    main()

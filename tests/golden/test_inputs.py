"""Every input, counted twice: what somebody else's reader finds in a sample, and what the ledger says of it.

The samples are in `inputs.py` and `inputs_tables.py`. Every blob that the other reader finds must have its row in the
ledger, of the same id and length, as often as it is there, and no row may be left over; and what is kept, dropped and
failed must add up. With STACKMILL_BLESS=1 the counts become docs/reference/inputs.md. STACKMILL_CRAWL may name a folder of WARC and
WET files, which are then samples, too.
"""

from __future__ import annotations

import collections
import os
import pathlib
import re
import subprocess

import inputs
import inputs_tables
import pyarrow.parquet
import pytest
from test_presets import PROGRAM, ROOT

PAGE = ROOT / "docs/reference/inputs.md"
HEAD = """# Inputs, counted

`python -m pytest tests/golden/test_inputs.py` makes a sample of every input out of real files, the sources that `Cargo.lock`
and `tests/requirements.txt` pin, lets somebody else's reader count what is in it, and holds the ledger against that: the
same git ids with the same lengths, each as often, none left out and none left over. What the layouts are and where they are
described is said in the [guide](../guide/inputs.md). "In the published columns" means just that: the data sets themselves are
gated or too large, and their rows here are real files under their columns' names and types.

A row of a crawl is a block of code in a page, or a page without one; there, what is counted are pages. Files in backquotes
are crawls as they were published, read with `STACKMILL_CRAWL=FOLDER`: `whirlwind.*` is a page of Common Crawl's
CC-MAIN-2024-22, as WARC and as WET, from `commoncrawl/whirlwind-python`; the others are test data of `webrecorder/warcio`.

| input | written by | files in | bytes in | rows | bytes of rows | kept | dropped | failed |
|---|---|---|---|---|---|---|---|---|
"""


def ledger(box: pathlib.Path, told: inputs.Told) -> list[dict]:
    recipe = box / "recipe.toml"
    recipe.write_text(f'name = "counted"\nexact = false\n[[source]]\n{told.source}\n')
    command = [PROGRAM, "run", recipe, "--out", box / "out", "--cache", box / "cache", "--memory", "1G", "--threads", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **told.environment})
    assert ran.returncode == 0, ran.stderr
    return pyarrow.parquet.read_table(box / "out/ledger").to_pylist()


def page_of(row: dict) -> str:
    """The address of the page that a row is of."""
    path = re.sub(r"(^|/)block-\d+$", "", row["path"])
    return f"{row['repo_name']}/{path}"


def line_of(sample: inputs.Sample, told: inputs.Told, rows: list[dict]) -> str:
    ends = collections.Counter(row["verdict"] for row in rows)
    assert sum(ends.values()) == ends["kept"] + ends["dropped"] + ends["failed"]
    count, size = inputs_count(told)
    length = sum(row["length_bytes"] or 0 for row in rows)
    numbers = [count, size, len(rows), length, ends["kept"], ends["dropped"], ends["failed"]]
    return f"| {sample.name} | {sample.written_by} | {' | '.join(f'{number:,}' for number in numbers)} |\n"


def inputs_count(told: inputs.Told) -> tuple[int, int]:
    if told.counted is not None:
        return told.counted.total(), sum(length * times for (_, length), times in told.counted.items())
    return len(told.pages), sum(length for _, length in told.pages)


@pytest.mark.parametrize("sample", inputs.SAMPLES, ids=lambda sample: sample.name)
def test_every_file_has_its_row(sample, tmp_path):
    told = sample.make(tmp_path)
    rows = ledger(tmp_path, told)
    if told.counted is not None:
        found = collections.Counter((row["blob_id"], row["length_bytes"]) for row in rows)
        assert found == told.counted
    else:
        assert {page_of(row) for row in rows} == {page for page, _ in told.pages}
    line = line_of(sample, told, rows)
    page = PAGE.read_text()
    if os.environ.get("STACKMILL_BLESS") == "1":
        PAGE.write_text(blessed(page, line))
    else:
        # The numbers are those of a machine: what is downloaded, and so what is a sample, may differ a little.
        assert f"| {sample.name} | {sample.written_by} |" in page, "STACKMILL_BLESS=1 writes the page anew"


def blessed(before: str, line: str) -> str:
    """The page with this line, in the order of the samples; lines of samples that are not at hand stay at the end."""

    def name(text: str) -> str:
        return text.split(" | ")[0].removeprefix("| ")

    known = {name(text): text + "\n" for text in before.splitlines() if re.match(r"\| .*\d \|$", text)}
    known[name(line)] = line
    order = [sample.name for sample in inputs.SAMPLES]
    ordered = sorted(known, key=lambda key: (order.index(key) if key in order else len(order), key))
    return HEAD + "".join(known[key] for key in ordered)


def teardown_module() -> None:
    for daemon in inputs.DAEMONS:
        daemon.kill()



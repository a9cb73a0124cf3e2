"""A small corpus, and what the Rust binary makes of it: the oracle of most tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("STACKMILL_PROGRAM", ROOT / "target/release/stackmill"))
CONSOLE_SCRIPT = Path(sys.executable).with_name("stackmill")

RECIPE = """\
name = "python-tests"
[[source]]
directory = "corpus"
[license]
policy = "stack-v2"
[rules]
preset = "stack-v2"
parse-error-share = true
definitions-per-line = true
[near]
threshold = 0.7
[redact]
[decontaminate]
benchmarks = ["humaneval", "mbpp"]
packs = ["benchmark.pack"]
[tokenize]
tokenizer = "cl100k_base"
sequence-length = 2048
[run]
task-bytes = 200000
"""


class Corpus(NamedTuple):
    """A folder of files, a recipe for it, and the data set that the binary made."""

    folder: Path
    recipe: Path
    out: Path

    def table(self, name: str) -> pa.Table:
        """A published table."""
        return pa.concat_tables(pq.read_table(part) for part in sorted((self.out / name).iterdir()))

    def files(self) -> pa.Table:
        """The files in the order of the ledger, as somebody who has them in a notebook would hold them."""
        ledger = self.table("ledger")
        paths = ledger["path"].to_pylist()
        contents = [(self.folder / path).read_bytes() for path in paths]
        return pa.table({"content": pa.array(contents, pa.binary()), "path": paths, "number": list(range(len(paths)))})


def planted(folder: Path) -> None:
    """Files that each stage has something to say about."""
    source = (ROOT / "schemas/src/rank.rs").read_text()
    lines = source.splitlines(keepends=True)
    files: dict[str, bytes] = {
        "near.rs": "".join(lines[:-14]).encode(),
        "copy.rs": source.encode(),
        "spaced.rs": source.replace("    ", "\t").encode(),
        "leak.py": (ROOT / "examples/invented/leak.py").read_bytes(),
        "binary.dat": bytes(range(256)) * 8,
        "empty.py": b"",
        "latin.py": "# \u00e9\u00e8 caf\u00e9 d\u00e9j\u00e0 vu, na\u00efve fa\u00e7ade\n".encode("latin-1") * 20,
        "mail.py": b"# ask jane.doe@harbour-office.dk about this\nimport os\n\n\ndef f():\n    return os\n" * 3,
        "gpl.c": b"/* SPDX-License-Identifier: GPL-3.0-only */\nint main(void) { return 0; }\n",
        "mit.c": b"/* SPDX-License-Identifier: MIT */\nint main(void) { return 1; }\n",
        "long.js": b"x = '" + b"abc " * 50_000 + b"'\n",
        "broken.py": b"def broken(:\n    return ]\nclass = 3 3 3\n" * 40,
        "nested.py": b"x = " + b"[" * 20_000 + b"1" + b"]" * 20_000 + b"\n",
        "nested.rs": b"fn f() { let x = " + b"(" * 20_000 + b"1" + b")" * 20_000 + b"; }",
        "table.csv": b"".join(b"%d,%d\n" % (i, i * i) for i in range(700)),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    top = tmp_path_factory.mktemp("stackmill")
    folder = top / "corpus"
    folder.mkdir()
    for path in sorted(ROOT.glob("*/src/**/*.rs")) + sorted(ROOT.glob("python/**/*.py")):
        name = path.relative_to(ROOT)
        if "target" not in name.parts and path.stat().st_size < 40_000 and "python/src" not in str(name):
            (folder / "__".join(name.parts)).write_bytes(path.read_bytes())
    planted(folder)
    (top / "benchmark.pack").write_bytes((ROOT / "examples/invented/benchmark.pack").read_bytes())
    recipe = top / "recipe.toml"
    recipe.write_text(RECIPE)
    out = top / "out"
    subprocess.run([PROGRAM, "run", recipe, "--out", out, "--memory", "2G"], check=True, capture_output=True)
    return Corpus(folder, recipe, out)

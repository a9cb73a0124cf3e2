"""Rules of presets over sizes, names, licenses and the work of programs against an independent reading (`detected.py`).

Most real files are far from these limits, so files are made that lie on them. With STACKMILL_BLESS=1 the counts go into
`record.json`, beside those of the rules that `test_presets.py` compares.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import tarfile

import detected
import pyarrow.parquet
import pytest
from test_presets import RECORD, chosen, rules_of, run

TEXTS = (".py", ".rs", ".md", ".js", ".html", ".c")


def texts() -> list[str]:
    files = (path.read_bytes() for _, path in chosen() if path.suffix in TEXTS)
    return [data.decode() for data in files if data.isascii()]


def table(preset: str) -> dict:
    presets = json.loads(run("list", "presets", "--json"))
    return next(entry["rules"] for entry in presets if entry["name"] == preset)


def laid(folder: pathlib.Path, files: dict[str, str | bytes]) -> str:
    """A source that holds these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return f'directory = "{folder}"'


def told(preset: str, only: set[str], source: str, folder: pathlib.Path, more: str = "", rules: str = "") -> dict[str, dict]:
    """By path: the row of the ledger, where of this preset these rules alone are on."""
    lines = [f'preset = "{preset}"', 'explain = "all"', *(f"{rule} = false" for rule in sorted(table(preset).keys() - only))]
    recipe = folder / "recipe.toml"
    rules = "\n".join([*lines, rules])
    recipe.write_text(f'name = "golden"\nexact = false\n[[source]]\n{source}\n{more}\n[rules]\n{rules}\n')
    run("run", str(recipe), "--out", str(folder / "out"), "--replace", "--memory", "1G", "--threads", "2")
    rows = pyarrow.parquet.read_table(folder / "out/ledger").to_pylist()
    return {row["path"]: row for row in rows if row["stage"] in (None, "rules")}


def counted(presets: list[str], rule: str, rows: dict[str, dict], theirs: dict[str, bool], reason, floor: float) -> None:
    """Holds one rule's verdicts against `theirs`; every difference must have a reason."""
    count = {"files": 0, "same": 0, "dropped": 0, "reasons": {}}
    unexplained = []
    assert len(rows) >= 0.99 * len(theirs)
    for path, drops in theirs.items():
        if path not in rows:
            continue
        count["files"] += 1
        count["dropped"] += drops
        if drops == (rule in rules_of(rows[path])):
            count["same"] += 1
        elif why := reason(path):
            count["reasons"][why] = count["reasons"].get(why, 0) + 1
        else:
            unexplained.append(f"{rule}: {path}: {'dropped' if drops else 'kept'} there")
    assert not unexplained, f"{len(unexplained)}:\n" + "\n".join(unexplained[:30])
    assert count["same"] >= floor * count["files"] and 0 < count["dropped"] < count["files"], count
    if os.environ.get("STACKMILL_BLESS") == "1":
        record = json.loads(RECORD.read_text())
        for preset in presets:
            record[preset]["rules"][rule] = count
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


# --- Sizes, depths, extensions

MOST = {"codeparrot": 1_000_000, "stack-v1": 1_000_000, "stack-v2": 10_000_000, "refinecode": 3_000_000}
AMBIGUOUS = "asc b cgi ch cls d inc l m mod pp pro v".split()


@pytest.mark.parametrize("preset", MOST)
def test_sizes(preset, tmp_path):
    lengths = sorted({length + by for length in (1, *MOST.values()) for by in (-1, 0, 1)})
    source = laid(tmp_path / "corpus", {f"{length}.txt": b"x" * length for length in lengths})
    rows = told(preset, {"maximum-size"}, source, tmp_path)
    most = {f"{length}.txt": length > MOST[preset] for length in lengths}
    counted([preset], "maximum-size", rows, most, lambda path: None, 1.0)
    rows = told(preset, set(), source, tmp_path, rules=f"minimum-size = {{ limit = {MOST[preset]} }}")
    least = {f"{length}.txt": length < MOST[preset] for length in lengths}
    counted([], "minimum-size", rows, least, lambda path: None, 1.0)


def test_depths(tmp_path):
    # In an archive: of a folder, no more than 64 levels are entered.
    files = {"d/" * depth + f"{name}.py": "x" for depth in (0, 1, 2, 32, 63, 64, 65, 66, 100) for name in "abc"}
    with tarfile.open(tmp_path / "deep.tar", "w") as archive:
        for name in files:
            archive.addfile(tarfile.TarInfo(name))
    rows = told("stack-v2", {"path-depth"}, f'archives = "{tmp_path}/deep.tar"', tmp_path)
    counted(["stack-v2"], "path-depth", rows, {path: path.count("/") > 64 for path in files}, lambda path: None, 1.0)


def test_extensions(tmp_path):
    shapes = ["a.{}", "a.{}x", "a.x{}", "a.b.{}", "a.{}.py", "x.{}/a", ".{}", "{}", "a.", "d.{}/b.rs"]
    names = {shape.format(word) for shape in shapes for known in AMBIGUOUS for word in (known, known.upper())}
    names |= {name for name, _ in chosen()}
    rows = told("stack-v1", {"extension"}, laid(tmp_path / "corpus", dict.fromkeys(sorted(names), "x")), tmp_path)

    def drops(path: str) -> bool:
        stem, dot, extension = path.rsplit("/", 1)[-1].rpartition(".")
        return bool(stem and dot) and extension.lower() in AMBIGUOUS

    counted(["stack-v1"], "extension", rows, {path: drops(path) for path in names}, lambda path: None, 1.0)


# --- Licenses


LATER = "ScanCode calls licenses permissive that it did not know, or had no SPDX identifier for, when its list was taken"


@pytest.mark.parametrize("preset", ["stack-v1", "stack-v2"])
def test_licenses(preset, tmp_path):
    files = detected.licensed(texts())
    source, policy = laid(tmp_path / "corpus", files), '[license]\npolicy = "stack-v2"'
    told(preset, set(), source, tmp_path, policy)
    corpus = pyarrow.parquet.read_table(tmp_path / "out/corpus", columns=["path", "license_expression"])
    expressions = {row["path"]: row["license_expression"] for row in corpus.to_pylist()}
    assert expressions.keys() == files.keys()
    rows = told(preset, {"license"}, source, tmp_path, policy)
    wanted = {"stack-v1": {"permissive"}, "stack-v2": {"permissive", "no_license"}}[preset]
    theirs = {path: detected.license_type(expression) not in wanted for path, expression in expressions.items()}

    def reason(path: str) -> str | None:
        names = set(re.split(r"[() ]+", expressions[path] or ""))
        return LATER if names & set(detected.LATER) and not theirs[path] else None

    counted([preset], "license", rows, theirs, reason, 0.95)


# --- Generated files

LINES = "Linguist, which is followed here, counts the empty line behind the last line end"
SINCE = "Linguist, which is followed here, looks at other lines or for other words by now"
MAPS = "go-enry looks for source maps in all files, Linguist in `.map`"
CHANGED = {"css": LINES, "js": LINES, "yml": LINES, "dart": SINCE, "go": SINCE, "htm": SINCE, "html": SINCE, "rd": SINCE, "yy": SINCE, "yyp": SINCE}


def test_generated(tmp_path):
    files = detected.marked(texts())
    files |= {name: path.read_bytes().decode("utf-8", "replace") for name, path in chosen()}
    rows = told("stack-v2", {"generated"}, laid(tmp_path / "corpus", files), tmp_path)
    theirs = {path: detected.is_generated(path, text) for path, text in files.items()}

    def reason(path: str) -> str | None:
        if files[path].startswith('{"version":3'):
            return MAPS
        made = path.startswith("marked/")
        return SINCE if "/.sqlx/" in path else CHANGED.get(path.rsplit(".", 1)[-1]) if made else None

    counted(["stack-v2"], "generated", rows, theirs, reason, 0.98)

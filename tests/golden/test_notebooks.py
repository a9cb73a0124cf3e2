"""The preset for Kaggle's notebooks against an independent reading of the original (`notebooks.py`), rule by rule, and its
scripts character by character.

With STACKMILL_BLESS=1 the counts are written to `record.json`, from which docs/reference/presets.md is made.
"""

from __future__ import annotations

import json
import os
import pathlib

import notebooks
import pyarrow.parquet
from test_presets import RECORD, chosen, pinned, rules_of, run

PRESET = "stack-v2-kaggle"
STAGES = {"no-code": "few-cells", "few-cells": "few-cells"}

OLD = "notebooks of before nbformat 4 have no cells there, and are read here"
SIZE = "the cells alone are measured there, written in ASCII without line ends; here the file"
SPACES = "cells of white space alone count as code there"
EMPTY = "a cell of an empty line in a list shifts the kinds of all cells behind it there"
FOREIGN = "kernels other than Python's are told here; Python's compiler is asked of all there"
COMPILER = "Python's compiler refuses some more: names, arguments and numbers that a grammar does not look into"


def ledger(folder: pathlib.Path, corpus: pathlib.Path) -> list[dict]:
    recipe = folder / "recipe.toml"
    recipe.write_text(
        f'name = "golden"\nexact = false\n[[source]]\ndirectory = "{corpus}"\n[notebooks]\nstyle = "cleaned"\nmin-cells = 4\n'
        f'[rules]\npreset = "{PRESET}"\ncompat = true\nexplain = "all"\n'
    )
    run("run", str(recipe), "--out", str(folder / "out"), "--memory", "2G", "--threads", "2")
    return pyarrow.parquet.read_table(folder / "out/ledger").to_pylist()


def ours(row: dict) -> set[str]:
    """Rules that drop a notebook, those of the stage among them."""
    if row["stage"] == "notebooks" and row["verdict"] == "dropped":
        return {STAGES[row["rule"]]}
    assert row["verdict"] != "failed", row
    # The compiler's word is two rules here.
    return {"refused-syntax" if rule == "parse-error-share" else rule for rule in rules_of(row)}


def reason(rule: str, notebook: notebooks.Notebook) -> str | None:
    kinds = [cell for cell in notebook.cells if cell["cell_type"] == "code" and cell["source"]]
    if rule == "maximum-size":
        return SIZE
    if rule == "few-cells" and "worksheets" in notebook.document:
        return OLD
    if rule == "few-cells" and kinds and not any("".join(cell["source"]).strip() for cell in kinds):
        return SPACES
    if any(cell["source"] == [""] for cell in notebook.cells):
        return EMPTY
    if rule == "language":
        return FOREIGN
    if rule == "refused-syntax" and notebook.language != "R":
        return COMPILER
    return None


def test_notebooks(tmp_path):
    files = [(path.suffix, path.read_bytes().decode("utf-8", "replace")) for _, path in chosen() if path.suffix in (".py", ".md")]
    made = notebooks.notebooks([text for kind, text in files if kind == ".py"], [text for kind, text in files if kind == ".md"])
    made |= notebooks.real(pinned())
    assert len(made) >= 2000
    for name, data in made.items():
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rows = ledger(tmp_path, tmp_path / "corpus")
    corpus = pyarrow.parquet.read_table(tmp_path / "out/corpus", columns=["path", "content"]).to_pylist()
    scripts = {row["path"]: row["content"] for row in corpus}
    order = list(notebooks.KAGGLE)
    counts = {rule: {"files": 0, "same": 0, "dropped": 0, "reasons": {}} for rule in order}
    whole = {"files": 0, "same": 0, "kept": 0}
    unexplained, same = [], 0
    for row in rows:
        notebook = notebooks.Notebook(made[row["path"]])
        dropped = ours(row)
        last = min((order.index(rule) for rule in dropped), default=len(order))
        verdicts = {rule: verdict(notebook) for rule, verdict in notebooks.KAGGLE.items()}
        whole["files"] += 1
        whole["same"] += (not any(verdicts.values())) == (not dropped)
        whole["kept"] += not any(verdicts.values())
        for rule, theirs in verdicts.items():
            # What an earlier rule dropped is not seen by a later one.
            if order.index(rule) > last or any(verdicts[other] for other in order[: order.index(rule)]):
                continue
            count = counts[rule]
            count["files"] += 1
            count["dropped"] += theirs
            if theirs == (rule in dropped):
                count["same"] += 1
            elif why := reason(rule, notebook):
                count["reasons"][why] = count["reasons"].get(why, 0) + 1
            else:
                unexplained.append(f"{rule}: {row['path']}: {'dropped' if theirs else 'kept'} there")
        if row["path"] in scripts and notebook.script:
            is_same = scripts[row["path"]] == notebook.script
            same += is_same
            assert is_same or reason("script", notebook), row["path"]
    assert not unexplained, "\n".join(unexplained[:20])
    assert same >= 1000
    for rule, count in counts.items():
        assert count["same"] >= 0.97 * count["files"] and count["dropped"] > 0, (rule, count)
    assert whole["same"] >= 0.96 * whole["files"], (whole, counts)
    if os.environ.get("STACKMILL_BLESS") == "1":
        record = json.loads(RECORD.read_text())
        record[PRESET] = {"files": len(rows), "whole": whole, "rules": counts}
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n")

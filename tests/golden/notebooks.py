"""Kaggle's notebooks: what The Stack v2 makes of one and says of it, read once more and independently; and notebooks to try it on.

No line of stackmill's, and none of the original's. Notebooks are cut with a seed out of the real sources and texts that the
lists pin, with what is found in notebooks besides: lines for IPython and shells, Kaggle's own words, Python 2, R, output of
all kinds. Folders of real ones can be named in STACKMILL_NOTEBOOKS, separated by colons; there is one for every `ipynb` of
the pinned packages, too.
"""

from __future__ import annotations

import ast
import json
import os
import pathlib
import random
import re
import warnings
from dataclasses import dataclass
from functools import cached_property

import nbformat

LONG = 600
COMMANDS = ("%", "!", "cd ", "pip ", "apt ", "wget ")
KAGGLE_CODE = (
    "This Python 3 environment comes", "here's several helpful packages to load", "Copyright (C)",
    "defined by the kaggle/python docker image", "defined by the kaggle/python Docker image",
)  # fmt: skip
KAGGLE_TEXT = (
    "IntroductionGreetings from the Kaggle bot!", "Kaggle bot", "Kaggle kerneler bot", "automatically-generated", "Thank You",
    "clicking run or pressing Shift+Enter", "https://www.kaggle.com/learn/python",
)  # fmt: skip


@dataclass
class Notebook:
    """A notebook, and what the original makes of it."""

    data: bytes

    @cached_property
    def document(self) -> dict | None:
        try:
            document = json.loads(self.data)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    @property
    def cells(self) -> list[dict]:
        return (self.document or {}).get("cells", [])

    @property
    def language(self) -> str | None:
        """The kernel's language, as far as Python and R are told."""
        about = (self.document or {}).get("metadata", {})
        names = (about.get("language_info", {}).get("name"), *map(about.get("kernelspec", {}).get, ("language", "name")))
        known = {"python": "Python", "python2": "Python", "python3": "Python", "ir": "R", "r": "R"}
        return next((known[name.lower()] for name in names if name and name.lower() in known), None)

    @cached_property
    def length(self) -> int:
        return len(json.dumps(self.cells))

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """Neighbours of one kind are joined where the former shows nothing. A cell of one empty line is left out after that, but
        its kind is not: the kinds of all that follow are those of the cells before them."""
        found: list[list] = []
        for cell in self.cells:
            if not cell["source"]:
                continue
            text, shown = "".join(cell["source"]), output(cell)
            if found and found[-1][0] == cell["cell_type"] and not found[-1][2]:
                found[-1][1:] = [f"{found[-1][1]}\n{text}", shown]
            else:
                found.append([cell["cell_type"], text, shown])
        return list(zip((kind for kind, _, _ in found), (text for _, text, _ in found if text), strict=False))

    @cached_property
    def script(self) -> str:
        if len(self.cells) < 4 or all(kind != "code" for kind, _ in self.blocks):
            return ""
        blocks = self.blocks[:-1] if self.blocks[-1][0] == "markdown" else self.blocks
        out = ""
        for kind, text in blocks:
            text = {"code": code, "markdown": prose}.get(kind, lambda _: "")(text)
            if text:
                out += ("\n" if kind == "markdown" else "") + text + "\n" + ("\n" if "def " in text else "")
        return out

    @cached_property
    def is_python(self) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(self.script, "script", "exec")
        except Exception:  # noqa: BLE001 the original asks for no kind either
            return False
        return True


def output(cell: dict) -> str:
    """What a cell shows as text."""
    texts = []
    for shown in cell.get("outputs", []):
        text = shown.get("text") or shown.get("data", {}).get("text/plain") or ""
        texts.append(text if isinstance(text, str) else "".join(text))
    return "\n".join(texts).strip("\n")


def code(text: str) -> str:
    def is_kept(line: str) -> bool:
        bare = line.strip()
        kaggle = any(words in bare for words in KAGGLE_CODE)
        return bool(bare) and len(bare) <= LONG and not bare.startswith(COMMANDS) and not kaggle

    return "\n".join(filter(is_kept, text.split("\n")))


def prose(text: str) -> str:
    text = re.sub(r"\n+", "\n", re.sub(r"<.*?>", "", text).replace("\r\n", "\n"))
    if not text or any(words in text for words in KAGGLE_TEXT):
        return ""
    return "\n".join("# " + line.strip() for line in text.split("\n"))


# In the order in which a notebook meets them here; whoever is dropped by one is not seen by the next.
KAGGLE = {
    "maximum-size": lambda notebook: notebook.length > 5_000_000,
    "few-cells": lambda notebook: len(notebook.cells) < 4 or all(kind != "code" for kind, _ in notebook.blocks),
    "language": lambda notebook: notebook.language == "R" and not notebook.is_python,
    "character-count": lambda notebook: len(notebook.script) <= 100,
    "refused-syntax": lambda notebook: not notebook.is_python,
}


# --- Notebooks

KERNELS = {
    "python": {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": "3.6.6", "mimetype": "text/x-python", "file_extension": ".py"},
    },
    "bare": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "r": {
        "kernelspec": {"name": "ir", "display_name": "R", "language": "R"},
        "language_info": {"name": "R", "version": "3.4.2", "mimetype": "text/x-r-source", "file_extension": ".r"},
    },
    "none": {},
}
COMMAND_LINES = ["%matplotlib inline", "!ls ../input", "pip install lightgbm", "cd ..", "wget https://example.org/a.csv", "    %time x = 1"]
KAGGLE_CELL = (
    "# This Python 3 environment comes with many helpful analytics libraries installed\n"
    "# It is defined by the kaggle/python docker image: https://github.com/kaggle/docker-python\n"
    "# For example, here's several helpful packages to load in \n\nimport numpy as np # linear algebra\n"
)
KAGGLE_WORDS = ["## Thank You", "*Kaggle bot* was here", "By clicking run or pressing Shift+Enter", "https://www.kaggle.com/learn/python"]
R_CODE = ["library(ggplot2)\nx <- c(1, 2)\n", "summary(x)\n", "f <- function(a) {\n  a + 1\n}\n", "x = c(1, 2)\n", "print(x)\n"]
PYTHON_2 = ["print 'done'", "print x, y", "try:\n    f()\nexcept ValueError, e:\n    pass", "exec 'x = 1'"]
BROKEN = ["x = (1,\n", "def f(:\n    pass", "for", "return 1", "x = = 2", "'unfinished"]
SHOWN = [
    {"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]},
    {"output_type": "stream", "name": "stdout", "text": "\n"},
    {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": ["1.0"]}},
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}},
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo="}},
    {"output_type": "error", "ename": "NameError", "evalue": "x", "traceback": ["\u001b[0;31mNameError"]},
]


def pieces(text: str) -> list[str]:
    """The statements of a source, with what stands above them; none where it is not Python."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    lines, starts = text.splitlines(keepends=True), [0]
    starts += [statement.end_lineno for statement in body]
    found = ("".join(lines[start:end]) for start, end in zip(starts, starts[1:], strict=False))
    return [piece for piece in found if piece.strip() and "__future__" not in piece]


def drawn(dice: random.Random, code_cells: list[str], texts: list[str]) -> dict:
    """A notebook out of these pieces."""
    kernel = dice.choices(["python", "bare", "r", "none"], [80, 8, 8, 4])[0]
    cells = [dice.choice([["markdown", text], ["code", text]]) for text in [KAGGLE_CELL] * (dice.random() < 0.3)]
    for _ in range(dice.choice([1, 2, 3, 5, 8, 12, 20])):
        if dice.random() < 0.4:
            text = dice.choice(texts)
            cells.append(["markdown", dice.choice([text, text, f"<b>{text}</b>\r\n\r\n<br", f"\n{text}\n\n"])])
        else:
            some = [dice.choice(R_CODE)] if kernel == "r" else dice.choices(code_cells, k=dice.choice([1, 1, 2]))
            cells.append(["code", "\n".join(some)])
    odd = [
        ["code", dice.choice(COMMAND_LINES) + "\nx = 1"], ["code", f"x = '{'long ' * 130}'\ny = 1"], ["markdown", dice.choice(KAGGLE_WORDS)],
        ["raw", "raw"], ["code", ""], ["code", "\n"], ["markdown", "\n"], ["code", "x = 1\r\n\r\ny = 2\r\n"], ["code", "# Copyright (C) me\nz = 3"],
    ]  # fmt: skip
    cells += dice.choices(odd, k=dice.choice([0, 0, 1, 2, 4]))
    chance = dice.random()
    cells += [["code", dice.choice(BROKEN)]] * (chance < 0.08) + [["code", dice.choice(PYTHON_2)]] * (0.08 < chance < 0.1)
    dice.shuffle(cells)
    if dice.random() < 0.04:
        cells = [[kind, text] for kind, text in cells if kind != "code"]
    return {"cells": [cell(dice, *about) for about in cells], "metadata": KERNELS[kernel], "nbformat": 4, "nbformat_minor": 0}


def cell(dice: random.Random, kind: str, text: str) -> dict:
    source = dice.choice([text, text.splitlines(keepends=True)])
    found = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        found |= {"execution_count": None, "outputs": dice.choices(SHOWN, k=dice.choice([0, 0, 1, 2]))}
    return found


def notebooks(sources: list[str], texts: list[str], count: int = 2400) -> dict[str, bytes]:
    """By name: notebooks drawn out of these sources and texts, each valid in the eyes of `nbformat`."""
    code_cells = [piece for source in sources for piece in pieces(source) if len(piece) < 4000]
    prose_cells = [part.strip() for text in texts for part in re.split(r"\n{2,}", text) if 5 < len(part) < 2000]
    dice, made = random.Random(7), {}
    for number in range(count):
        notebook = drawn(dice, code_cells, prose_cells)
        nbformat.validate(nbformat.from_dict(notebook))
        if number % 50 == 7:
            notebook["cells"].append(cell(dice, "code", "x = 1") | {"outputs": [SHOWN[2] | {"data": {"application/json": float("nan")}}]})
        if number % 300 == 8:
            image = {"image/png": "A" * (5_000_000 if number % 600 == 8 else 4_900_000)}
            notebook["cells"].append(cell(dice, "code", "x = 1") | {"outputs": [SHOWN[4] | {"data": image}]})
        made[f"drawn/{number}.ipynb"] = json.dumps(notebook, indent=dice.choice([None, 1]), ensure_ascii=dice.random() < 0.5).encode()
        if number % 100 == 9:
            old = nbformat.convert(nbformat.reads(json.dumps(notebook), 4), 3)
            made[f"drawn/{number}-old.ipynb"] = nbformat.writes(old).encode()
    return made


def real(folders: list[pathlib.Path]) -> dict[str, bytes]:
    """By name: every notebook below these folders, and those of STACKMILL_NOTEBOOKS."""
    named = [pathlib.Path(name) for name in os.environ.get("STACKMILL_NOTEBOOKS", "").split(":") if name]
    found = {}
    for folder in [*folders, *named]:
        for path in sorted(folder.rglob("*.ipynb")):
            if path.is_file() and not path.is_symlink():
                found[f"real/{folder.name}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found

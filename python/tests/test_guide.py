"""Every example of the guide runs, in the order of the page."""

from __future__ import annotations

import re

from conftest import ROOT

PAGE = ROOT / "docs/guide/python.md"


def test_examples_of_the_guide_run(tmp_path, monkeypatch):
    page = PAGE.read_text()
    blocks = list(re.finditer(r"^```(python|toml)\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    assert {block[1] for block in blocks} == {"python", "toml"} and len(blocks) >= 7
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/hello.py").write_text("print('hello')\n")
    (tmp_path / "src/again.py").write_text("print('hello')\n")
    names: dict[str, object] = {}
    for block in blocks:
        if block[1] == "toml":
            (tmp_path / "recipe.toml").write_text(block[2])
        else:
            # Lines keep their numbers, for tracebacks.
            above = "\n" * page.count("\n", 0, block.start(2))
            exec(compile(above + block[2], str(PAGE), "exec"), names)


def test_the_guide_names_every_function():
    import stackmill

    page = PAGE.read_text()
    missing = [name for name in stackmill.__all__ if f"`{name}" not in page and f"stackmill.{name}" not in page]
    assert set(missing) <= {"Exchange", "Map", "Progress", "Manifest"}, missing

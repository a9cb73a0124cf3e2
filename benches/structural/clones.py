"""Makes clones of real files: renamed, formatted, commented, and all of these, by tools that others wrote.

    python benches/structural/clones.py OUT FILES FOLDER…

needs `pygments` and `black`; `rustfmt` where Rust is among the files. FILES of each language (default 300) are chosen by
hash. Writes OUT/original/NNNNN.ext, and the same names in the folder of each kind of clone. Names are told by Pygments,
not by our own lexer; Python is formatted by black, Rust by rustfmt, other languages anew from their tokens.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import black
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, String, Token, Whitespace

LANGUAGES = {"py": "python", "rs": "rust", "c": "c", "h": "cpp", "cpp": "cpp", "cc": "cpp", "java": "java", "js": "javascript",
             "ts": "typescript", "go": "go", "cs": "csharp", "php": "php", "rb": "ruby"}
SYLLABLES = ["ba", "ko", "ri", "tu", "me", "sol", "gan", "dre", "vi", "po"]
IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")

Tokens = list[tuple[object, str]]


def digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")


def tokens(text: str, language: str) -> Tokens:
    return list(get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(text))


def new_name(name: str) -> str:
    number, parts = digest(name), []
    for _ in range(2 + number % 3):
        parts.append(SYLLABLES[number % 10])
        number //= 10
    return "_".join(parts) + str(digest(name) % 9973)


# Words of a language that Pygments takes for names in some places.
TAKEN: dict[str, set[str]] = {language: set() for language in LANGUAGES.values()}
TAKEN["rust"] = {"mut", "self", "Self", "super", "crate", "impl", "fn", "static", "false", "true", "where", "dyn", "ref"}


def renamed(text: str, language: str) -> str:
    given = tokens(text, language)
    names = {value for kind, value in given if kind in Name and IDENTIFIER.match(value)}
    taken = TAKEN[language] | {value for kind, value in given if kind in Keyword or kind in Name.Builtin.Pseudo}
    known = {value: new_name(value) for value in names - taken if not value.startswith("__")}

    def one(kind: object, value: str) -> str:
        if kind in Name:
            return known.get(value, value)
        # Pygments does not look into macros.
        return re.sub(r"\w+", lambda word: known.get(word[0], word[0]), value) if kind in Comment.Preproc else value

    return "".join(one(kind, value) for kind, value in given)


def commented(text: str, language: str) -> str:
    """Comments are taken out, and others put at the end of every fourth line that ends a statement."""
    sign = "#" if language in ("python", "ruby") else "//"
    bare = "".join(value if kind not in Comment or kind in Comment.Preproc or kind in Comment.PreprocFile
                   else "\n" * value.count("\n") for kind, value in tokens(text, language))
    inside, lines, number = multi_line(bare, language), [], 0
    for at, line in enumerate(bare.split("\n")):
        number += 1
        said = f"  {sign} {' '.join(new_name(line + str(i)) for i in range(4))}"
        ends = line.rstrip().endswith((";", "{", "}", ":", ")")) and not line.lstrip().startswith("#")
        lines.append(line + said if number % 4 == 0 and ends and at not in inside else line)
    return "\n".join(lines)


def multi_line(text: str, language: str) -> set[int]:
    """Lines inside of texts that go over several."""
    inside, at = set(), 0
    for kind, value in tokens(text, language):
        count = value.count("\n")
        if kind in String or kind in Comment:
            inside.update(range(at, at + count + 1) if count else ())
        at += count
    return inside


def formatted(text: str, language: str) -> str | None:
    if language == "python":
        try:
            return black.format_str(text, mode=black.Mode(line_length=56, string_normalization=True))
        except Exception:
            return None
    if language == "rust":
        done = subprocess.run(["rustfmt", "--edition", "2021", "--config", "max_width=60,hard_tabs=true"], input=text,
                              capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None
    return "".join(laid_out(tokens(text, language))) if language != "ruby" else None


def laid_out(given: Tokens) -> Iterator[str]:
    """Every statement on lines of its own, every bracket of a block, too."""
    depth = 0
    for kind, value in given:
        if kind in Comment:
            yield value if value.endswith("\n") else value + "\n"
        elif kind in Whitespace or kind is Token.Text and not value.strip():
            yield "\n" if "\n" in value and value.count("\n") > 1 else " "
        elif value in ("{", "}", ";"):
            depth += {"{": 1, "}": -1}.get(value, 0)
            yield ("\n" if value == "}" else "") + value + "\n" + "    " * max(depth, 0)
        else:
            yield value


def files(folders: list[str], most: int) -> Iterator[Path]:
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for path in Path(folder).rglob("*"):
            language = LANGUAGES.get(path.suffix[1:])
            if language and path.is_file() and 1_000 < path.stat().st_size < 100_000:
                found.setdefault(language, []).append(path)
    for language in sorted(found):
        yield from sorted(found[language], key=lambda path: digest(str(path)))[:most]


def main() -> None:
    out, most = Path(sys.argv[1]), int(sys.argv[2])
    chosen = files(sys.argv[3:], most)
    names = []
    for number, path in enumerate(chosen):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        language = LANGUAGES[path.suffix[1:]]
        layout = formatted(text, language)
        kinds = {"original": text, "renamed": renamed(text, language), "commented": commented(text, language),
                 "formatted": layout, "all": layout and commented(renamed(layout, language), language)}
        for kind, clone in kinds.items():
            if clone:
                place = out / kind / f"{number:05}{path.suffix}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(clone)
        names.append(f"{number:05}{path.suffix}\t{path}\n")
    (out / "names.tsv").write_text("".join(names))


if __name__ == "__main__":
    main()

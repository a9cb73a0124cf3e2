"""Samples of archives, tables, published data sets and web crawls: see `inputs.py`, which has those of git."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import tarfile
import zipfile

import nbformat
import pyarrow
import pyarrow.parquet
import social
import test_presets
import warcio.archiveiterator
import warcio.statusandheaders
import warcio.warcwriter
from inputs import Counted, Told, blob, counted, git, lay_out, real, repository, sample, texts, tree

# --- Folders and archives


@sample("folder", "the file system")
def folder(box: pathlib.Path) -> Told:
    lay_out(box / "plain", real())
    found = [path.read_bytes() for path in (box / "plain").rglob("*") if path.is_file()]
    return Told('directory = "plain"', counted(found))


@sample("Jupyter notebooks", "nbformat, around real code and texts")
def jupyter(box: pathlib.Path) -> Told:
    """Cells of Python and Markdown by turns, an output every now and then; and what is no notebook in spite of its name."""
    code = [text for name, text in texts().items() if name.endswith(".py")]
    prose = [text for name, text in texts().items() if name.endswith(".md")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    there = {"broken.ipynb": b"{}", "empty.ipynb": b""}
    for number, (above, below) in enumerate(zip(prose, code, strict=False)):
        output = nbformat.v4.new_output("stream", text=f"{number}\n")
        cell = nbformat.v4.new_code_cell(below, outputs=[output] * (number % 3), id=f"b{number}")
        cells = [nbformat.v4.new_markdown_cell(above, id=f"a{number}"), cell]
        there[f"{number}.ipynb"] = nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=kernel)).encode()
    lay_out(box / "plain", there)
    return Told('directory = "plain"\n[notebooks]', counted(there.values()))


def tar(path: pathlib.Path, mode: str, form: int = tarfile.PAX_FORMAT) -> Counted:
    """A tar archive; and what Python reads out of it again."""
    with tarfile.open(path, mode, format=form) as out:
        for name, content in real().items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
    with tarfile.open(path) as there:
        return counted(there.extractfile(entry).read() for entry in there if entry.isfile())


for kind, mode, form in [
    ("tar", "w:", tarfile.USTAR_FORMAT), ("tar.gz", "w:gz", tarfile.GNU_FORMAT), ("tar.xz", "w:xz", tarfile.PAX_FORMAT),
    ("tar.bz2", "w:bz2", tarfile.PAX_FORMAT),
]:  # fmt: skip
    layout = {tarfile.USTAR_FORMAT: "ustar", tarfile.GNU_FORMAT: "GNU", tarfile.PAX_FORMAT: "pax"}[form]

    @sample(f"{kind} ({layout})", "Python's tarfile")
    def some_tar(box: pathlib.Path, kind=kind, mode=mode, form=form) -> Told:
        return Told(f'archives = "a.{kind}"', tar(box / f"a.{kind}", mode, form))


@sample("tar.zst", "Python's tarfile, Arrow's zstd")
def tar_zst(box: pathlib.Path) -> Told:
    found = tar(box / "a.tar", "w:")
    with pyarrow.CompressedOutputStream(box / "a.tar.zst", "zstd") as out:
        out.write((box / "a.tar").read_bytes())
    return Told('archives = "a.tar.zst"', found)


@sample("zip", "Python's zipfile")
def some_zip(box: pathlib.Path) -> Told:
    with zipfile.ZipFile(box / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in real().items():
            out.writestr(name, content)
    with zipfile.ZipFile(box / "a.zip") as there:
        return Told('archives = "a.zip"', counted(there.read(name) for name in there.namelist()))


@sample("wheels", "their makers, for PyPI")
def wheels(box: pathlib.Path) -> Told:
    """`ensurepip` brings pip's, as it was published."""
    import ensurepip

    bundled = sorted((pathlib.Path(ensurepip.__file__).parent / "_bundled").glob("*.whl"))
    found: Counted = Counted()
    for path in bundled:
        (box / path.name).write_bytes(path.read_bytes())
        with zipfile.ZipFile(path) as there:
            found += counted(there.read(entry) for entry in there.infolist() if not entry.is_dir())
    return Told('archives = "*.whl"', found)


@sample("crates", "cargo, for crates.io")
def crates(box: pathlib.Path) -> Told:
    found: Counted = Counted()
    cached = test_presets.home().glob("registry/cache/*/*.crate")
    for path in sorted(cached, key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())[:40]:
        (box / path.name).write_bytes(path.read_bytes())
        with tarfile.open(path) as there:
            found += counted(there.extractfile(entry).read() for entry in there if entry.isfile())
    return Told('archives = "*.crate"', found)


@sample("archive of git, as GitHub and GitLab hand out", "git archive")
def forge(box: pathlib.Path) -> Told:
    there = repository(box / "one", real())
    revision = git(there, "rev-parse", "HEAD").strip()
    for name, prefix in [("github", f"owner-name-{revision[:7]}"), ("gitlab", f"name-main-{revision}")]:
        git(there, "archive", "--format=tar.gz", f"--prefix={prefix}/", f"--output=../{name}.tar.gz", "HEAD")
    once = tree(there)
    return Told('archives = ["github.tar.gz", "gitlab.tar.gz"]', once + once)


# --- Tables


def named() -> list[tuple[str, str, str]]:
    """Repository, path and text of every row."""
    split = (name.partition("/") for name in texts())
    return [(f"owner/{top}", path, text) for (top, _, path), text in zip(split, texts().values(), strict=True)]


def rows_of(contents: list[str]) -> Counted:
    return counted(text.encode() for text in contents)


def parquet(box: pathlib.Path, rows: list[dict], source: str, contents: list[str]) -> Told:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), box / "a.parquet", row_group_size=100)
    again = pyarrow.parquet.read_table(box / "a.parquet").num_rows
    assert again == len(rows)
    return Told(f'parquet = "a.parquet"\n{source}', rows_of(contents))


def lines(path: pathlib.Path, rows: list[dict], compression: str) -> None:
    with pyarrow.CompressedOutputStream(path, compression) as out:
        out.write("".join(json.dumps(row) + "\n" for row in rows).encode())


@sample("Parquet", "pyarrow")
def plain_parquet(box: pathlib.Path) -> Told:
    rows = [{"repo_name": repo, "path": path, "content": text} for repo, path, text in named()]
    return parquet(box, rows, "", [row["content"] for row in rows])


@sample("JSON lines, gzip", "Python's json")
def plain_jsonl(box: pathlib.Path) -> Told:
    rows = [{"repo_name": repo, "path": path, "content": text} for repo, path, text in named()]
    lines(box / "a.jsonl.gz", rows, "gzip")
    return Told('jsonl = "a.jsonl.gz"', rows_of([row["content"] for row in rows]))


@sample("CodeParrot", "Python's json, in the published columns")
def codeparrot(box: pathlib.Path) -> Told:
    rows = [
        {"repo_name": repo, "path": path, "copies": "1", "size": str(len(text)), "content": text, "license": "mit",
         "hash": number, "line_mean": 1.0, "line_max": 1, "alpha_frac": 0.5, "autogenerated": False}
        for number, (repo, path, text) in enumerate(named())
    ]  # fmt: skip
    lines(box / "a.json.gz", rows, "gzip")
    return Told('jsonl = "a.json.gz"\nformat = "codeparrot"', rows_of([row["content"] for row in rows]))


@sample("The Stack 1.x", "pyarrow, in the published columns")
def the_stack_v1(box: pathlib.Path) -> Told:
    def of(kind: str, repo: str, path: str) -> dict:
        return {
            f"max_{kind}_repo_path": path, f"max_{kind}_repo_name": repo, f"max_{kind}_repo_head_hexsha": "0" * 40,
            f"max_{kind}_repo_licenses": ["MIT"], f"max_{kind}_count": 3,
            f"max_{kind}_repo_{kind}_event_min_datetime": "2020-01-01T00:00:00.000Z",
            f"max_{kind}_repo_{kind}_event_max_datetime": None,
        }  # fmt: skip

    rows = [
        {"hexsha": blob(text.encode())[0], "size": len(text), "ext": path.rpartition(".")[2], "lang": "Python",
         **of("stars", repo, path), **of("issues", "other/repo", "other"), **of("forks", "third/repo", "third"),
         "content": text, "avg_line_length": 1.0, "max_line_length": 1, "alphanum_fraction": 0.5}
        for repo, path, text in named()
    ]  # fmt: skip
    return parquet(box, rows, 'format = "the-stack-v1"', [row["content"] for row in rows])


def entry_v2(path: str, content: bytes) -> dict:
    name, length = blob(content)
    return {
        "blob_id": hashlib.sha1(content).hexdigest(), "content_id": name, "path": "/" + path, "length_bytes": length,
        "detected_licenses": ["MIT"], "license_type": "permissive", "src_encoding": "UTF-8", "language": "Python",
        "is_vendor": False, "is_generated": False, "extension": path.rpartition(".")[2],
    }  # fmt: skip


def store_v2(box: pathlib.Path) -> None:
    """Contents as Software Heritage's store has them: by SHA-1, gzipped."""
    (box / "content").mkdir()
    for content in real().values():
        (box / "content" / hashlib.sha1(content).hexdigest()).write_bytes(gzip.compress(content, mtime=0))


V2 = 'parquet = "a.parquet"\nformat = "the-stack-v2"\ncontents = "content/{blob_id}"'
REPOSITORY_V2 = {
    "snapshot_id": "1" * 40, "revision_id": "2" * 40, "directory_id": "3" * 40, "branch_name": "refs/heads/main",
    "star_events_count": 3, "fork_events_count": 1, "gha_license_id": None,
}  # fmt: skip


@sample("The Stack v2, a file a row", "pyarrow, in the published columns")
def the_stack_v2(box: pathlib.Path) -> Told:
    store_v2(box)
    rows = [
        {**entry_v2(name.partition("/")[2], content), "repo_name": "owner/" + name.partition("/")[0], **REPOSITORY_V2}
        for name, content in real().items()
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), box / "a.parquet", row_group_size=100)
    return Told(V2, counted(real().values()))


def repositories() -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for name, content in real().items():
        top, _, path = name.partition("/")
        found.setdefault(top, {})[path] = content
    return found


@sample("The Stack v2, a repository a row", "pyarrow, in the published columns")
def the_stack_v2_ids(box: pathlib.Path) -> Told:
    store_v2(box)
    rows = [
        {"repo_name": f"owner/{top}", "repo_url": f"https://github.com/owner/{top}", **REPOSITORY_V2,
         "files": [entry_v2(path, content) for path, content in there.items()], "num_files": len(there)}
        for top, there in repositories().items()
    ]  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), box / "a.parquet", row_group_size=20)
    return Told(V2, counted(real().values()))


@sample("The Stack v3, train", "pyarrow, in the published columns")
def the_stack_v3(box: pathlib.Path) -> Told:
    readable = texts()
    rows = [
        {"repo_path": f"owner/{top}", "repo_id": 7, "commit_id": "2" * 40,
         "github_metadata": {"branch": "main", "is_fork": False, "forked_from": None, "stars": 3, "forks": 1},
         "files": [
             {"content_id": blob(content)[0], "content": content.decode(), "size_bytes": len(content), "file_path": path,
              "language": "Python", "is_vendor": False, "license_type": "permissive", "detected_licenses": ["MIT"]}
             for path, content in there.items() if f"{top}/{path}" in readable
         ]}
        for top, there in repositories().items()
    ]  # fmt: skip
    rows = [{**row, "num_files": len(row["files"])} for row in rows if row["files"]]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), box / "a.parquet", row_group_size=20)
    return Told('parquet = "a.parquet"\nformat = "the-stack-v3"', rows_of(list(readable.values())))


@sample("StarCoderData", "pyarrow, in the published columns")
def starcoderdata(box: pathlib.Path) -> Told:
    dice = random.Random(7)

    def prefix(repo: str, path: str) -> str:
        said = [("<reponame>", repo), ("<filename>", path), ("<gh_stars>", "10-100")]
        chosen = "".join(tag + value for tag, value in said if dice.random() < 0.2)
        return chosen + "\n" if chosen else ""

    rows = [
        {"max_stars_repo_path": path, "max_stars_repo_name": repo, "max_stars_count": 3, "id": str(number),
         "content": prefix(repo, path) + text}
        for number, (repo, path, text) in enumerate(named())
    ]  # fmt: skip
    return parquet(box, rows, 'format = "starcoderdata"', [text for _, _, text in named()])


@sample("Issues of GitHub", "pyarrow, in the published columns; made-up issues of real messages")
def issues(box: pathlib.Path) -> Told:
    rows = social.issue_rows(400)
    source = 'format = "github-issues"\nconversation = { compat = true }'
    return parquet(box, rows, source, [social.Issue(row).content() for row in rows])


@sample("CommitPack", "git and Python's json, in the published columns")
def commits(box: pathlib.Path) -> Told:
    rows = social.changes(social.ROOT, 400)
    social.lines(rows, box / "a.jsonl")
    whole = "<commit_before>{old_contents}<commit_msg>{subject}<commit_after>{new_contents}"
    source = 'jsonl = "a.jsonl"\nformat = "commitpack"\nchange = { whole = 1.0 }'
    return Told(source, rows_of([whole.format(**row) for row in rows]))


@sample("The Pile", "Python's json, Arrow's zstd, in the published layout")
def the_pile(box: pathlib.Path) -> Told:
    sets = ["Github", "Pile-CC", "StackExchange"]
    rows = [
        {"text": text, "meta": {"pile_set_name": sets[number % 3]}} for number, (_, _, text) in enumerate(named())
    ]  # fmt: skip
    lines(box / "00.jsonl.zst", rows, "zstd")
    return Told('jsonl = "00.jsonl.zst"\nformat = "the-pile"', rows_of([row["text"] for row in rows]))


@sample("ROOTS, code", "Python's json, in the published layout")
def roots(box: pathlib.Path) -> Told:
    rows = [
        {"text": text, "meta": str({"repo_name": repo, "path": path, "license": "gpl-3.0", "size": len(text)})}
        for repo, path, text in named()
    ]
    lines(box / "a.jsonl.gz", rows, "gzip")
    return Told('jsonl = "a.jsonl.gz"\nformat = "roots"', rows_of([row["text"] for row in rows]))


# --- Web crawls

PAGES = ("response", "resource", "conversion")


def pages_of(paths: list[pathlib.Path]) -> list[tuple[str, int]]:
    """What warcio says are pages: their addresses as paths, and the length of what they hold."""
    found = []
    for path in paths:
        with open(path, "rb") as there:
            for record in warcio.archiveiterator.ArchiveIterator(there):
                if record.rec_type in PAGES:
                    uri = record.rec_headers.get_header("WARC-Target-URI")
                    page = uri.partition("://")[2]
                    page = page if "/" in page else page + "/"
                    page += "index" if page.endswith("/") else ""
                    found.append((page, len(record.content_stream().read())))
    return found


@sample("WARC and WET", "warcio, around real pages and texts")
def crawl(box: pathlib.Path) -> Told:
    paths = []
    for version in ("1.0", "1.1"):
        paths.append(box / f"{version}.warc.gz")
        with open(paths[-1], "wb") as out:
            writer = warcio.warcwriter.WARCWriter(out, gzip=True, warc_version=version)
            writer.write_record(writer.create_warcinfo_record(paths[-1].name, {"software": "test"}))
            for number, (name, text) in enumerate(texts().items()):
                if name.endswith((".html", ".md")):
                    record(writer, f"https://host-{version}.example/{number}", name, text)
    return Told('warc = "*.warc.gz"', None, pages_of(paths))


def record(writer, uri: str, name: str, text: str) -> None:
    """A page for HTML, what a WET file has for other texts."""
    if name.endswith(".html"):
        lines = [("Content-Type", "text/html; charset=utf-8")]
        head = warcio.statusandheaders.StatusAndHeaders("200 OK", lines, protocol="HTTP/1.1")
        page = writer.create_warc_record(uri, "response", payload=io.BytesIO(text.encode()), http_headers=head)
    else:
        payload = io.BytesIO(text.encode())
        page = writer.create_warc_record(uri, "conversion", payload=payload, warc_content_type="text/plain")
    writer.write_record(page)


def publish(path: pathlib.Path) -> None:
    @sample(f"`{path.name}`", "its crawler, as published")
    def crawled(box: pathlib.Path) -> Told:
        return Told(f"warc = {json.dumps(str(path))}", None, pages_of([path]))


# Files of crawls as they were published are too much to come along: a folder of them may be named.
if published := os.environ.get("STACKMILL_CRAWL"):
    for found in sorted(pathlib.Path(published).iterdir()):
        publish(found)

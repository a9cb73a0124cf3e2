"""Samples of every input that the program reads, each written by somebody else's program out of real files, and counted by
somebody else's reader: which blobs, of which length, have to be in the ledger.

A sample is a function that fills a folder and gives the source of a recipe and what is in it. `test_inputs.py` runs them.
"""

from __future__ import annotations

import collections
import csv
import hashlib
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import typing

import pyarrow
import pyarrow.parquet
import test_presets

# Files of one extension in the sample.
MOST_OF_ONE = 20
Counted = collections.Counter  # of (git's id, length)


class Told(typing.NamedTuple):
    """What a sample is: the recipe's source, and what somebody else counts in it."""

    source: str
    counted: Counted | None
    # Pages of a crawl, where a row is a block of code in one: host and path, with the length of the body.
    pages: list[tuple[str, int]] | None = None
    environment: dict[str, str] = {}


class Sample(typing.NamedTuple):
    name: str
    written_by: str
    make: typing.Callable[[pathlib.Path], Told]


SAMPLES: list[Sample] = []


def sample(name: str, written_by: str):
    def add(make: typing.Callable[[pathlib.Path], Told]):
        SAMPLES.append(Sample(name, written_by, make))
        return make

    return add


# --- Real files, and their ids


def blob(content: bytes) -> tuple[str, int]:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(), len(content)


def files() -> dict[str, bytes]:
    """Real files of every extension, and four that are hard."""
    taken: Counted = Counted()
    found = {}
    for name, path in sorted(test_presets.chosen(), key=lambda entry: hashlib.sha256(entry[0].encode()).hexdigest()):
        extension = path.suffix.lower()
        if taken[extension] < MOST_OF_ONE:
            taken[extension] += 1
            found[name] = path.read_bytes()
    found["hard/empty.py"] = b""
    found["hard/binary.c"] = b"\0\1\2\3" * 400
    found["hard/latin-1.py"] = "# caf\xe9, na\xefve, gar\xe7on\n".encode("latin-1") * 20
    found["hard/n\u00e4me with spaces.md"] = b"# Title\n\ntext\n"
    return dict(sorted(found.items()))


FILES: dict[str, bytes] = {}


def real() -> dict[str, bytes]:
    if not FILES:
        FILES.update(files())
    return FILES


def texts() -> dict[str, str]:
    """Those that a table of texts can hold."""
    found = {}
    for name, content in real().items():
        try:
            found[name] = content.decode()
        except UnicodeDecodeError:
            continue
    return found


def counted(contents: typing.Iterable[bytes]) -> Counted:
    return Counted(blob(content) for content in contents)


def lay_out(folder: pathlib.Path, chosen: dict[str, bytes]) -> pathlib.Path:
    for name, content in chosen.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


# --- Git

GIT = {
    **os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@a",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@a", "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
}  # fmt: skip


def git(folder: pathlib.Path, *arguments: str) -> str:
    ran = subprocess.run(["git", "-c", "core.quotePath=false", *arguments], cwd=folder, env=GIT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def commit(folder: pathlib.Path) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "files")


def repository(folder: pathlib.Path, chosen: dict[str, bytes]) -> pathlib.Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    lay_out(folder, chosen)
    (folder / "a link").symlink_to("hard/empty.py")
    commit(folder)
    return folder


def tree(folder: pathlib.Path, revision: str = "HEAD") -> Counted:
    """What git says is in a tree."""
    found: Counted = Counted()
    for entry in git(folder, "ls-tree", "-r", "-l", "-z", revision).split("\0"):
        if entry:
            _, _, name, length = entry.split("\t")[0].split()
            found[name, int(length)] += 1
    return found


@sample("git clone", "git")
def git_clone(box: pathlib.Path) -> Told:
    return Told('git = "one"', tree(repository(box / "one", real())))


@sample("bare repository", "git")
def git_bare(box: pathlib.Path) -> Told:
    there = repository(box / "one", real())
    git(box, "clone", "--quiet", "--bare", "one", "one.git")
    return Told('git = "one.git"', tree(there))


@sample("linked worktree", "git")
def git_worktree(box: pathlib.Path) -> Told:
    there = repository(box / "one", real())
    git(there, "worktree", "add", "--quiet", "../linked")
    return Told('git = "linked"', tree(there))


@sample("bundle", "git")
def git_bundle(box: pathlib.Path) -> Told:
    there = repository(box / "one", real())
    git(there, "bundle", "create", "--quiet", "../one.bundle", "HEAD", "main")
    return Told('git = "one.bundle"', tree(there))


def with_past(box: pathlib.Path) -> pathlib.Path:
    """Three commits: files come, change, are renamed and go."""
    names = list(real())
    there = repository(box / "one", {name: real()[name] for name in names[::2]})
    lay_out(there, {name: real()[name] for name in names[1::2]})
    lay_out(there, {name: real()[name] + b"\n" for name in names[::6]})
    commit(there)
    for number, name in enumerate(names[::9]):
        (there / name).rename(there / f"moved-{number}")
    for name in names[1::9]:
        (there / name).unlink()
    commit(there)
    return there


def past(folder: pathlib.Path) -> Counted:
    """What git says can be reached, each blob once."""
    objects = [line.split(" ")[0] for line in git(folder, "rev-list", "--objects", "--all").splitlines()]
    asked = "\n".join(objects)
    ran = subprocess.run(["git", "cat-file", "--batch-check"], cwd=folder, input=asked, capture_output=True, text=True)
    lines = (line.split() for line in ran.stdout.splitlines())
    return Counted((name, int(length)) for name, kind, length in lines if kind == "blob")


@sample("history", "git")
def git_history(box: pathlib.Path) -> Told:
    return Told('git = "one"\nhistory = "references"', past(with_past(box)))


@sample("folder of clones", "git")
def git_folder_of_clones(box: pathlib.Path) -> Told:
    found: Counted = Counted()
    for number, chosen in enumerate(parts()):
        found += tree(repository(box / f"clones/owner-{number % 3}/name-{number}", chosen))
    return Told('git = "clones"', found)


def parts(count: int = 12) -> list[dict[str, bytes]]:
    items = list(real().items())
    return [dict(items[number::count]) for number in range(count)]


def list_of_clones(box: pathlib.Path) -> tuple[list[dict], Counted]:
    found: Counted = Counted()
    rows = []
    for number, chosen in enumerate(parts()):
        found += tree(repository(box / f"c/{number}", chosen))
        rows.append({"url": f"c/{number}", "name": f"own,er/n\u00e4me-{number}", "stars": number, "pushed": f"202{number % 5}"})
    return rows, found


LIST = 'git = "list.%s"\nmetadata = ["pushed"]'


@sample("list of repositories, CSV", "Python's csv")
def list_csv(box: pathlib.Path) -> Told:
    rows, found = list_of_clones(box)
    with open(box / "list.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return Told(LIST % "csv", found)


@sample("list of repositories, JSON lines", "Python's json")
def list_jsonl(box: pathlib.Path) -> Told:
    rows, found = list_of_clones(box)
    (box / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Told(LIST % "jsonl", found)


@sample("list of repositories, Parquet", "pyarrow")
def list_parquet(box: pathlib.Path) -> Told:
    rows, found = list_of_clones(box)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), box / "list.parquet")
    return Told(LIST % "parquet", found)


# --- Git over the loopback


def served(box: pathlib.Path) -> Counted:
    there = repository(box / "one", real())
    git(box, "clone", "--quiet", "--bare", "one", "served/one.git")
    git(box / "served/one.git", "config", "uploadpack.allowFilter", "true")
    return tree(there)


class Backend(http.server.BaseHTTPRequestHandler):
    """`git http-backend`, as a web server calls it."""

    root: str
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            **GIT, "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": self.headers.get("content-length", "0"), "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        body = self.rfile.read(int(environment["CONTENT_LENGTH"]))
        said = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True).stdout
        head, _, rest = said.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for key, value in lines if key == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for key, value in lines:
            if key != "Status":
                self.send_header(key, value)
        self.end_headers()
        self.wfile.write(rest)

    do_POST = do_GET

    def log_message(self, *_) -> None:
        pass


@sample("URL, http", "git http-backend")
def git_http(box: pathlib.Path) -> Told:
    found = served(box)
    handler = type("Handler", (Backend,), {"root": str(box / "served")})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return Told(f'git = "http://127.0.0.1:{server.server_port}/one.git"', found)


@sample("URL, git", "git daemon")
def git_daemon(box: pathlib.Path) -> Told:
    found = served(box)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = pathlib.Path(git(box, "--exec-path").strip()) / "git-daemon"
    arguments = ["--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", f"--base-path={box / 'served'}"]
    DAEMONS.append(subprocess.Popen([program, *arguments], env=GIT, stderr=subprocess.DEVNULL))
    for _ in range(100):
        time.sleep(0.05)
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                break
    return Told(f'git = "git://127.0.0.1:{port}/one.git"', found)


DAEMONS: list[subprocess.Popen] = []


@sample("URL, ssh", "git upload-pack behind a program called `ssh`")
def git_ssh(box: pathlib.Path) -> Told:
    found = served(box)
    program = box / "bin/ssh"
    program.parent.mkdir()
    # As a server does: the last argument is the command for its shell.
    program.write_text('#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return Told(f'git = "ssh://somebody@host.example{box}/served/one.git"', found, environment={"PATH": path})

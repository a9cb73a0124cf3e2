"""Whole runs, and the commands around them, as functions: what the command line prints as JSON comes back as values."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Union

from stackmill import _stackmill

__all__ = [
    "Manifest",
    "Progress",
    "check",
    "explain",
    "list_benchmarks",
    "list_rules",
    "plan",
    "run",
    "status",
    "verify",
]

AnyPath = Union[str, "os.PathLike[str]"]

# How often a run is looked at, in seconds.
_LOOK = 0.1


class Progress(NamedTuple):
    """How far a step has come."""

    step: str
    tasks_done: int
    tasks: int
    files: int
    bytes: int


class Manifest(dict[str, Any]):
    """The manifest of a data set: `funnel`, `totals`, `files`, `config`, `fingerprint`, …"""

    def __init__(self, values: Mapping[str, Any], out: AnyPath, was_done: bool) -> None:
        super().__init__(values)
        #: Where the data set is; in an object store, its URI.
        self.folder = out if "://" in str(out) else Path(out)
        #: Whether it was there already, so that nothing had to be done.
        self.was_done = was_done


def run(
    recipe: AnyPath,
    out: AnyPath,
    *,
    memory: str | int | None = None,
    threads: int | None = None,
    scratch: AnyPath | None = None,
    scratch_budget: str | int | None = None,
    batch_rows: int | None = None,
    sample: str | None = None,
    cache: AnyPath | None = None,
    set: Mapping[str, Any] | None = None,
    replace: bool = False,
    update: bool = False,
    progress: bool | Callable[[Progress], object] = True,
) -> Manifest:
    """Runs a recipe into the folder `out`, or finishes what an earlier run began there.

    Arguments are those of `stackmill run`: sizes as `"4G"` or bytes, `set={"near.threshold": 0.8}`. `progress` is a
    function that is told how far each step has come; `True` writes a line a step to `sys.stderr`.

    Control-C lets the tasks under way finish, and then raises `Interrupted`; a second one ends them at their next
    batch. The same call again resumes.
    """
    options = {
        "out": out,
        "memory": memory,
        "threads": threads,
        "scratch": scratch,
        "scratch-budget": scratch_budget,
        "batch-rows": batch_rows,
        "replace": replace,
        **_source(sample, cache, update),
    }
    arguments = _arguments("run", [recipe], options, set)
    manifest, was_done = _watched(arguments, _reporter(progress))
    return Manifest(json.loads(manifest), out, was_done)


def plan(
    recipe: AnyPath,
    *,
    out: AnyPath | None = None,
    sample: str | None = None,
    cache: AnyPath | None = None,
    set: Mapping[str, Any] | None = None,
    update: bool = False,
) -> dict[str, Any]:
    """What a run would do: `repositories`, `bytes`, `passes` with stages and tasks, `config`. Nothing runs."""
    options = {"out": out, "json": True, **_source(sample, cache, update)}
    return _facts("plan", [recipe], options, set)


def check(recipe: AnyPath, *, set: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The recipe with every default filled in; `ConfigError` where it makes no sense. Sources are not touched."""
    return _facts("check", [recipe], {"json": True}, set)


def explain(what: AnyPath, file: str | None = None) -> Any:
    """A rule (`name`, `documentation`, `defaults`), or every ledger row of `file`, as `REPO:PATH`, of a data set."""
    return _printed("explain", [what] if file is None else [what, file], {"json": True})


def verify(folder: AnyPath) -> dict[str, Any]:
    """Hashes every file of a data set again; raises `InputError` where one is not what was published."""
    return _facts("verify", [folder], {"json": True})


def status(folder: AnyPath, *, scratch: AnyPath | None = None) -> dict[str, Any]:
    """How far a run has come: `complete`, and what is done."""
    return _facts("status", [folder], {"scratch": scratch, "json": True})


def list_rules() -> list[dict[str, Any]]:
    """All rules in running order: `name`, `summary`, `needs`, `defaults`."""
    return _rows("list", ["rules"], {"json": True})


def list_benchmarks() -> list[dict[str, Any]]:
    """All benchmarks that can be read: `name`, `title`, and whether a `pack` ships."""
    return _rows("list", ["benchmarks"], {"json": True})


def _source(sample: str | None, cache: AnyPath | None, update: bool) -> dict[str, Any]:
    return {"sample": sample, "cache": cache, "update": update}


def _printed(command: str, words: list[Any], options: Mapping[str, Any], set: Mapping[str, Any] | None = None) -> Any:
    return json.loads(_stackmill.command(_arguments(command, words, options, set)))


def _facts(
    command: str, words: list[Any], options: Mapping[str, Any], set: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    facts: dict[str, Any] = _printed(command, words, options, set)
    return facts


def _rows(command: str, words: list[Any], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _printed(command, words, options)
    return rows


def _arguments(command: str, words: list[Any], options: Mapping[str, Any], set: Mapping[str, Any] | None) -> list[str]:
    arguments = ["stackmill", command]
    for name, value in options.items():
        if value is True:
            arguments.append(f"--{name}")
        elif value is not None and value is not False:
            arguments.append(f"--{name}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    arguments += [f"--set={change}" for change in changes(set)]
    return [*arguments, "--", *(os.fspath(word) for word in words)]


def changes(set: Mapping[str, Any] | None, above: str = "") -> list[str]:
    """Changes of settings as the command line has them, `stage.key=value`; a mapping is a table of settings."""
    found: list[str] = []
    for key, value in (set or {}).items():
        if isinstance(value, Mapping):
            found += changes(value, f"{above}{key}.")
        else:
            # JSON's scalars and lists are TOML's.
            found.append(f"{above}{key}={json.dumps(value, ensure_ascii=False)}")
    return found


def _watched(arguments: list[str], report: Callable[[list[Progress]], None]) -> tuple[str, bool]:
    """Runs in a thread of its own, so that this one can be interrupted, and can tell how far the run has come."""
    watch = _stackmill.Watch()
    ended: list[tuple[str, bool]] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            ended.append(_stackmill.run(arguments, watch))
        except BaseException as error:  # whatever it is belongs to the caller
            failed.append(error)

    thread = threading.Thread(target=work, name="stackmill-run", daemon=True)
    thread.start()
    interrupts = 0
    while thread.is_alive():
        try:
            thread.join(_LOOK)
            report(_steps(watch))
        except KeyboardInterrupt:
            interrupts += 1
            watch.stop(interrupts > 1)
            if interrupts > 2:
                raise
        except BaseException:
            watch.stop(True)
            thread.join()
            raise
    if failed:
        raise failed[0]
    if interrupts:  # it came too late for the run, which is done; not for the caller
        raise KeyboardInterrupt
    report(_steps(watch))
    return ended[0]


def _steps(watch: _stackmill.Watch) -> list[Progress]:
    return [Progress(step, *counts) for step, counts in watch.steps()]


def _reporter(progress: bool | Callable[[Progress], object]) -> Callable[[list[Progress]], None]:
    """Tells only what has changed since the last look."""
    if progress is False:
        return lambda _: None
    told: dict[str, Progress] = {}

    def report(steps: list[Progress]) -> None:
        for step in steps:
            before, told[step.step] = told.get(step.step), step
            if step == before:
                continue
            if callable(progress):
                progress(step)
            elif step.tasks_done == step.tasks and (before is None or before.tasks_done != step.tasks):
                print(f"{step.step:<14} {step.tasks} tasks", file=sys.stderr)

    return report

"""Runs, commands and the console script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest
from conftest import CONSOLE_SCRIPT, PROGRAM

import stackmill

# One file a task and one thread: there is always something left to interrupt.
SLOW = {"threads": 1, "memory": "1G", "set": {"run.task-bytes": 1}}
MANY = 250


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A recipe of many files: a run is looked at ten times a second, and has to last on a busy machine."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "in").mkdir()
    for number in range(MANY):
        (folder / "in" / f"{number}.py").write_text(f"def f{number}():\n    return {number}\n")
    recipe = folder / "recipe.toml"
    recipe.write_text('name = "many"\n[[source]]\ndirectory = "in"\n[near]\n')
    return recipe


def files_of(manifest):
    return {file["path"]: file["sha256"] for file in manifest["files"]}


def published(corpus):
    return json.loads((corpus.out / "manifest.json").read_text())


def test_a_run_publishes_what_the_binary_publishes(corpus, tmp_path):
    seen = []
    manifest = stackmill.run(corpus.recipe, tmp_path / "out", threads=2, memory="2G", progress=seen.append)
    theirs = published(corpus)
    assert files_of(manifest) == files_of(theirs)
    assert dict(manifest) == theirs
    assert (manifest.folder, manifest.was_done) == (tmp_path / "out", False)
    steps = list(dict.fromkeys(progress.step for progress in seen))
    assert steps[0] == "list" and steps[-1] == "ledger" and "content" in steps
    last = {progress.step: progress for progress in seen}
    assert all(progress.tasks_done == progress.tasks for progress in last.values())
    assert last["list"].files == manifest["totals"]["listed"]
    again = stackmill.run(corpus.recipe, tmp_path / "out", memory="2G", progress=False)
    assert again.was_done and again == manifest


def test_true_progress_is_a_line_a_step(corpus, tmp_path, capfd):
    stackmill.run(corpus.recipe, tmp_path / "out", memory="2G", set={"near.threshold": 0.9})
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.split()[0] for line in err.splitlines()][:3] == ["list", "keys", "exact"]


def test_commands_give_what_the_binary_prints(corpus):
    def printed(*words):
        return json.loads(subprocess.run([PROGRAM, *words, "--json"], check=True, capture_output=True).stdout)

    assert stackmill.plan(corpus.recipe) == printed("plan", corpus.recipe)
    assert stackmill.check(corpus.recipe) == printed("check", corpus.recipe)
    changed = stackmill.check(
        corpus.recipe, set={"near": {"threshold": 0.9}, "near.ngram": 7, "name": "caf\u00e9 \U0001f41f"}
    )
    assert (changed["near"]["threshold"], changed["near"]["ngram"], changed["name"]) == (0.9, 7, "caf\u00e9 \U0001f41f")
    assert stackmill.verify(corpus.out) == printed("verify", corpus.out)
    assert stackmill.status(corpus.out) == printed("status", corpus.out)
    assert stackmill.explain("line-max") == printed("explain", "line-max")
    assert stackmill.explain(corpus.out, "corpus:leak.py")[0]["stage"] == "decontaminate"
    assert stackmill.list_rules() == printed("list", "rules")
    assert stackmill.list_benchmarks() == printed("list", "benchmarks")
    assert stackmill.Recipe(corpus.recipe).config == stackmill.check(corpus.recipe)


def test_a_refused_folder_is_an_exception(corpus):
    with pytest.raises(stackmill.Error) as raised:
        stackmill.run(corpus.recipe, corpus.out, memory="2G", set={"near.threshold": 0.9}, progress=False)
    assert "--replace" in raised.value.hint
    with pytest.raises(stackmill.ResourceError, match="--memory"):
        stackmill.run(corpus.recipe, corpus.out, memory="1M", progress=False)


@pytest.fixture
def handler():
    """Python's own handler: in the background, shells let programs start with signals ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_control_c_ends_a_run_that_can_be_resumed(many, tmp_path, handler):
    pressed = []

    def press(progress):
        if not pressed:
            pressed.append(progress)
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "out"
    with pytest.raises(stackmill.Interrupted) as raised:
        stackmill.run(many, out, progress=press, **SLOW)
    assert isinstance(raised.value, KeyboardInterrupt)
    assert (raised.value.kind, raised.value.exit_code) == ("interrupted", 130)
    assert stackmill.status(out)["complete"] is False
    assert signal.getsignal(signal.SIGINT) is handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
        time.sleep(1)
    manifest = stackmill.run(many, out, progress=False, **SLOW)
    assert manifest["totals"]["kept"] == MANY


def test_an_exception_of_the_callback_ends_the_run(many, tmp_path):
    def fail(progress):
        raise ZeroDivisionError(progress.step)

    with pytest.raises(ZeroDivisionError):
        stackmill.run(many, tmp_path / "out", progress=fail, **SLOW)
    assert not [thread for thread in threading.enumerate() if thread.name == "stackmill-run"]


def test_signals_reach_single_stages():
    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    table = pa.table({"content": [f"def f{i}():\n    return {i}\n" * 20 for i in range(100_000)]})
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Alarm):
            stackmill.tokens(table)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["check"],
        ["run"],
        ["nonsense"],
        ["check", "none.toml"],
        ["explain", "line-max"],
    ],
    ids=" ".join,
)
def test_the_console_script_is_the_binary(words):
    def ran(program):
        done = subprocess.run([*program, *words], capture_output=True)
        return done.returncode, done.stdout, done.stderr

    assert ran([CONSOLE_SCRIPT]) == ran([PROGRAM]) == ran([sys.executable, "-m", "stackmill"])


def test_the_console_script_runs_and_is_interrupted_like_the_binary(many, tmp_path):
    one_a_task = [many, "--threads", "1", "--memory", "1G", "--set", "run.task-bytes=1"]
    for program in (PROGRAM, CONSOLE_SCRIPT):
        out = tmp_path / program.parent.name
        process = subprocess.Popen(
            [program, "run", *one_a_task, "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while not list(out.glob(".work/done/content-*")):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 130
        assert "interrupted: finishing the tasks under way" in said and "Traceback" not in said
    subprocess.run([CONSOLE_SCRIPT, "run", *one_a_task, "--out", out], check=True, capture_output=True)
    assert stackmill.verify(out)["troubles"] == []


def test_workers_are_started_without_the_users_environment(corpus, tmp_path):
    code = "import sys, stackmill; stackmill.run(sys.argv[1], sys.argv[2], memory='1G', progress=False)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    # What would break a worker that looked at them.
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nif 'stackmill-worker' in sys.argv: os._exit(3)\n")
    (tmp_path / "_stackmill.py").write_text("raise SystemExit(3)\n")
    subprocess.run([sys.executable, "-c", code, corpus.recipe, tmp_path / "out"], check=True, env=environment)
    assert stackmill.verify(tmp_path / "out")["fingerprint"] == published(corpus)["fingerprint"]

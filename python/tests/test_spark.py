"""Spark gives the bytes of the embedded engine, whatever is killed on the way."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest
import spark_cluster
from bad_network import BadNetwork
from conftest import ROOT, planted
from spark_cluster import kill, session, until

import stackmill

pytest.importorskip("pyspark")

STAGES = """
[[source]]
name = "crates"
archives = "crates/*.crate"
[[source]]
name = "planted"
directory = "planted"
[rules]
preset = "stack-v2"
parse-error-share = true
[near]
threshold = 0.7
[repositories]
[structural]
action = "drop"
[blocks]
action = "cut"
lines = 60
[redact]
[decontaminate]
benchmarks = ["humaneval", "mbpp"]
packs = ["benchmark.pack"]
[tokenize]
tokenizer = "cl100k_base"
sequence-length = 2048
"""


class Case(NamedTuple):
    """A recipe, and what the embedded engine makes of it."""

    recipe: Path
    out: Path

    @property
    def bytes(self) -> dict[str, int]:
        """Of each stage, as `run.json` counts them."""
        return {name: cost["bytes"] for name, cost in read(self.out / "run.json")["stages"].items()}


def read(path: Path):
    return json.loads(path.read_text())


def sha256(out: Path) -> str:
    return hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()


def crates(to: Path, count: int) -> None:
    """The smaller ones of the crates that building this repository downloaded, by name."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    found = sorted(home.glob("registry/cache/*/*.crate"), key=lambda path: path.name)
    small = [path for path in found if path.stat().st_size < 150_000]
    to.mkdir()
    for path in small[:count]:
        (to / path.name).write_bytes(path.read_bytes())


def case(top: Path, count: int, run: str) -> Case:
    crates(top / "crates", count)
    (top / "planted").mkdir()
    planted(top / "planted")
    (top / "benchmark.pack").write_bytes((ROOT / "examples/invented/benchmark.pack").read_bytes())
    recipe = top / "recipe.toml"
    recipe.write_text(f'name = "spark"\n[run]\n{run}\n{STAGES}')
    stackmill.run(recipe, top / "out", memory="2G", threads=2, progress=False)
    return Case(recipe, top / "out")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    made = case(tmp_path_factory.mktemp("large"), 290, "split-repositories = 20\ntask-bytes = 4_000_000")
    manifest = read(made.out / "manifest.json")
    assert manifest["totals"]["listed"] >= 5000
    taken = {row["stage"] for row in manifest["funnel"] if row["dropped"]}
    assert taken >= {"exact", "near", "decontaminate"} and manifest["totals"]["sequences"]
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    made = case(tmp_path_factory.mktemp("small"), 45, "split-repositories = 12\ntask-bytes = 1_000_000")
    assert read(made.out / "manifest.json")["totals"]["listed"] >= 1000
    return made


@pytest.fixture(scope="module")
def local():
    made = session("local[2]")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = spark_cluster.Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


def on_spark(spark, recipe, out, **more):
    from stackmill import spark as engine

    return engine.run(spark, recipe, out, **{"progress": False, **more})


def test_a_run_on_spark_has_the_bytes_of_an_embedded_one(large, local, tmp_path):
    said = []
    manifest = on_spark(local, large.recipe, tmp_path / "out", progress=said.append)
    assert sha256(tmp_path / "out") == sha256(large.out)
    assert (dict(manifest), manifest.was_done) == (read(large.out / "manifest.json"), False)
    assert stackmill.verify(tmp_path / "out")["troubles"] == []
    assert Case(large.recipe, tmp_path / "out").bytes == large.bytes
    assert read(tmp_path / "out/run.json")["engine"] == "spark"
    assert said[0].startswith("list ") and not (tmp_path / "out/.work").exists()
    assert local.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch") == "10000"
    assert on_spark(local, large.recipe, tmp_path / "out").was_done


def test_edges_that_do_not_fit_one_task_are_shared_out(small, local, tmp_path):
    few = {"near.edges-at-once": 100}
    stackmill.run(small.recipe, tmp_path / "embedded", memory="2G", threads=2, set=few, progress=False)
    said = []
    on_spark(local, small.recipe, tmp_path / "out", set=few, progress=said.append)
    assert any(line.startswith("near-star-2 ") for line in said), said
    assert sha256(tmp_path / "out") == sha256(tmp_path / "embedded")


def test_no_rows_to_carry_are_carried_too(local, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "recipe.toml").write_text('name = "few"\n[[source]]\ndirectory = "in"\n[exact]\n[near]\n[tokenize]\n')
    for files in [{"empty.py": ""}, {"one.py": "def one():\n    return 1\n"}]:
        for name, text in files.items():
            (tmp_path / "in" / name).write_text(text)
        for engine, run in [("embedded", stackmill.run), ("spark", lambda *a, **o: on_spark(local, *a, **o))]:
            run(tmp_path / "recipe.toml", tmp_path / engine, progress=False, replace=True, update=True)
        assert sha256(tmp_path / "spark") == sha256(tmp_path / "embedded")


def test_older_sparks_send_rows_to_the_same_partitions(local, monkeypatch):
    from pyspark.sql import DataFrame

    from stackmill import _sessions

    rows = local.range(0, 300, 1, 5).selectExpr("cast(id * id % 7 as int) as part", "id")

    def placed():
        frame = _sessions.carried(rows, 9, "part")
        return {tuple(row) for row in frame.selectExpr("spark_partition_id()", "part", "id").collect()}

    expected = placed()
    assert all(place == part for place, part, _ in expected) and len(expected) == 300
    monkeypatch.delattr(DataFrame, "repartitionById")
    assert placed() == expected
    found = _sessions.salts(local, 100)
    assert len(set(found)) == 100


def test_a_run_on_older_sparks_has_the_same_bytes(small, local, tmp_path, monkeypatch):
    from pyspark.sql import DataFrame

    monkeypatch.delattr(DataFrame, "repartitionById")
    on_spark(local, small.recipe, tmp_path / "out")
    assert sha256(tmp_path / "out") == sha256(small.out)


def test_errors_of_executors_are_ours(small, local, tmp_path):
    # The tasks find no folder to work in.
    (tmp_path / "scratch").mkdir()
    from stackmill import _stackmill
    from stackmill import spark as engine

    options = engine._options(tmp_path / "out", tmp_path / "scratch", None, None)
    arguments = engine._arguments("run", [str(small.recipe)], options, None)
    elsewhere = engine._arguments("run", [str(small.recipe)], {**options, "scratch": str(tmp_path / "none")}, None)
    with pytest.raises(stackmill.InputError, match="no run of this recipe has begun here") as raised:
        engine._drive(local, arguments, elsewhere, tmp_path / "out", lambda _: None)
    assert (raised.value.kind, raised.value.exit_code) == ("input", 4)
    assert "every worker see" in raised.value.hint and raised.value.context == (str(tmp_path / "out"),)
    assert len(str(raised.value)) < 500
    # The folder is free again although the exception, and with it the driver, is still there.
    driver, _ = _stackmill.Driver.begin(arguments)
    driver.close()


def test_the_memory_of_a_task_reaches_the_engine(small, local, tmp_path):
    with pytest.raises(stackmill.ResourceError, match="--memory is under"):
        on_spark(local, small.recipe, tmp_path / "out", memory="100M")
    on_spark(local, small.recipe, tmp_path / "out", memory="600M")
    assert read(tmp_path / "out/run.json")["memory_bytes"] == 600 << 20


def test_too_many_repositories_that_fail_are_looked_at_again(local, tmp_path):
    crates(tmp_path / "crates", 2)
    (tmp_path / "recipe.toml").write_text('name = "bad"\n[[source]]\narchives = "crates/*.crate"\n')
    broken = next((tmp_path / "crates").iterdir())
    whole = broken.read_bytes()
    stackmill.run(tmp_path / "recipe.toml", tmp_path / "embedded", progress=False)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sources.lock").write_bytes((tmp_path / "embedded/sources.lock").read_bytes())
    broken.write_bytes(whole[:100])
    for _ in range(2):
        with pytest.raises(stackmill.SourceError, match="repositor"):
            on_spark(local, tmp_path / "recipe.toml", tmp_path / "out")
    broken.write_bytes(whole)
    on_spark(local, tmp_path / "recipe.toml", tmp_path / "out")
    assert sha256(tmp_path / "out") == sha256(tmp_path / "embedded")


def submitted(program: list[object], recipe: Path, out: Path, **more) -> subprocess.Popen:
    import pyspark

    spark_cluster.java()
    settings = [f"{name} {value}\n" for name, value in spark_cluster.SETTINGS.items()]
    configuration = out.parent / "configuration"
    configuration.mkdir(exist_ok=True)
    (configuration / "spark-defaults.conf").write_text("".join(settings) + "spark.master local[2]\n")
    environment = {**os.environ, "SPARK_CONF_DIR": str(configuration), "SPARK_HOME": str(Path(pyspark.__file__).parent)}
    # Relative names, from elsewhere: executors have current folders of their own.
    words = [*program, os.path.relpath(recipe, out.parent), "--out", out.name]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": out.parent}
    return subprocess.Popen([str(word) for word in words], env=environment, **pipes, **more)


def programs() -> dict[str, list[object]]:
    import pyspark

    from stackmill import spark as engine

    submit = Path(pyspark.__file__).parent / "bin/spark-submit"
    return {"module": [sys.executable, "-m", "stackmill.spark"], "submit": [submit, engine.__file__]}


@pytest.mark.parametrize("program", ["module", "submit"])
def test_the_command_does_the_same(small, tmp_path, program):
    process = submitted(programs()[program], small.recipe, tmp_path / "out")
    said, errors = process.communicate()
    assert process.returncode == 0, errors
    totals = read(small.out / "manifest.json")["totals"]
    # `spark-submit` mixes what a program says on both of its streams.
    assert said.splitlines()[-1] == f"{totals['kept']} of {totals['listed']} files kept in out"
    assert sha256(tmp_path / "out") == sha256(small.out)


def test_the_command_says_what_is_wrong(small, tmp_path):
    process = submitted([*programs()["module"], "--set", "near.threshold=7"], small.recipe, tmp_path / "out")
    _, errors = process.communicate()
    assert process.returncode == 3 and "hint:" in errors and "Traceback" not in errors


# A file in scratch by whose appearance the moment is known.
@pytest.mark.parametrize("moment", ["done/content-*", "done/content", "done/ledger-*"])
def test_a_killed_driver_is_resumed(small, local, tmp_path, moment):
    process = submitted(programs()["module"], small.recipe, tmp_path / "out")
    until(lambda: list(tmp_path.glob(f"out/.work/{moment}")) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    kill(process.pid)
    process.communicate()
    assert not (tmp_path / "out/manifest.json").exists()
    on_spark(local, small.recipe, tmp_path / "out")
    assert sha256(tmp_path / "out") == sha256(small.out)
    assert Case(small.recipe, tmp_path / "out").bytes == small.bytes
    assert not (tmp_path / "out/.work").exists()


def test_engines_do_not_go_on_with_each_others_runs(small, local, tmp_path):
    out = tmp_path / "out"
    process = submitted(programs()["module"], small.recipe, out)
    until(lambda: list(out.glob(".work/done/content-*")) or process.poll() is not None)
    kill(process.pid)
    process.communicate()
    with pytest.raises(stackmill.ConfigError, match="another engine") as raised:
        stackmill.run(small.recipe, out, memory="2G", progress=False)
    assert "the cluster engine" in raised.value.hint and "--replace" in raised.value.hint

    words = [small.recipe, "--out", out, "--memory", "1G", "--threads", "1", "--replace"]
    program = [Path(sys.executable).with_name("stackmill"), "run", *words]
    embedded = subprocess.Popen([str(word) for word in program], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    # `--replace` deletes first.
    until(lambda: not list(out.glob(".work/done/content-*")))
    until(lambda: list(out.glob(".work/done/content-*")) or embedded.poll() is not None)
    kill(embedded.pid)
    embedded.wait()
    with pytest.raises(stackmill.ConfigError, match="another engine") as raised:
        on_spark(local, small.recipe, out)
    assert "stackmill run" in raised.value.hint
    stackmill.run(small.recipe, out, memory="2G", progress=False)
    assert sha256(out) == sha256(small.out)


def events(folder: Path, kind: str) -> list[dict]:
    """What Spark has logged of a session that has ended."""
    lines = [line for path in folder.rglob("events_*") for line in path.read_text().splitlines()]
    return [event for event in map(json.loads, lines) if event["Event"] == f"SparkListener{kind}"]


def logging(folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.executor.memory": "512m",
    }


def test_killed_workers_do_not_show(small, cluster, tmp_path):
    """In a Map, before a gather (whose rows are lost with the worker), and when the data set is being written."""
    spark = session(cluster.address, **logging(tmp_path / "log"))
    chunks = len(list((small.out / "corpus").iterdir()))
    early: list[bool] = []
    for number, (wanted, few) in enumerate([("content-*", 3), ("content-*", chunks), ("ledger-*", 1)]):
        out, lost = tmp_path / f"out-{number}", threading.Event()

        def lose(out=out, wanted=wanted, few=few, lost=lost):
            until(lambda: len(list(out.glob(f".work/done/{wanted}"))) >= few)
            early.append(not list(out.glob(".work/done/near-attach-*")))
            cluster.lose(-3)
            lost.set()

        killer = threading.Thread(target=lose)
        killer.start()
        on_spark(spark, small.recipe, out)
        killer.join()
        assert lost.is_set()
        assert sha256(out) == sha256(small.out), wanted
        assert Case(small.recipe, out).bytes == small.bytes
        cluster.add()
    spark.stop()
    assert early[:2] == [True, True]
    assert len(events(tmp_path / "log", "ExecutorRemoved")) >= 3
    failed = [event["Task End Reason"]["Reason"] for event in events(tmp_path / "log", "TaskEnd")]
    assert "ExecutorLostFailure" in failed and {"FetchFailed", "Resubmitted"} & set(failed)


def test_second_attempts_at_the_same_time_do_not_show(small, cluster, tmp_path):
    eager = {
        "spark.speculation": "true",
        "spark.speculation.interval": "5ms",
        "spark.speculation.multiplier": "1.0",
        "spark.speculation.quantile": "0.01",
        "spark.speculation.minTaskRuntime": "0ms",
    }
    spark = session(cluster.address, **logging(tmp_path / "log"), **eager)
    out = tmp_path / "out"
    on_spark(spark, small.recipe, out)
    assert sha256(out) == sha256(small.out)
    assert Case(small.recipe, out).bytes == small.bytes
    spark.stop()
    assert not (out / ".work").exists()
    second = [event for event in events(tmp_path / "log", "TaskStart") if event["Task Info"]["Speculative"]]
    assert len(second) >= 5


def test_places_are_absolute_and_stay_in_their_store(tmp_path, monkeypatch):
    from stackmill import spark as engine

    monkeypatch.chdir(tmp_path)
    places = engine._options("s3://bucket/corpus", "scratch", None, None)
    assert (places["out"], places["scratch"]) == ("s3://bucket/corpus", str(tmp_path / "scratch"))


@pytest.fixture
def store(monkeypatch):
    """A local S3 server with an empty bucket; what everybody has to know of it is in the environment."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    known = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    known |= {"AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true"}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT"))
    yield known
    server.stop()


def test_the_data_set_may_be_in_a_store(small, store, tmp_path):
    from stackmill import spark as engine

    # Executors of a cluster have an environment of their own; these are threads of a JVM that has begun already.
    spark = session("local[2]", **{f"spark.executorEnv.{name}": value for name, value in store.items()})
    made = engine.run(spark, small.recipe, "s3://bucket/corpus", progress=False)
    beside = engine.run(spark, small.recipe, "s3://bucket/other", scratch="s3://bucket/scratch", progress=False)
    spark.stop()
    assert made == beside == read(small.out / "manifest.json")
    assert stackmill.verify("s3://bucket/corpus")["troubles"] == []
    listed = urllib.request.urlopen(f"{store['AWS_ENDPOINT_URL']}/bucket?list-type=2").read().decode()
    assert "corpus/manifest.json" in listed and ".work/" not in listed and "<Key>scratch" not in listed


def test_a_bad_network_does_not_show(small, store, monkeypatch):
    """Executors share nothing but a store that refuses, hangs up and loses answers."""
    from stackmill import spark as engine

    network = BadNetwork(store["AWS_ENDPOINT_URL"], every=11)
    known = {"AWS_ENDPOINT_URL": network.address, "STACKMILL_STORE_ATTEMPTS": "6"}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    spark = session("local[2]", **{f"spark.executorEnv.{name}": value for name, value in (store | known).items()})
    made = engine.run(spark, small.recipe, "s3://bucket/rough", progress=False)
    spark.stop()
    network.close()
    assert made == read(small.out / "manifest.json")
    assert min(network.met.values()) > 5, network.met
    monkeypatch.setenv("AWS_ENDPOINT_URL", store["AWS_ENDPOINT_URL"])
    assert stackmill.verify("s3://bucket/rough")["troubles"] == []


def test_errors_that_stay_are_not_tried_again(tmp_path):
    """Four attempts are allowed, and one is made."""
    crates(tmp_path / "crates", 4)
    (tmp_path / "recipe.toml").write_text('name = "x"\n[[source]]\narchives = "crates/*.crate"\n[exact]\n')
    spark = session("local[2,4]")
    out, work = tmp_path / "out", tmp_path / "out/.work"

    def spoil(line):
        # What the next steps read is not what the listing wrote.
        for table in work.glob("listing/*"):
            table.write_bytes(table.read_bytes()[:-1])

    with pytest.raises(stackmill.InputError, match="scratch is damaged") as raised:
        on_spark(spark, tmp_path / "recipe.toml", out, progress=spoil)
    assert raised.value.hint and any("step `keys`" in place for place in raised.value.context)
    tracker = spark.sparkContext.statusTracker()
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup()]
    stages = [tracker.getStageInfo(number) for job in jobs for number in job.stageIds]
    assert stages and sum(stage.numFailedTasks for stage in stages if stage) == 0
    manifest = on_spark(spark, tmp_path / "recipe.toml", out, replace=True)
    assert manifest["totals"]["listed"]
    spark.stop()

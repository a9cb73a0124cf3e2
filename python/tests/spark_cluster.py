"""Spark for tests: a session, and a standalone cluster of processes on loopback that can be killed one by one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

# What every session of the tests has: nothing is shown, nothing listens but on loopback.
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "3",
    "spark.driver.memory": "1g",
}
# Seconds after which something that should have happened has not.
PATIENCE = 120


def java() -> None:
    """Skips where there is no Java; sees to it that Spark's processes find what they need."""
    home = os.environ.get("JAVA_HOME")
    found = Path(home, "bin/java").exists() if home else shutil.which("java")
    if not found:
        pytest.skip("Spark needs Java 17: neither JAVA_HOME nor PATH leads to one")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"


def session(master: str, **more: str):
    """A new session; the one before it ends."""
    from pyspark.sql import SparkSession

    java()
    running = SparkSession.getActiveSession()
    if running is not None:
        running.stop()
    builder = SparkSession.builder.master(master).appName("stackmill-tests")
    for name, value in {**SETTINGS, **more}.items():
        builder = builder.config(name, value)
    handler = signal.getsignal(signal.SIGINT)
    made = builder.getOrCreate()
    # Spark's own outlives the session, and then fails.
    signal.signal(signal.SIGINT, handler)
    made.sparkContext.setLogLevel("OFF")
    return made


def until(come: Callable[[], object]) -> None:
    """Waits for something that can be seen."""
    since = time.monotonic()
    while not come():
        assert time.monotonic() - since < PATIENCE, "it never came so far"
        time.sleep(0.002)


def tree(pid: int) -> list[int]:
    """A process and all below it, by `/proc`."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            found += tree(int(child))
    return found


def kill(pid: int) -> None:
    """Kills a process and all below it, by their ids."""
    for one in tree(pid):
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Cluster:
    """A master and workers of one core. Each worker has an address of its own: Spark takes them for machines."""

    def __init__(self, folder: Path) -> None:
        java()
        self.folder = folder
        self.port = free_port()
        self.address = f"spark://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.started = 0
        words = ["--host", "127.0.0.1", "--port", str(self.port), "--webui-port", "0"]
        self.master = self._start("org.apache.spark.deploy.master.Master", words, "127.0.0.1")
        until(lambda: b"I have been elected leader" in self._log(0) or self.master.poll() is not None)
        for _ in range(3):
            self.add()

    def add(self) -> None:
        """One more worker, registered with the master."""
        host = f"127.0.0.{2 + len(self.workers)}"
        words = ["--host", host, "--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir"]
        number = self.started
        words += [str(self.folder / f"work-{number}"), self.address]
        self.workers.append(self._start("org.apache.spark.deploy.worker.Worker", words, host))
        until(lambda: b"Successfully registered with master" in self._log(number))

    def lose(self, which: int) -> None:
        """Kills a worker with its executor and their Pythons."""
        kill(self.workers[which].pid)
        self.workers[which].wait()

    def close(self) -> None:
        """Ends all processes."""
        for process in [*self.workers, self.master]:
            if process.poll() is None:
                kill(process.pid)
                process.wait()

    def _start(self, main: str, words: list[str], host: str) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": host, "SPARK_DAEMON_MEMORY": "256m"}
        log = open(self.folder / f"log-{self.started}", "wb")
        self.started += 1
        with log:
            return subprocess.Popen(
                [home / "bin/spark-class", main, *words], env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def _log(self, number: int) -> bytes:
        return (self.folder / f"log-{number}").read_bytes()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""A broker and a cluster for one test session: on free ports, their data in a temporary folder."""

import asyncio
import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psutil

from lianhu_tools import processes
from lianhu_tools.stores import jars, places, topics
from lianhu_tools.stores.kafka import Broker
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.stores.server import Server, Urls

ROOT = Path(__file__).resolve().parents[2]
_PREFIX = "lianhu-test-"
START_SECONDS = 90.0
TRIES = 3
TOPICS = ROOT / "shared" / "contracts" / "topics.yaml"
Answer = TypeVar("Answer")


def elsewhere(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs async work on a loop and thread of its own, so that a running loop is left alone."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


def temporary_folder() -> Path:
    """A folder that goes with the session, within reach of the user who runs PostgreSQL.

    Its name carries the session's process, so that the next session finds what a killed one left behind.
    """
    base = Path(tempfile.gettempdir())
    for left in base.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)) and left.stat().st_uid == os.geteuid():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def settled(
    start: Callable[[], "subprocess.Popen[bytes]"], port: Callable[[], int], log: Path
) -> "subprocess.Popen[bytes]":
    """Starts a store until it listens: a port that was free a moment ago may by now be somebody else's."""
    for _ in range(TRIES):
        process, number = start(), port()
        processes.wait_for(
            lambda at=number, of=process: processes.listens(at) or of.poll() is not None,  # type: ignore[misc]
            seconds=START_SECONDS,
        )
        if process.poll() is None:
            return process
    raise RuntimeError(f"the store did not start; the end of {log}:\n{processes.last_lines(log)}")


class Kafka:
    """A broker for one session, wherever it runs."""

    bootstrap: str

    def start(self) -> None:
        """Starts the broker again, on the same port and with the data it had."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it as a crash would."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends it for good; its data are of no use to anyone."""
        raise NotImplementedError

    def make_topics(self) -> None:
        """Creates the declared topics, waiting for the broker."""
        elsewhere(topics.create(self.bootstrap, topics.declared(TOPICS)))


class Postgres:
    """A PostgreSQL server for one session, wherever it runs."""

    cluster: Server

    def create(self, service: str) -> Urls:
        """A fresh, empty database of a service with its three roles. Nothing is migrated."""
        return elsewhere(self.cluster.create(service, f"{service}_{secrets.token_hex(4)}"))

    def start(self) -> None:
        """Starts the server again unless it runs, on the same port and with the data it had."""
        raise NotImplementedError

    def kill(self) -> None:
        """Ends it as a crash would."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends it for good."""
        raise NotImplementedError


class LocalKafka(Kafka):
    """The real broker of the local system, with nothing kept."""

    def __init__(self) -> None:
        self._folder = temporary_folder() / "kafka"
        self._jars = jars.ensure_jars(ROOT / ".lianhu" / "kafka" / "jars")
        self.log = self._folder / "broker.log"
        settled(self._start_elsewhere, lambda: self.broker.port, self.log)

    def _start_elsewhere(self) -> "subprocess.Popen[bytes]":
        self.broker = Broker(self._jars, self._folder, processes.free_port(), processes.free_port())
        self.bootstrap = self.broker.bootstrap
        self.broker.prepare()
        self.start()
        return self.process

    def start(self) -> None:
        """Starts the broker again, on the same port and with the data it had."""
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                self.broker.command(), directory=self.broker.directory, output=log, end_with=signal.SIGKILL
            )

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends it for good; its data are of no use to anyone."""
        self.kill()


class LocalPostgres(Postgres):
    """The real cluster of the local system, without the wait for the disk."""

    cluster: Cluster

    def __init__(self) -> None:
        folder = temporary_folder()
        self._home = folder / "postgres"
        self.log = folder / "postgres.log"
        settled(self._start_elsewhere, lambda: self.cluster.port, self.log)
        elsewhere(self.cluster.answer())

    def _start_elsewhere(self) -> "subprocess.Popen[bytes]":
        self.cluster = places.settle(self._home, port=processes.free_port(), durable=False)
        self.cluster.prepare()
        self._spawn()
        return self.process

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                self.cluster.command(),
                directory=Path("/"),
                output=log,
                account=self.cluster.account,
                end_with=signal.SIGQUIT,
            )

    def start(self) -> None:
        """Starts the server again unless it runs, on the same port and with the data it had."""
        if self.process.poll() is not None:
            self._spawn()

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends it for good."""
        processes.end(self.process, ask=signal.SIGQUIT)
        places.forget(self._home)

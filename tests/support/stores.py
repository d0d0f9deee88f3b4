"""A broker and a cluster for one test session: on free ports, their data in a temporary folder."""

import asyncio
import atexit
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lianhu_tools import processes
from lianhu_tools.stores import jars, places, topics
from lianhu_tools.stores.kafka import Broker
from lianhu_tools.stores.postgres import Cluster, Urls

ROOT = Path(__file__).resolve().parents[2]
TOPICS = ROOT / "shared" / "contracts" / "topics.yaml"
Answer = TypeVar("Answer")


def elsewhere(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs async work on a loop and thread of its own, so that a running loop is left alone."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


def temporary_folder() -> Path:
    """A folder that is removed at the end of the session, within reach of the user who runs PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="lianhu-test-"))
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class LocalKafka:
    """The real broker of the local system, with nothing kept."""

    def __init__(self) -> None:
        folder = temporary_folder() / "kafka"
        ready = jars.ensure_jars(ROOT / ".lianhu" / "kafka" / "jars")
        self.broker = Broker(ready, folder, processes.free_port(), processes.free_port())
        self.broker.prepare()
        self.log = folder / "broker.log"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the broker, or starts it again on the same port with the data it had."""
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                self.broker.command(), directory=self.broker.directory, output=log, end_with=signal.SIGKILL
            )
        return self.process

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return self.broker.bootstrap

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait()

    def make_topics(self) -> None:
        """Creates the declared topics, waiting for the broker."""
        elsewhere(topics.create(self.bootstrap, topics.declared(TOPICS)))

    def close(self) -> None:
        """Ends it for good; its data are of no use to anyone."""
        self.kill()


class LocalPostgres:
    """The real cluster of the local system, without the wait for the disk."""

    def __init__(self) -> None:
        folder = temporary_folder()
        self.home = folder / "postgres"
        self.cluster: Cluster = places.settle(self.home, port=processes.free_port(), durable=False)
        self.cluster.prepare()
        self.log = folder / "postgres.log"
        self.process = self.start()
        elsewhere(self.cluster.answer())

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the server, or starts it again on the same port with the data it had."""
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                self.cluster.command(),
                directory=Path("/"),
                output=log,
                account=self.cluster.account,
                end_with=signal.SIGQUIT,
            )
        return self.process

    def create(self, service: str) -> Urls:
        """A fresh, empty database of a service with its three roles. Nothing is migrated."""
        return elsewhere(self.cluster.create(service, f"{service}_{secrets.token_hex(4)}"))

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends it for good."""
        processes.end(self.process, ask=signal.SIGQUIT)
        places.forget(self.home)

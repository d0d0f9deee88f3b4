"""The whole local system for one test session: beside whatever else is up, on ports and in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
from confluent_kafka import Consumer, Message, TopicPartition

from lianhu_kit.tokens import Grant, sign
from lianhu_tools import processes
from lianhu_tools.keys import ISSUER
from lianhu_tools.topology import SERVICES, Topology
from support.stores import ROOT

START_SECONDS = 240.0


def free_base(first: int = 21_000) -> int:
    """A base from `first` on whose ports are free, below those that connections going out are given (32768)."""
    for base in range(first, 32_000, 200):
        if all(not processes.listens(base + offset) for offset in (0, 1, 2, 3, 4, 11, 12, 13, 14, 32, 92, 93)):
            return base
    raise AssertionError("no free ports")


class System:
    """A running system: its addresses, its processes, its events, and tokens for it."""

    def __init__(self, folder: Path, base: int) -> None:
        self.root = folder
        (folder / "shared").symlink_to(ROOT / "shared")
        (folder / ".lianhu" / "kafka").mkdir(parents=True)
        (ROOT / ".lianhu" / "kafka" / "jars").mkdir(parents=True, exist_ok=True)
        (folder / ".lianhu" / "kafka" / "jars").symlink_to(ROOT / ".lianhu" / "kafka" / "jars")
        self.environment = {**os.environ, "LIANHU_PORT_BASE": str(base), "LIANHU_ROOT": str(folder)}
        self.base = base
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def topology(self) -> Topology:
        """Ports, addresses and files."""
        return Topology(self.root, self.base, {k: v for k, v in self.environment.items() if not k.startswith("MAKE")})

    def lianhu(self, *arguments: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Runs the `lianhu` command against this system."""
        return subprocess.run(
            [sys.executable, "-m", "lianhu_tools", *arguments],
            env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def up(self) -> None:
        """Starts everything and waits until all of it is ready."""
        done = self.lianhu("up", seconds=START_SECONDS)
        assert done.returncode == 0, f"up failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    def down(self) -> None:
        """Ends everything."""
        done = self.lianhu("down", seconds=60)
        assert done.returncode == 0, f"down failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

    def url(self, service: str) -> str:
        """A service's own address."""
        return self.topology.api_url(service)

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return self.topology.kafka_bootstrap

    def pids(self) -> dict[str, Any]:
        """What runs now, as `.lianhu/pids.json` says."""
        for _ in range(50):
            try:
                found: dict[str, Any] = json.loads((self.root / ".lianhu" / "pids.json").read_text())
                return found
            except (FileNotFoundError, ValueError):
                time.sleep(0.1)
        raise AssertionError("no pids.json")

    def pid(self, name: str, role: str | None = None) -> int:
        """The process of a service's role, or of a store; waits for it to be there."""
        for _ in range(300):
            entry = self.pids().get(name)
            found = entry.get(role) if isinstance(entry, dict) and role else entry
            if isinstance(found, list) and found and psutil.pid_exists(found[0]):
                return int(found[0])
            time.sleep(0.1)
        raise AssertionError(f"{name} {role or ''} does not run")

    def kill(self, name: str, role: str | None = None) -> int:
        """Ends a process as a crash would, waits until another one stands in its place, and answers its id."""
        pid = self.pid(name, role)
        os.kill(pid, signal.SIGKILL)
        for _ in range(600):
            if (fresh := self.pid(name, role)) != pid:
                return fresh
            time.sleep(0.05)
        raise AssertionError(f"{name} {role or ''} was not started again")

    def ready(self, service: str, role: str = "api", seconds: float = 60) -> None:
        """Waits until a process says that it is ready."""
        port = self.topology.api_port(service) if role == "api" else self.topology.worker_port(service)
        deadline = time.monotonic() + seconds
        last = "never asked"
        while time.monotonic() < deadline:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=3, trust_env=False)
                if answer.status_code == 200:
                    return
                last = answer.text
            except httpx.HTTPError as error:
                last = type(error).__name__
            time.sleep(0.1)
        raise AssertionError(f"{service} {role} is not ready: {last}")

    def all_ready(self, seconds: float = 60) -> None:
        """Waits until every process of every service is ready, at most so long for each."""
        for service in SERVICES:
            self.ready(service, "api", seconds)
            self.ready(service, "worker", seconds)

    def token(self, *roles: tuple[str, str], person: UUID | str | None = None) -> str:
        """An access token of the local system for one person with these roles."""
        key = min(self.topology.keys.glob("*.pem"))
        grants = [Grant(role, at) for role, at in roles]
        return sign(key.read_text(), key.stem, issuer=ISSUER, person=UUID(str(person or uuid4())), roles=grants)

    def bearer(self, role: str, at: str, person: UUID | str | None = None) -> dict[str, str]:
        """The header for one role at one place."""
        return {"Authorization": f"Bearer {self.token((role, at), person=person)}"}

    def events(self, topics: Sequence[str]) -> list[Message]:
        """Everything on these topics from the beginning to the end, read by an outside client."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"outside-{uuid4()}",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        try:
            partitions = [
                TopicPartition(name, partition, 0)
                for name in topics
                for partition in consumer.list_topics(name, timeout=10).topics[name].partitions
            ]
            consumer.assign(partitions)
            open_ends = {(partition.topic, partition.partition) for partition in partitions}
            messages: list[Message] = []
            deadline = time.monotonic() + 60
            while open_ends and time.monotonic() < deadline:
                for message in consumer.consume(1000, timeout=1):
                    if message.error() is None:
                        messages.append(message)
                    else:
                        open_ends.discard((message.topic(), message.partition()))
            assert not open_ends, f"not read to the end: {open_ends}"
            return messages
        finally:
            consumer.close()

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every log of every process, by file name."""
        for file in sorted((self.root / ".lianhu" / "logs").rglob("*")):
            if file.is_file():
                yield file.name, file.read_text(errors="replace")


def headers_of(message: Message) -> dict[str, str]:
    """A record's headers as text."""
    given: list[tuple[str, bytes]] = list(message.headers() or [])  # type: ignore[arg-type]
    return {name: value.decode() for name, value in given}


def key_of(message: Message) -> str:
    """A record's key as text."""
    key = message.key()
    return key.decode() if isinstance(key, bytes) else str(key)


def value_of(message: Message) -> str:
    """A record's value as text; empty for a tombstone."""
    value = message.value()
    return value.decode() if isinstance(value, bytes) else str(value or "")

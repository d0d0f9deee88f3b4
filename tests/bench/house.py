"""The stores and processes of one run: on free ports, everything ended with it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncpg
import httpx
import psutil

from lianhu_kit.upgrading import migrate
from lianhu_tools import processes
from lianhu_tools.stores.server import SUPERUSER, Urls
from support.people import ISSUER, token, write_key_set
from support.stores import ROOT, LocalKafka, LocalPostgres, temporary_folder

START_SECONDS = 60.0


class Process:
    """One process with a port that answers."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.name, self.process, self.port, self.log = name, process, port, log
        self.began = time.perf_counter()
        self.ready_after = 0.0

    async def ready(self, path: str = "/readyz") -> "Process":
        """Waits until it says that it is ready."""
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.perf_counter() < self.began + START_SECONDS:
                if self.process.poll() is not None:
                    break
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.port}{path}")
                    if answer.status_code == 200:
                        self.ready_after = time.perf_counter() - self.began
                        return self
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.02)
        raise RuntimeError(f"{self.name} did not start; the end of its log:\n{processes.last_lines(self.log)}")

    @property
    def megabytes(self) -> float:
        """Memory of its own, without what it shares with others."""
        memory: float = psutil.Process(self.process.pid).memory_full_info().uss / 1e6
        return memory

    def end(self) -> None:
        """Ends it."""
        processes.end(self.process)


class House:
    """A broker, a cluster, and the processes that run against them."""

    def __init__(self) -> None:
        self.folder = temporary_folder()
        self.keys = write_key_set(self.folder / "jwks.json")
        self.postgres = LocalPostgres()
        self.kafka = LocalKafka()
        self.kafka.make_topics()
        self._running: list[Process] = []

    def __enter__(self) -> "House":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_processes()
        self.kafka.close()
        self.postgres.close()

    def end_processes(self) -> None:
        """Ends every service and floor; the stores stay."""
        while self._running:
            self._running.pop().end()

    async def database(self, service: str) -> Urls:
        """A fresh, migrated database of a service."""
        urls = self.postgres.create(service)
        await asyncio.to_thread(migrate, ROOT / "services" / service / "migrations", urls.owner)
        return urls

    def empty_database(self, name: str) -> str:
        """A fresh, empty database, as its server's first user."""
        return self.all_of(self.postgres.create(name).owner)

    def all_of(self, url: str) -> str:
        """The same database under the user who sees everything."""
        return self.postgres.cluster.url(SUPERUSER, url.rsplit("/", 1)[1])

    async def connect(self, url: str) -> "asyncpg.Connection[Any]":
        """A connection that sees everything."""
        return await asyncpg.connect(self.all_of(url))

    def environment(self, service: str, role: str, url: str) -> dict[str, str]:
        """What a service's process is told; its ports are free ones."""
        prefix = service.upper()
        return {
            f"{prefix}_DATABASE_URL": url,
            f"{prefix}_PORT": str(processes.free_port()),
            f"{prefix}_WORKER_PORT": str(processes.free_port()),
            "LIANHU_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "LIANHU_AUTH_ISSUER": ISSUER,
            "LIANHU_AUTH_JWKS": str(self.keys),
            "LIANHU_STATE_DIRECTORY": str(self.folder / f"{service}-{role}"),
            "LIANHU_LOG_LEVEL": "warning",
            "LIANHU_DRAIN_SECONDS": "0",
            "REQUESTS_SIGNING_KEYS": str(self.folder / "keys"),
        }

    def python_with(self, requirements: Path) -> str:
        """A Python that has these packages and none of ours, made once under the state folder."""
        folder = ROOT / ".lianhu" / "bench" / requirements.stem
        python = folder / "bin" / "python"
        if not (folder / "made").exists():
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], check=True)
            subprocess.run([*uv, "pip", "install", "-q", "-p", str(python), "-r", str(requirements)], check=True)
            (folder / "made").touch()
        return str(python)

    async def service(self, service: str, role: str, url: str) -> Process:
        """A service's `api` or `worker`, ready, with its own settings."""
        told = self.environment(service, role, url)
        port = told[f"{service.upper()}_{'PORT' if role == 'api' else 'WORKER_PORT'}"]
        return await self._start(f"{service} {role}", [f"{service}_service", role], told, int(port))

    async def floor(self, name: str, url: str) -> Process:
        """A floor of tests/bench/floors as a process of its own, ready."""
        told = {
            "BENCH_DATABASE_URL": url,
            "BENCH_PORT": str(processes.free_port()),
            "BENCH_JWKS": str(self.keys),
            "BENCH_ISSUER": ISSUER,
            "BENCH_KAFKA": self.kafka.bootstrap,
            "PYTHONPATH": str(ROOT / "tests"),
        }
        return await self._start(name, [f"bench.floors.{name}"], told, int(told["BENCH_PORT"]))

    async def _start(self, name: str, module: list[str], told: Mapping[str, str], port: int) -> Process:
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = processes.spawn(
                [sys.executable, "-m", *module],
                directory=self.folder,
                environment={**os.environ, **told, "PYTHONSAFEPATH": "1"},
                output=output,
            )
        started = Process(name, process, port, log)
        self._running.append(started)
        return await started.ready()


def bearer(role: str, at: str, person: object = None) -> dict[str, str]:
    """The header of a token that outlives the run."""
    return {"authorization": f"Bearer {token(role, at, str(person) if person else None, lifetime=7200)}"}

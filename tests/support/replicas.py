"""More processes of a service beside the local system's own, and a round robin in front that obeys their readiness."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType

import httpx
import psutil

from lianhu_tools import processes
from support.system import System

LOOK_SECONDS = 0.1


class Replica:
    """An API or a worker with the environment of the system's own and a port of its own."""

    def __init__(self, system: System, service: str, role: str, **told: str) -> None:
        self.port = processes.free_port()
        self.name = f"{service} {role} {self.port}"
        setting = f"{service.upper()}_{'WORKER_' if role == 'worker' else ''}PORT"
        self._environment = {**psutil.Process(system.pid(service, role)).environ(), setting: str(self.port), **told}
        self._environment["LIANHU_STATE_DIRECTORY"] += f"-{self.port}"
        self._command = [sys.executable, "-m", f"{service}_service", role]
        self._log = system.topology.logs / f"{service}.{role}.{self.port}.log"
        self._root = system.root
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self, seconds: float = 60) -> None:
        """Starts it; raises with the end of its log where it does not become ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.to_thread(
                subprocess.Popen, self._command, cwd=self._root, env=self._environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + seconds
        while not await ready(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} is not ready:\n{processes.last_lines(self._log)}")
            await asyncio.sleep(LOOK_SECONDS)

    async def end(self, seconds: float = 60) -> float:
        """Asks it to end, as a supervisor would; how many seconds it took. Raises where it had to be ended."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        while self._process.poll() is None:
            assert time.monotonic() < began + seconds, f"{self.name} did not end within {seconds:.0f} s"
            await asyncio.sleep(0.02)
        took = time.monotonic() - began
        # uvicorn raises the signal once more when it is done; any other code is that of a process that hung.
        code = self._process.returncode
        assert code in (0, -signal.SIGTERM), f"{self.name} ended with {code}:\n{processes.last_lines(self._log)}"
        return took

    def kill(self) -> None:
        """Ends it as a crash would."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@asynccontextmanager
async def started(*replicas: Replica) -> AsyncIterator[None]:
    """They run, all ready, while the block does; nothing of them is left afterwards."""
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        yield
    finally:
        for replica in replicas:
            replica.kill()


async def ready(port: int) -> bool:
    """Whether the process at a port of this machine says that it is ready."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


class RoundRobin:
    """Gives each new connection to the next ready one, as a cluster's service does; knows nothing of HTTP."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = list(ports)
        self.ready: list[int] = []
        self.given: Counter[int] = Counter()
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> "RoundRobin":
        """Listens, once somebody is ready."""
        self._keep(asyncio.create_task(self._look()))
        while not self.ready:  # noqa: ASYNC110 - looking is a loop of its own
            await asyncio.sleep(LOOK_SECONDS)
        self._server = await asyncio.start_server(self._passing, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self) -> None:
        async def one(port: int) -> None:
            good = await ready(port)
            if good and port not in self.ready:
                self.ready.append(port)
            elif not good and port in self.ready:
                self.ready.remove(port)

        while True:
            await asyncio.gather(*(one(port) for port in self.ports))
            await asyncio.sleep(LOOK_SECONDS)

    async def _passing(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.create_task(self._pass(reader, writer)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._turn += 1
        port = self.ready[self._turn % len(self.ready)]
        self.given[port] += 1
        try:
            behind, before = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        ways = [asyncio.create_task(_pump(reader, before)), asyncio.create_task(_pump(behind, writer))]
        try:
            await asyncio.wait(ways)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, before):
                end.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await source.read(65_536):
            sink.write(part)
            await sink.drain()
        sink.close()


async def ended(pid: int, seconds: float = 60) -> float:
    """Asks a process that somebody else keeps to end; how many seconds it took."""
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < began + seconds, f"process {pid} did not end within {seconds:.0f} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def told(figures: Mapping[str, object]) -> str:
    """Figures as one line."""
    return ", ".join(
        f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items()
    )

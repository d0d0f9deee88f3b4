"""A second process of a service, beside the one that the supervisor keeps."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import httpx
import psutil

from lianhu_tools import processes
from support.system import System

TESTS = Path(__file__).resolve().parents[1]


def becoming(service: str, role: str, path: str) -> dict[str, str]:
    """What a program of the harness is told that becomes a service."""
    found = os.pathsep.join(filter(None, (str(TESTS), path)))
    return {"PYTHONPATH": found, "CHAOS_SERVICE": service, "CHAOS_ROLE": role}


class Double:
    """A worker, or an API, with the environment of the first and a port of its own; killed at the end.

    `database` is another way to its database; `program` one of the harness's own that becomes the service, told
    what it is to do by `told`, environment variables.
    """

    def __init__(
        self,
        system: System,
        service: str,
        role: str = "worker",
        *,
        database: str = "",
        program: str = "",
        told: Mapping[str, str] | None = None,
    ) -> None:
        first = psutil.Process(system.pid(service, role))
        self.port = processes.free_port()
        self.environment = {
            **first.environ(),
            f"{service.upper()}_{'WORKER_' if role == 'worker' else ''}PORT": str(self.port),
        }
        self.database = database or self.environment[f"{service.upper()}_DATABASE_URL"]
        self.environment[f"{service.upper()}_DATABASE_URL"] = self.database
        self.command = [sys.executable, "-m", f"{service}_service", role]
        if program:
            self.environment |= becoming(service, role, self.environment.get("PYTHONPATH", "")) | dict(told or {})
            self.command = [sys.executable, "-m", program]
        self._log = system.topology.logs / f"{service}.double.log"
        self._root = system.root
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> "Double":
        """Starts it."""
        with self._log.open("ab") as log:
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                self.command,
                cwd=self._root,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    async def ready(self, seconds: float = 30) -> bool:
        """Whether it became ready in time."""
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            for _ in range(int(seconds * 5)):
                try:
                    if (await client.get(f"{self.address}/readyz")).status_code == 200:
                        return True
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)
        return False

    async def stands(self, seconds: float = 180) -> None:
        """Waits until it is ready. Raises AssertionError where it does not become so in time."""
        assert await self.ready(seconds), f"a second one was not ready within {seconds:.0f} s, see {self._log.name}"

    async def fell(self, seconds: float) -> bool:
        """Whether it ended as kill -9 does in time. Raises AssertionError where it ended in another way."""
        for _ in range(int(seconds * 10)):
            code = None if self._process is None else self._process.poll()
            if code is not None:
                assert code == -signal.SIGKILL, f"it ended with {code}, see {self._log.name}"
                return True
            await asyncio.sleep(0.1)
        return False

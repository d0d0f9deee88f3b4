"""The running APIs that the tests of security attack."""

import asyncio
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from lianhu_tools import processes
from lianhu_tools.topology import SERVICES
from support.openapi import Operation, operations

START_SECONDS = 90.0


@dataclass
class Served:
    """Where each API answers, what it runs with, and what it logged."""

    folder: Path
    keys: Path
    ports: dict[str, int] = field(default_factory=dict)
    databases: dict[str, Any] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def url(self, service: str) -> str:
        """A service's address."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service: str) -> str:
        """What a service logged until now."""
        return (self.folder / f"{service}.log").read_text(errors="replace")

    async def ready(self, url: str) -> None:
        """Waits until an API says that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(f"{url}/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
        logs = "\n".join(processes.last_lines(file) for file in sorted(self.folder.glob("*.log")))
        raise AssertionError(f"{url} is not ready:\n{logs}")

    async def operations(self) -> list[Operation]:
        """Every call that the running services declare."""
        found: list[Operation] = []
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for service in SERVICES:
                document = (await client.get(f"{self.url(service)}/openapi.json")).json()
                found += operations(service, document)
        return found

    def end(self) -> None:
        """Ends all of them."""
        for process in self.processes:
            processes.end(process)


def serve(command: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Starts an API; what it says goes to `log`."""
    with log.open("ab") as output:
        return processes.spawn(command, directory=log.parent, environment=environment, output=output)


def plain_order(at: str) -> dict[str, Any]:
    """A good order of somebody without a token."""
    return {"tenant": at, "service": "tap", "text": "厨房水管漏水", "reach": "敲门"}

"""One service of the system that is up starts anew: its processes are ended, their supervisor brings them back."""

import asyncio
import time

from lianhu_tools.faults import Fault
from lianhu_tools.local.system import answers
from lianhu_tools.looks import broker
from lianhu_tools.processes import end_all
from lianhu_tools.records import Entry, Processes
from lianhu_tools.topology import Topology

READY_SECONDS = 90.0
CAUGHT_UP_SECONDS = 600.0


async def restart(topology: Topology, service: str) -> bool:
    """Ends a service's API and worker and waits until they are ready again; False where neither runs.

    Raises Fault where one does not come back.
    """
    entries = [entry for entry in _entries(topology, service) if entry.identity.process() is not None]
    await asyncio.to_thread(end_all, [entry.identity for entry in entries])
    ended = {entry.pid for entry in entries}
    for role in sorted({entry.name.partition(".")[2] for entry in entries}):
        port = topology.api_port(service) if role == "api" else topology.worker_port(service)
        await _ready(topology, f"{service}.{role}", port, ended)
    return bool(entries)


def _entries(topology: Topology, service: str) -> list[Entry]:
    return [entry for entry in Processes(topology.state).read() if entry.name.startswith(f"{service}.")]


async def _ready(topology: Topology, name: str, port: int, ended: set[int]) -> None:
    check, deadline = answers(port, "/readyz"), time.monotonic() + READY_SECONDS
    reason: str | None = "its supervisor does not start it"
    while time.monotonic() < deadline:
        service = name.partition(".")[0]
        if any(entry.name == name and entry.pid not in ended for entry in _entries(topology, service)):
            reason = await check()
            if reason is None:
                return
        await asyncio.sleep(0.1)
    raise Fault(
        f"{name} is not back after {READY_SECONDS:.0f} s: {reason}; see `make logs s={name.partition('.')[0]}`."
    )


async def caught_up(topology: Topology, service: str) -> None:
    """Waits until a service has read all that it reads. Raises Fault when that takes over ten minutes."""
    deadline = time.monotonic() + CAUGHT_UP_SECONDS
    while True:
        behind = sum(row.lag for row in await broker.read(topology) if row.service == service)
        if not behind:
            return
        if time.monotonic() > deadline:
            raise Fault(f"{service} is still {behind} events behind; see `make lag` and `make logs s={service}`.")
        await asyncio.sleep(0.3)

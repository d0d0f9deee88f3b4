"""Processes that end themselves, as kill -9 would, at named places in the code; see `doomed`."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.doomed import API_POINTS, WORKER_POINTS
from chaos.doubles import Double
from chaos.run import Run
from lianhu_tools.topology import SERVICES

PATIENCE = 90.0
BURST = 6
PUBLISHERS = SERVICES[:3]


def _doomed(run: Run, service: str, role: str, point: str) -> Double:
    return Double(run.system, service, role, program="chaos.doomed", told={"CHAOS_POINT": point})


async def _falls(double: Double, name: str) -> None:
    """Waits for the fall: a place that is never reached is not tried."""
    if not await double.fell(PATIENCE):
        raise AssertionError(f"{name} was not reached within {PATIENCE:.0f} s")


@asynccontextmanager
async def _bursts(run: Run) -> AsyncIterator[None]:
    """Several orders at once, again and again: work for every service, and batches of more than one event."""

    async def place() -> None:
        while True:
            # An order without an answer is counted among those that clients do not know of.
            await asyncio.gather(*(run.work.routed() for _ in range(BURST)), return_exceptions=True)
            await asyncio.sleep(2)

    placing = asyncio.create_task(place())
    try:
        yield
    finally:
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)


async def worker_falls(run: Run) -> str:
    """Second workers that fall."""
    fell, began = [], time.monotonic()
    points = run.dice.sample(list(WORKER_POINTS), 3) if run.short else list(WORKER_POINTS)
    for point in points:
        for service in SERVICES if not run.short else run.dice.sample(PUBLISHERS, 1):
            if point in ("after-commit", "after-send") and service == "reporting":
                continue  # publishes nothing
            async with _doomed(run, service, "worker", point) as double, _bursts(run):
                await _falls(double, f"{service} {point}")
            fell.append(f"{service} {point}")
    return f"in {time.monotonic() - began:.0f} s workers fell: {', '.join(fell)}"


async def api_falls(run: Run) -> str:
    """Second APIs that fall under the village's calls; clients repeat these at the first one."""
    fell, detours = [], run.work.clients.detours
    for point in API_POINTS:
        for service in ("requests", "dispatch"):
            async with _doomed(run, service, "api", point) as double:
                await double.stands()
                detours[service] = double.address
                try:
                    await _falls(double, f"{service} {point}")
                finally:
                    del detours[service]
            fell.append(f"{service} {point}")
    return f"APIs fell: {', '.join(fell)}"

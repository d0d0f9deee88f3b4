"""Processes that end themselves, as kill -9 would, at named places in the code; see `doomed`."""

import time

from chaos.doomed import API_POINTS, WORKER_POINTS
from chaos.doubles import Double
from chaos.run import Run
from lianhu_tools.topology import SERVICES

PATIENCE = 25.0
PUBLISHERS = SERVICES[:3]


def _doomed(run: Run, service: str, role: str, point: str) -> Double:
    return Double(run.system, service, role, program="chaos.doomed", told={"CHAOS_POINT": point})


async def worker_falls(run: Run) -> str:
    """Second workers that fall."""
    fell, began = [], time.monotonic()
    points = run.dice.sample(list(WORKER_POINTS), 3) if run.short else list(WORKER_POINTS)
    for point in points:
        for service in SERVICES if not run.short else run.dice.sample(PUBLISHERS, 1):
            if point in ("after-commit", "after-send") and service == "reporting":
                continue  # publishes nothing
            async with _doomed(run, service, "worker", point) as double:
                if await double.fell(PATIENCE):
                    fell.append(f"{service} {point}")
    return f"in {time.monotonic() - began:.0f} s workers fell: {', '.join(fell) or 'none'}"


async def api_falls(run: Run) -> str:
    """Second APIs that fall under the village's calls; clients repeat these at the first one."""
    fell, detours = [], run.work.clients.detours
    for point in API_POINTS:
        for service in ("requests", "dispatch"):
            async with _doomed(run, service, "api", point) as double:
                if not await double.ready(60):
                    raise AssertionError(f"a second API of {service} did not become ready")
                detours[service] = double.address
                try:
                    if await double.fell(PATIENCE):
                        fell.append(f"{service} {point}")
                finally:
                    del detours[service]
    return f"APIs fell: {', '.join(fell) or 'none'}"

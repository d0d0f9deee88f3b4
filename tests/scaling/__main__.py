"""`python -m scaling`: two, then four, then one worker and API of dispatch under load, as `make drill` calls it."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import asyncpg
import httpx

from chaos import checker, witness
from chaos.workload import Workload
from lianhu_tools import processes
from lianhu_tools.faults import Fault
from scaling.crew import Crew, Spread
from support.settlement import Settlement
from support.system import System

STAGES = (2, 4, 1)
SETTLE_SECONDS = 150.0


def main() -> int:
    """0 where the work was shared and nothing lost, doubled or illegal."""
    asked = argparse.ArgumentParser(prog="make drill")
    asked.add_argument("--seconds", type=float, default=15, help="how long each stage lasts")
    asked.add_argument("--clients", type=int, default=10)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianhu scaling ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        system = System(root, _free_base())
        try:
            system.up()
            return asyncio.run(drill(system, given.seconds, given.clients))
        finally:
            system.lianhu("down")
            system.lianhu("clean")


def _free_base() -> int:
    if given := os.environ.get("LIANHU_PORT_BASE"):
        return int(given)
    for base in range(30_000, 60_000, 200):
        if all(not processes.listens(base + offset) for offset in (*range(15), 32, 92, 93)):
            return base
    raise SystemExit("There are no free ports.")


async def drill(system: System, seconds: float, clients: int) -> int:
    """The stages under one load, and the checker's verdict over all of it."""
    place = Settlement()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await place.settle(system, client)
    crew = Crew(system)
    good = True
    async with crew.robin:
        work = Workload(system, place, "drill", clients)
        work.clients._http = httpx.AsyncClient(transport=Spread(crew.robin), timeout=15)
        try:
            await crew.size(STAGES[0])
            await crew.partitions(STAGES[0])
            work.start()
            try:
                print(f"{'processes':>9} {'partitions':>20} {'calls to each API':>24} {'orders/s':>9} {'moves/s':>8}")
                for number in STAGES:
                    good = await _stage(crew, work, number, seconds) and good
            finally:
                await work.stop()
            counts = await _verdict(system, work)
        finally:
            crew.end()
    told = ", ".join(f"{kind} {number}" for kind, number in counts.items())
    print(f"{work.accepted} orders, {len(work.clients.told)} moves, stages {STAGES}: {told}", flush=True)
    return 0 if good and not any(counts.values()) else 1


async def _stage(crew: Crew, work: Workload, number: int, seconds: float) -> bool:
    """So many processes of each kind, and what each of them did; whether each did something."""
    began = time.monotonic()
    await crew.size(number)
    partitions = await crew.partitions(number)
    changed = time.monotonic() - began
    crew.calls()
    before, began = Counter(told.what == "place" for told in work.clients.told), time.monotonic()
    await asyncio.sleep(seconds)
    took, after = time.monotonic() - began, Counter(told.what == "place" for told in work.clients.told)
    calls = sorted(crew.calls().values())
    orders, moves = ((after[kind] - before[kind]) / took for kind in (True, False))
    print(
        f"{number:>9} {partitions!s:>20} {calls!s:>24} {orders:>9.1f} {moves:>8.1f}   (changed in {changed:.1f} s)",
        flush=True,
    )
    return len(calls) == number and sum(partitions) >= number


async def _verdict(system: System, work: Workload) -> dict[str, int]:
    """Looks until nothing is wrong, or patience ends: events that are on their way are no loss."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            findings = checker.check(await witness.gather(system, work))
        except (Fault, httpx.HTTPError, asyncpg.PostgresError, OSError):
            if time.monotonic() > deadline:
                raise
        else:
            if not findings or time.monotonic() > deadline:
                for finding in findings[:10]:
                    print(f"  ! {finding.kind}: {finding.what}")
                return checker.counts(findings)
        await asyncio.sleep(1)


if __name__ == "__main__":
    sys.exit(main())

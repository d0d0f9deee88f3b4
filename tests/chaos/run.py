"""One case from its beginning to its verdict."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import httpx

from chaos import checker, witness
from chaos.evidence import Evidence
from chaos.table import Outcome
from chaos.workload import PAUSE, SHORT_PAUSE, Workload
from lianhu_tools.faults import Fault as ToolFault
from lianhu_tools.looks.databases import ask
from support.settlement import Settlement
from support.system import System

WARM_ORDERS = 8
SETTLE_SECONDS = 150.0
RECOVERY_SECONDS = 180.0
READY_SECONDS = 180.0


class NotTried(Exception):
    """A case that this machine does not allow; the message says what it needs."""


@dataclass
class Run:
    """What a fault may use: the system, the village at work, and dice of its own; `findings` are what it saw itself."""

    system: System
    work: Workload
    dice: random.Random
    short: bool
    findings: list[checker.Finding] = field(default_factory=list)

    def seconds(self, short: float, long: float) -> float:
        """How long, or how often, by the kind of run."""
        return short if self.short else long


async def run_case(
    system: System, case: str, fault: Callable[[Run], Awaitable[str]], seed: int, *, short: bool
) -> Outcome:
    """A village at work, a fault in the middle of it, and what came of both."""
    began = time.monotonic()
    place = Settlement()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await place.settle(system, client)
    name = f"{case} {seed}"
    work = Workload(system, place, name, SHORT_PAUSE if short else PAUSE)
    run = Run(system, work, random.Random(name), short)
    run.work.start()
    try:
        await run.work.placed(WARM_ORDERS)
        injected = await fault(run)
        recovery = await arrives(run)
        await run.work.placed(run.work.accepted + WARM_ORDERS)
    finally:
        await run.work.stop()
    await asyncio.to_thread(system.all_ready, READY_SECONDS)
    evidence, findings = await _settled(run)
    findings += run.findings
    return Outcome(
        case, seed, injected, len(evidence.statuses), len(evidence.facts), recovery, time.monotonic() - began,
        run.work.clients.lost_answers, checker.counts(findings), [f"{f.kind}: {f.what}" for f in findings[:10]],
    )  # fmt: skip


async def arrives(run: Run) -> float:
    """Seconds until an order placed now has become a fact and was told to the village's desk."""
    began = time.monotonic()
    request = await run.work.order()
    facts = "SELECT count(*) FROM facts WHERE request_id = $1 AND status IS NOT NULL"
    told = "SELECT count(*) FROM deliveries WHERE request_id = $1"
    while time.monotonic() < began + RECOVERY_SECONDS:
        try:
            if await ask(run.system.topology, "reporting", facts, request) and await ask(
                run.system.topology, "notifications", told, request
            ):
                return time.monotonic() - began
        except ToolFault:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(f"{request} did not arrive within {RECOVERY_SECONDS:.0f} s")


async def _settled(run: Run) -> tuple[Evidence, list[checker.Finding]]:
    """Looks until nothing is wrong, or patience ends: events that are on their way are no loss."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            evidence = await witness.gather(run.system, run.work)
            findings = checker.check(evidence)
        except (ToolFault, httpx.HTTPError, asyncpg.PostgresError, OSError):
            if time.monotonic() > deadline:
                raise
        else:
            if all(each.rule == "answer" for each in findings) or time.monotonic() > deadline:
                return evidence, findings
        await asyncio.sleep(1)

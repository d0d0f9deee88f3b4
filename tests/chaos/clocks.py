"""Machines whose clocks jump. The database's own clock cannot be moved on this machine: theirs move against it."""

import asyncio
from contextlib import AsyncExitStack

from chaos.doubles import Double
from chaos.run import Run
from chaos.shifted import HOUR, RIGHT_SECONDS, WRONG_SECONDS
from lianhu_tools.topology import SERVICES


async def clocks_jump(run: Run) -> str:
    """A second worker of each service, and an API that takes orders, whose clocks jump ahead and back or the other way.

    Whoever did something too early, or wrote a time of its own, is found by the checker.
    """
    orders = int(run.seconds(40, 200))
    async with AsyncExitStack() as stack:
        firsts = {}
        for service, role in [*((service, "worker") for service in SERVICES), ("requests", "api")]:
            firsts[service, role] = run.dice.choice((HOUR, -HOUR))
            told = {"CHAOS_FIRST": str(firsts[service, role])}
            double = Double(run.system, service, role, program="chaos.shifted", told=told)
            await stack.enter_async_context(double)
        await double.stands()
        placing = asyncio.create_task(_place(run, double, orders))
        await asyncio.sleep(RIGHT_SECONDS + 2 * WRONG_SECONDS + run.seconds(0, 40))
        await placing
    said = ", ".join(f"{service} {role}" for (service, role), first in firsts.items() if first > 0)
    return f"clocks off by {HOUR:.0f} s, ahead first: {said or 'none'}; behind first: the others; {orders} orders taken"


async def _place(run: Run, double: Double, orders: int) -> None:
    for _ in range(orders):
        await run.work.order(double.address)
        await asyncio.sleep(0.5)

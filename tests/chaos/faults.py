"""What goes wrong, by name: each fault is a function of a run, and answers in words what it did."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from chaos.brokers import leader_dies
from chaos.clocks import clocks_jump
from chaos.cutter import Cutter
from chaos.disk import disk_full
from chaos.doubles import Double
from chaos.failpoints import api_falls, worker_falls
from chaos.migrating import migrations_fall
from chaos.redelivery import poison, redeliver
from chaos.run import READY_SECONDS, Run
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores.server import SUPERUSER
from lianhu_tools.topology import SERVICES

Fault = Callable[[Run], Awaitable[str]]
VICTIMS: list[tuple[str, str | None]] = [(service, role) for service in SERVICES for role in ("api", "worker")]
VICTIMS += [("gateway", None), ("kafka", None), ("postgres", None)]


@asynccontextmanager
async def frozen(run: Run, name: str, role: str | None) -> AsyncIterator[None]:
    """A process that is there and answers nobody."""
    pid = run.system.pid(name, role)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def kills(run: Run) -> str:
    """kill -9 of every process in a random order."""
    victims = run.dice.sample(VICTIMS, len(VICTIMS))
    for name, role in victims:
        await asyncio.to_thread(run.system.kill, name, role)
        await asyncio.sleep(run.dice.uniform(0.1, 1.0))
    return "kill -9 of " + ", ".join(f"{name} {role or ''}".strip() for name, role in victims)


async def supervisor_dies(run: Run) -> str:
    """kill -9 of the local supervisor: everything ends with it, and its keeper builds the system anew."""
    pid = await asyncio.to_thread(run.system.pid, "supervisor")
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(1)
    await asyncio.to_thread(run.system.all_ready, READY_SECONDS)
    return "kill -9 of the supervisor, and with it of everything"


async def zombie(run: Run) -> str:
    """A worker that stands still for longer than its leases and its place in the group, and then goes on."""
    service = run.dice.choice(SERVICES[:3]) if run.short else run.dice.choice(SERVICES)
    seconds = run.seconds(40, 60)
    async with Double(run.system, service) as double:
        await double.stands()
        async with frozen(run, service, "worker"):
            await asyncio.sleep(seconds)
        await asyncio.sleep(3)
    return f"the worker of {service} stopped for {seconds:.0f} s beside a second one, and went on"


async def broker_away(run: Run) -> str:
    """The broker is there and answers nobody."""
    seconds = run.seconds(10, 60)
    async with frozen(run, "kafka", None):
        await asyncio.sleep(seconds)
    return f"the broker stopped for {seconds:.0f} s"


async def rebalances(run: Run) -> str:
    """Second workers come and go."""
    times = int(run.seconds(3, 10))
    for _ in range(times):
        async with Double(run.system, run.dice.choice(SERVICES)) as double:
            await double.stands()
            await asyncio.sleep(run.dice.uniform(0.5, 2))
    return f"{times} second workers came and were killed"


async def redelivery(run: Run) -> str:
    """The village's events again, in any order, across topics."""
    times = int(run.seconds(1, 3))
    sent = 0
    for _ in range(times):
        sent += await redeliver(run.system, run.work.place.tenant, run.dice)
    return f"{sent} events delivered again, late and shuffled across topics"


async def database_stops(run: Run) -> str:
    """PostgreSQL's immediate shutdown, again and again."""
    times = int(run.seconds(3, 10))
    for _ in range(times):
        pid = await asyncio.to_thread(run.system.pid, "postgres")
        os.kill(pid, signal.SIGQUIT)
        await _answers(run)
        await asyncio.sleep(run.dice.uniform(0.5, 2))
    return f"PostgreSQL stopped immediate {times} times"


async def _answers(run: Run) -> None:
    await asyncio.sleep(0.3)
    await cluster_of(run.system.topology).answer(seconds=60)


async def cut_commits(run: Run) -> str:
    """Orders over an API whose connections to the database are cut exactly at COMMIT."""
    orders = int(run.seconds(30, 200))
    cutter = Cutter(Double(run.system, "requests", "api").database, run.dice)
    way = await cutter.open()
    try:
        async with Double(run.system, "requests", "api", database=way) as double:
            await double.stands()
            for _ in range(orders):
                await run.work.order(double.address)
    finally:
        cutter.close()
    return f"{cutter.before} connections cut before COMMIT and {cutter.after} after it, under {orders} orders"


async def foreign_transaction(run: Run) -> str:
    """Somebody else holds rows for longer than the lock timeout, and another transaction stays open."""
    seconds = run.seconds(12, 120)
    topology, tenant = run.system.topology, run.work.place.tenant
    address = cluster_of(topology).url
    opened = [await asyncpg.connect(address(SUPERUSER, service)) for service in ("requests", "dispatch", "reporting")]
    try:
        holds = [connection.transaction() for connection in opened]
        for hold in holds:
            await hold.start()
        locked = 0
        for connection, table in zip(opened, ("requests", "requests", "facts"), strict=True):
            found = await connection.fetch(
                f"SELECT 1 FROM {table} WHERE tenant = $1 ORDER BY 1 LIMIT 5 FOR UPDATE SKIP LOCKED", tenant
            )
            locked += len(found)
        await asyncio.sleep(seconds)
        for hold in holds:
            await hold.rollback()
    finally:
        for connection in opened:
            connection.terminate()
    return f"{locked} rows of three services held for {seconds:.0f} s by transactions that stayed open"


async def poisoned(run: Run) -> str:
    """Events that nobody can take in, under keys of their own."""
    return await poison(run.system, run.dice)


FAULTS: dict[str, Fault] = {
    "kills": kills,
    "supervisor": supervisor_dies,
    "zombie": zombie,
    "broker-away": broker_away,
    "rebalances": rebalances,
    "redelivery": redelivery,
    "database-stops": database_stops,
    "cut-commits": cut_commits,
    "foreign-transaction": foreign_transaction,
    "poison": poisoned,
    "failpoints": worker_falls,
    "api-failpoints": api_falls,
    "migrations": migrations_fall,
    "clocks": clocks_jump,
    "leader": leader_dies,
    "disk-full": disk_full,
}

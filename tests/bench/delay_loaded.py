"""From `POST` answered to the fact visible in reporting at half of the highest load, beside the bare hops at that rate.

The highest load is what the chain of this run sustains: so many orders placed as fast as sixteen connections can, and
divided by the time from the first call until the last of them is visible. Nobody looks for a row while it is on its
way, which would be load of its own: the server keeps the time of each commit.
"""

import asyncio
import random
import signal
import statistics
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson

from bench.delay import Hops, hopping
from bench.house import House, Process, bearer
from bench.intake import furnish, order
from bench.ratios import Ratio, interleaved, median_ratio
from bench.wire import Line, drive
from lianhu_tools import processes
from support import village

ROUNDS = 3
SECONDS = 8.0  # that orders are placed for in a round
WARM, MANY, TRIES = 300, 1200, 2
CONNECTIONS = 16
PATIENCE = 60.0
MOST = 4.0
Connection: TypeAlias = "asyncpg.Connection[Any]"
# When the row became visible, in seconds since 1970.
_SEEN = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"


async def keep_commit_times(house: House) -> None:
    """Has the server note when each transaction was committed, which takes effect with its next start."""
    rows = await house.connect(house.empty_database("any"))
    await rows.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await rows.close()
    processes.end(house.postgres.process, ask=signal.SIGINT)
    house.postgres.start()
    await house.postgres.cluster.answer()


async def seen(rows: Connection, table: str, ids: list[UUID]) -> dict[UUID, float]:
    """When each of these rows became visible; waits until all are."""
    deadline = time.perf_counter() + PATIENCE
    statement = f"SELECT request_id, {_SEEN} FROM {table} WHERE request_id = ANY($1)"
    while len(found := await rows.fetch(statement, ids)) < len(ids):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{len(ids) - len(found)} of {len(ids)} rows are not in {table} after {PATIENCE:.0f} s")
        await asyncio.sleep(0.1)
    return {row[0]: row[1] for row in found}


@dataclass
class Offered:
    """Places at an even chance at any moment, so many a second; the same moments for everybody in a round."""

    rate: float
    place: Callable[[], Coroutine[Any, Any, tuple[UUID, float]]]
    rows: Connection
    table: str
    delays: list[float] = field(default_factory=list)
    turn: int = 0

    async def once(self) -> float:
        """The median delay of a round."""
        dice, self.turn = random.Random(self.turn), self.turn + 1
        made: list[asyncio.Task[tuple[UUID, float]]] = []
        began = due = time.perf_counter()
        while (due := due + dice.expovariate(self.rate)) < began + SECONDS:
            await asyncio.sleep(due - time.perf_counter())
            made.append(asyncio.create_task(self.place()))
        answered = dict(await asyncio.gather(*made))
        visible = await seen(self.rows, self.table, list(answered))
        delays = [visible[id] - at for id, at in answered.items()]
        self.delays += delays
        return statistics.median(delays)


class Chain:
    """Requests, its relay, the broker and reporting: an order in, a fact out."""

    def __init__(self, api: Process, facts: Connection, place: str) -> None:
        self._api, self._facts, self._place = api, facts, place
        self._clerks = cycle([bearer("clerk", place) for _ in range(CONNECTIONS)])
        self._lines: asyncio.Queue[Line] = asyncio.Queue()

    async def connect(self) -> None:
        """Makes the connections that orders are offered over."""
        for _ in range(2 * CONNECTIONS):
            self._lines.put_nowait(await Line.to(self._api.port))

    async def one(self) -> tuple[UUID, float]:
        """Places an order; its id, and when it was answered."""
        wire, line = order(self._place, next(self._clerks)), await self._lines.get()
        status, body = await line.ask(wire)
        at = time.time()
        self._lines.put_nowait(line)
        if status != 201:
            raise RuntimeError(f"an order was answered {status}: {body.decode()[:200]}")
        return UUID(orjson.loads(body)["id"]), at

    async def rate(self, count: int) -> float:
        """Orders a second, from the first call until the last is visible."""
        before: int = await self._facts.fetchval("SELECT count(*) FROM facts")
        calls = [order(self._place, headers) for headers in islice(self._clerks, count)]
        began, deadline = time.time(), time.perf_counter() + PATIENCE
        done = await drive(self._api.port, calls, CONNECTIONS)
        if set(done.statuses) != {201}:
            raise RuntimeError(f"orders were answered {dict(done.statuses)}")
        while await self._facts.fetchval("SELECT count(*) FROM facts") < before + count:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"not all of {count} orders are visible after {PATIENCE:.0f} s")
            await asyncio.sleep(0.05)
        last: float = await self._facts.fetchval(f"SELECT max({_SEEN}) FROM facts")
        return count / (last - began)


class Carried:
    """Rows for the bare hops, one transaction after another."""

    def __init__(self, hops: Hops) -> None:
        self._rows, self._one_at_a_time = hops.rows, asyncio.Lock()

    async def one(self) -> tuple[UUID, float]:
        """Writes a row; its id, and when its commit began."""
        id = uuid4()
        async with self._one_at_a_time, self._rows.transaction():
            await self._rows.execute("INSERT INTO orders (request_id) VALUES ($1)", id)
            await self._rows.execute("SELECT pg_notify('bench', $1)", str(id))
            at = time.time()
        return id, at


async def measure(house: House, rounds: int) -> list[Ratio]:
    """The highest load first; then half of it, through the chain and over the hops, in turns."""
    await keep_commit_times(house)
    requests, reporting = await house.database("requests"), await house.database("reporting")
    api = await house.service("requests", "api", requests.api)
    await house.service("requests", "worker", requests.worker)
    await house.service("reporting", "worker", reporting.worker)
    place = village()
    await furnish(api, place)
    facts = await house.connect(reporting.owner)
    chain = Chain(api, facts, place)
    await chain.rate(WARM)
    highest = max([await chain.rate(MANY) for _ in range(TRIES)])
    print(f"  highest load: {highest:.0f} orders a second", flush=True)
    await chain.connect()
    async with hopping(house) as (hops, arrived):
        ours = Offered(highest / 2, chain.one, facts, "facts")
        bare = Offered(highest / 2, Carried(hops).one, arrived, "arrived")
        taken = await interleaved(rounds, {"ours": ours.once, "bare hops": bare.once})
    await facts.close()
    figures = ", ".join(f"{name} {statistics.median(values) * 1000:.1f} ms" for name, values in taken.items())
    load = f"{highest / 2:.0f} of {highest:.0f} orders a second"
    late = [statistics.quantiles(one.delays, n=100)[98] for one in (ours, bare)]
    told = f"ours {late[0] * 1000:.1f} ms, bare hops {late[1] * 1000:.1f} ms"
    ratio = median_ratio(taken["ours"], taken["bare hops"])
    return [
        Ratio("POST to fact at half load, p50 / bare hops", ratio, None, MOST, rounds, f"{figures}; {load}"),
        Ratio("POST to fact at half load, p99 / bare hops", late[0] / late[1], rounds=rounds, figures=told),
    ]

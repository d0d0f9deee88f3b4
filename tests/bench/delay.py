"""From `POST` answered to the fact visible in reporting, beside the bare hops one after another."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.house import House, bearer
from bench.intake import furnish, order
from bench.ratios import Ratio, interleaved, median_ratio
from bench.wire import Line
from support import village

ORDERS = 40
PATIENCE = 30.0
TOPIC = "lianhu.bench.v1"
Connection: TypeAlias = "asyncpg.Connection[Any]"


async def _visible(rows: Connection, table: str, id: UUID, began: float) -> float:
    """Seconds until a row with this id is there, asked for without a pause."""
    statement = f"SELECT 1 FROM {table} WHERE request_id = $1"
    while not await rows.fetchval(statement, id):
        if time.perf_counter() > began + PATIENCE:
            raise RuntimeError(f"{table} has no row of an order after {PATIENCE:.0f} s")
    return time.perf_counter() - began


class Hops:
    """The bare hops: commit and notify, produce, consume, commit; each handed on as soon as it is done."""

    def __init__(self, rows: Connection, listening: Connection, producer: AIOKafkaProducer) -> None:
        self.rows, self._listening, self._producer = rows, listening, producer
        self.delays: list[float] = []
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._sent: set[asyncio.Future[Any]] = set()

    async def run(self, writing: Connection, consumer: AIOKafkaConsumer) -> None:
        """Carries rows over until cancelled."""
        await self._listening.add_listener("bench", lambda *given: self._heard.put_nowait(given[3]))
        await asyncio.gather(self._produce(), self._consume(writing, consumer))

    async def _produce(self) -> None:
        while True:
            id = await self._heard.get()
            await self._producer.send_and_wait(TOPIC, value=id.encode(), key=id.encode())

    async def _consume(self, writing: Connection, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            await writing.execute("INSERT INTO arrived (request_id) VALUES ($1)", UUID(record.value.decode()))
            await consumer.commit()

    async def once(self) -> float:
        """The median delay of some rows, one after another."""
        delays = []
        for _ in range(ORDERS):
            id = uuid4()
            async with self.rows.transaction():
                await self.rows.execute("INSERT INTO orders (request_id) VALUES ($1)", id)
                await self.rows.execute("SELECT pg_notify('bench', $1)", str(id))
                began = time.perf_counter()
            delays.append(await _visible(self.rows, "arrived", id, began))
        self.delays += delays
        return statistics.median(delays)


@asynccontextmanager
async def hopping(house: House) -> AsyncIterator[tuple[Hops, Connection]]:
    """The bare hops at work, and a connection that sees what arrived."""
    url, bootstrap = house.empty_database("hops"), house.kafka.bootstrap
    connections = [await asyncpg.connect(url) for _ in range(4)]
    await connections[0].execute(
        "CREATE TABLE orders (request_id uuid PRIMARY KEY); CREATE TABLE arrived (request_id uuid PRIMARY KEY)"
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=bootstrap, group_id="hops", enable_auto_commit=False, auto_offset_reset="earliest",
        fetch_max_wait_ms=200,
    )  # fmt: skip
    await producer.start()
    await consumer.start()
    hops = Hops(connections[0], connections[1], producer)
    running = asyncio.create_task(hops.run(connections[2], consumer))
    try:
        yield hops, connections[3]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await consumer.stop()
        await producer.stop()
        for connection in connections:
            await connection.close()


async def measure(house: House, rounds: int) -> list[Ratio]:
    """Orders one after another through requests, its relay, the broker and reporting; nothing else happens."""
    requests, reporting = await house.database("requests"), await house.database("reporting")
    api = await house.service("requests", "api", requests.api)
    await house.service("requests", "worker", requests.worker)
    await house.service("reporting", "worker", reporting.worker)
    place = village()
    headers = bearer("clerk", place)
    await furnish(api, place)
    facts, line = await house.connect(reporting.owner), await Line.to(api.port)

    all_delays: list[float] = []

    async def ours() -> float:
        delays = []
        for _ in range(ORDERS):
            status, body = await line.ask(order(place, headers))
            began = time.perf_counter()
            if status != 201:
                raise RuntimeError(f"an order was answered {status}")
            delays.append(await _visible(facts, "facts", UUID(orjson.loads(body)["id"]), began))
        all_delays.extend(delays)
        return statistics.median(delays)

    async with hopping(house) as (hops, _):
        await ours()
        await hops.once()
        all_delays.clear()
        hops.delays.clear()
        taken = await interleaved(rounds, {"ours": ours, "bare hops": hops.once})
    await facts.close()
    line.close()
    figures = ", ".join(f"{name} {statistics.median(values) * 1000:.1f} ms" for name, values in taken.items())
    ratio = median_ratio(taken["ours"], taken["bare hops"])
    late = [statistics.quantiles(delays, n=100)[98] for delays in (all_delays, hops.delays)]
    told = f"ours {late[0] * 1000:.1f} ms, bare hops {late[1] * 1000:.1f} ms"
    return [
        Ratio("POST to fact, p50 / bare hops", ratio, None, 4.0, rounds, figures),
        Ratio("POST to fact, p99 / bare hops", late[0] / late[1], rounds=rounds, figures=told),
    ]

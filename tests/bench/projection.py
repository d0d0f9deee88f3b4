"""Reporting's projection: consumed, deduplicated, facts and tallies moved; beside consume and COPY."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.house import House
from bench.ratios import Ratio, interleaved, median_ratio
from lianhu_kit.envelope import Record, encode
from lianhu_kit.worker import Worker
from reporting_service.app import create_work
from reporting_service.settings import Settings
from support import village
from support.walks import orders

FLOORS = Path(__file__).parent / "floors"
ORDERS = 250
SECONDS = 120.0
Connection: TypeAlias = "asyncpg.Connection[Any]"
TOPICS = ["lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1", "lianhu.directory.v1"]
OFFSET = """
    INSERT INTO offsets (generation, topic, partition, next) VALUES (1, $1, $2, $3)
    ON CONFLICT (generation, topic, partition) DO UPDATE SET next = excluded.next
"""
TABLE = """
    CREATE TABLE bare (id text PRIMARY KEY, topic text, key text, type text, tenant text, time text, data text)
"""


class Told:
    """Counts what the projection has taken in; the clock starts with the first batch."""

    def __init__(self, worker: Worker, wanted: int) -> None:
        self._receive = worker.inbound.receive
        worker.inbound.receive = self  # type: ignore[method-assign]
        self.wanted, self.seen, self.first = wanted, 0, 0.0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def __call__(self, records: Sequence[Record]) -> None:
        """In place of `receive`."""
        self.first = self.first or time.perf_counter()
        await self._receive(records)
        self.seen += len(records)
        if self.seen >= self.wanted and not self.done.done():
            self.done.set_result(time.perf_counter() - self.first)


class Field:
    """Where both are measured: one broker, one database, and events that are new each time."""

    def __init__(self, house: House, settings: Settings, producer: AIOKafkaProducer, owner: Connection) -> None:
        self.house, self.settings, self.producer, self.owner = house, settings, producer, owner
        self._seeds = iter(range(10_000))

    async def publish(self, group: str) -> int:
        """Puts the next events on the topics, for a group that has read everything before them; how many."""
        consumer = _bare_consumer(self.house, group)
        consumer.subscribe(TOPICS)
        await consumer.start()
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=100)
        ends = await consumer.end_offsets(consumer.assignment())
        await consumer.commit(dict(ends))
        # The worker believes the database, not the group: without this it would read the others' events too.
        await self.owner.executemany(OFFSET, [(p.topic, p.partition, end) for p, end in ends.items()])
        await consumer.stop()
        given = orders(next(self._seeds), [village()], ORDERS)
        sent = []
        for event in given:
            row: Any = {
                **vars(event), "aggregateid": event.key, "causationid": event.id,
                "payload": orjson.dumps(event.data).decode(),
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            }  # fmt: skip
            headers, key, value = encode(row, "/lianhu/bench")
            sent.append(await self.producer.send(event.topic, value=value, key=key, headers=headers))
        await asyncio.gather(*sent)
        return len(given)

    async def ours(self) -> float:
        """Events a second of the worker's own consumer."""
        count = await self.publish("reporting-bench")
        worker = Worker(self.settings, create_work(self.settings), group="reporting-bench")
        told = Told(worker, count)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.consumer.run(stop))
        try:
            seconds = await asyncio.wait_for(told.done, SECONDS)
        finally:
            stop.set()
            await running
            await worker.database.close()
        return count / seconds

    async def bare(self) -> float:
        """Events a second by hand."""
        count, seen, began = await self.publish("bare-bench"), 0, 0.0
        consumer = _bare_consumer(self.house, "bare-bench")
        consumer.subscribe(TOPICS)
        await consumer.start()
        while seen < count:
            fetched = await consumer.getmany(timeout_ms=300, max_records=500)
            began = began or (time.perf_counter() if fetched else 0.0)
            for partition, records in fetched.items():
                await self.owner.copy_records_to_table("bare", records=[_row(record) for record in records])
                await consumer.commit({partition: records[-1].offset + 1})
                seen += len(records)
        seconds = time.perf_counter() - began
        await consumer.stop()
        return count / seconds

    async def faststream(self) -> float:
        """Events a second of FastStream with one insert for each, in a process of its own."""
        count = await self.publish("faststream-bench")
        told = {
            "BENCH_KAFKA": self.house.kafka.bootstrap, "BENCH_GROUP": "faststream-bench", "BENCH_COUNT": str(count),
            "BENCH_DATABASE_URL": self.house.all_of(self.settings.database_url),
        }  # fmt: skip
        program = FLOORS / "projection_faststream.py"
        running = await asyncio.create_subprocess_exec(
            self.house.python_with(FLOORS / "faststream.txt"), str(program), env={**os.environ, **told},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(running.communicate(), SECONDS)
        finally:
            if running.returncode is None:
                running.kill()
        return float(output.rpartition(b"rate ")[2].split()[0])


async def measure(house: House, rounds: int) -> list[Ratio]:
    """The same number of events each way, in turns; they are on the topics before the clock starts."""
    urls = await house.database("reporting")
    settings = Settings.model_validate(
        {"database_url": urls.worker, "kafka_bootstrap": house.kafka.bootstrap, "auth_jwks": str(house.keys)}
    )
    producer = AIOKafkaProducer(bootstrap_servers=house.kafka.bootstrap, acks="all")
    await producer.start()
    owner = await house.connect(urls.owner)
    try:
        await owner.execute(TABLE)
        field = Field(house, settings, producer, owner)
        await field.ours()
        rates = await interleaved(rounds, {"ours": field.ours, "bare": field.bare})
        single = await interleaved(min(rounds, 3), {"ours": field.ours, "FastStream": field.faststream})
        parked = await owner.fetchval("SELECT count(*) FROM parked")
        if parked:
            raise RuntimeError(f"{parked} events were parked")
    finally:
        await producer.stop()
        await owner.close()
    return [
        _ratio("projection / consume + COPY", rates, "bare", 0.25),
        _ratio("projection / FastStream, one at a time", single, "FastStream", 6.0),
    ]


def _ratio(check: str, rates: dict[str, list[float]], beside: str, wanted: float) -> Ratio:
    figures = ", ".join(f"{name} {statistics.median(values):.0f}/s" for name, values in rates.items())
    return Ratio(check, median_ratio(rates["ours"], rates[beside]), wanted, None, len(rates["ours"]), figures)


def _bare_consumer(house: House, group: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=house.kafka.bootstrap, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", fetch_max_wait_ms=200,
    )  # fmt: skip


def _row(record: Any) -> tuple[str | None, ...]:
    headers = dict(record.headers)
    named = [headers[f"ce_{name}"].decode() for name in ("id", "type", "tenant", "time")]
    return named[0], record.topic, record.key.decode(), named[1], named[2], named[3], record.value.decode()

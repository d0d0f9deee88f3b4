"""A past of many events: on the topics as their services would have sent them, and counted in reporting's database.

Made by several processes side by side, each with villages of its own. Each order's events are folded at once, by the
same `fold` that the projection uses for a few of them at a time; so a rebuild that takes them in one after another, in
another order, has something to be compared with.
"""

import asyncio
import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from typing import Any, NamedTuple

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.house import House
from lianhu_kit.database import Database
from lianhu_kit.delivery import Delivery, Encoded
from lianhu_kit.envelope import ReceivedEvent, encode
from lianhu_tools.stores.server import Urls
from reporting_service.consumer.subscriptions import SUBSCRIPTIONS, TOPICS, applying
from reporting_service.handlers.generations import Books, live_books
from reporting_service.settings import Settings
from support import village
from support.histories import REQUESTS, Raw
from support.walks import orders

VILLAGES = 4
ORDERS = 500  # of these villages: a hundred and twenty-five of each in 45 days, as of a thousand a year
BLOCK = 6000
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Kept(NamedTuple):
    """An event until it is sent; events of many villages are put in the order of their times first."""

    time: datetime
    event: Raw
    payload: bytes


@dataclass
class Past:
    """What was made: how many events and orders, and some of the orders of each village, to be read."""

    events: int = 0
    orders: int = 0
    known: dict[str, list[str]] = field(default_factory=dict)

    def add(self, other: "Past") -> None:
        """Takes in what another process made."""
        self.events += other.events
        self.orders += other.orders
        self.known |= other.known


async def lay(house: House, urls: Urls, settings: Settings, events: int) -> Past:
    """At least so many events on the topics and in the active generation, which has read all of them."""
    database = Database(urls.worker, application_name="bench-history")
    try:
        async with database.transaction() as session:
            books = await live_books(session, settings.zone)
    finally:
        await database.close()
    makers = min(os.cpu_count() or 1, 4)
    past = Past()
    with ProcessPoolExecutor(makers, mp_context=get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        told = (urls.worker, house.all_of(urls.owner), house.kafka.bootstrap, books)
        for made in await asyncio.gather(
            *(loop.run_in_executor(pool, _make, seed, -(-events // makers), *told) for seed in range(makers))
        ):
            past.add(made)
    rows = await house.connect(urls.owner)
    try:
        await _read_up(rows, house.kafka.bootstrap, books)
        await rows.execute("VACUUM (ANALYZE)")
    finally:
        await rows.close()
    return past


def _make(seed: int, wanted: int, worker: str, everything: str, bootstrap: str, books: Books) -> Past:
    """One process's part."""
    return asyncio.run(_made(seed, wanted, worker, everything, bootstrap, books))


async def _made(seed: int, wanted: int, worker: str, everything: str, bootstrap: str, books: Books) -> Past:
    past, kept = Past(), list[Kept]()
    database, rows = Database(worker, application_name="bench-history"), await asyncpg.connect(everything)
    try:
        for chunk in itertools.count():
            places = [village() for _ in range(VILLAGES)]
            given = orders(seed * 100_000 + chunk, places, ORDERS)
            kept += [Kept(event.time, event, orjson.dumps(event.data)) for event in given]
            await _count(database, rows, books, given)
            for event in given:
                event.data.clear()  # told by the payload; a million of them are large
            begun = [event for event in given if event.topic == REQUESTS and event.sequence == 1]
            for place in places:
                past.known[place] = [event.key for event in begun if event.tenant == place][:20]
            past.orders += ORDERS
            past.events = len(kept)
            if past.events >= wanted:
                break
    finally:
        await rows.close()
        await database.close()
    kept.sort(key=lambda one: one.time)
    await _send(bootstrap, kept)
    return past


async def _count(database: Database, rows: "asyncpg.Connection[Any]", books: Books, given: list[Raw]) -> None:
    """Puts whole orders into facts and tallies, and notes how far their keys are."""
    apply = applying(books)
    lasts: dict[tuple[str, str], int] = {}
    taken = []
    for raw in given:
        lasts[raw.topic, raw.key] = max(raw.sequence, lasts.get((raw.topic, raw.key), 0))
        event = ReceivedEvent(
            raw.topic, raw.key, raw.id, raw.type, "/lianhu/bench", raw.subject, raw.time, raw.tenant, raw.sequence,
            raw.data,
        )  # fmt: skip
        taken.append((event, SUBSCRIPTIONS[raw.type].model.model_validate(raw.data)))
    async with database.transaction() as session:
        await apply(session, taken)
    far = [(books.generation, topic, key, last) for (topic, key), last in lasts.items()]
    await rows.copy_records_to_table("positions", records=far, columns=["generation", "topic", "key", "last"])


async def _send(bootstrap: str, kept: Sequence[Kept]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=262_144)
    await producer.start()
    try:
        for first in range(0, len(kept), BLOCK):
            block = kept[first : first + BLOCK]
            by_topic: dict[str, list[Encoded]] = {}
            for place, (_, event, payload) in enumerate(block):
                row: Any = {
                    "id": event.id, "type": event.type, "subject": event.subject, "time": event.time,
                    "tenant": event.tenant, "sequence": event.sequence, "aggregateid": event.key,
                    "causationid": event.id, "traceparent": TRACE, "payload": payload.decode(),
                }  # fmt: skip
                by_topic.setdefault(event.topic, []).append(Encoded.of(place, *encode(row, "/lianhu/bench")))
            acknowledged: list[int] = []
            refused: dict[int, str] = {}
            failed = await asyncio.gather(
                *(Delivery(producer, topic, acknowledged, refused).run(part) for topic, part in by_topic.items())
            )
            if any(failed) or refused or len(acknowledged) != len(block):
                raise RuntimeError(f"the broker took {len(acknowledged)} of {len(block)} events: {failed} {refused}")
    finally:
        await producer.stop()


async def _read_up(rows: "asyncpg.Connection[Any]", bootstrap: str, books: Books) -> None:
    """Says of the generation that it has read the topics to their ends: its worker finds nothing to do."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        metadata = await consumer._client.fetch_all_metadata()
        every = [TopicPartition(topic, n) for topic in TOPICS for n in metadata.partitions_for_topic(topic) or ()]
        ends = await consumer.end_offsets(every)
    finally:
        await consumer.stop()
    far = [(books.generation, partition.topic, partition.partition, end) for partition, end in ends.items()]
    await rows.copy_records_to_table("offsets", records=far, columns=["generation", "topic", "partition", "next"])

"""`python -m reporting_service replay`: rebuilds everything from the topics and swaps it in while readers read on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database
from lianhu_kit.inbound import Inbound, Record
from lianhu_kit.kafka import new_consumer
from lianhu_kit.pausing import end_quietly
from reporting_service.consumer.subscriptions import BATCH, COMPACTED, SUBSCRIPTIONS, TOPICS, applying
from reporting_service.domain.checksums import Checksum
from reporting_service.handlers import generations
from reporting_service.handlers.generations import Books
from reporting_service.settings import Settings

STALL_SECONDS = 60.0
Report = Callable[[str], None]

_ONE_AT_A_TIME = text("SELECT pg_try_advisory_lock(hashtext('lianhu reporting replay'))")
# Nothing may end the transaction that holds the live batches while the last events are read.
_PATIENCE = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_UNBEGUN = text(
    """
    SELECT waiting.topic, waiting.key, min(waiting.sequence) AS first FROM waiting
    LEFT JOIN positions USING (generation, topic, key)
    WHERE waiting.generation = :generation AND coalesce(positions.last, 0) = 0 AND positions.blocked IS NULL
    GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3
    """
)
# Keys of which the active generation has applied more than the topics still hold, or less.
_APART = text(
    """
    SELECT count(*) FILTER (WHERE coalesce(built.last, 0) < known.last) AS lost,
           coalesce(sum(built.last - coalesce(known.last, 0)) FILTER (WHERE built.last > coalesce(known.last, 0)), 0)
               AS ahead
    FROM (SELECT * FROM positions WHERE generation = :active AND NOT topic = ANY(:compacted)) AS known
    FULL JOIN (SELECT * FROM positions WHERE generation = :built AND NOT topic = ANY(:compacted)) AS built
        USING (topic, key)
    """
)


class Refused(Exception):
    """The rebuild would lose something; nothing was changed. The message says what to do."""


@dataclass(frozen=True)
class Rebuilt:
    """What a replay did: the generation, its checksum and the one before, events read, seconds taken."""

    generation: int
    before: str
    after: str
    ahead: int
    events: int
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether the rebuilt generation is just what was there."""
        return self.before == self.after


async def replay(settings: Settings, report: Report) -> Rebuilt:
    """Fills a new generation from the beginning of all topics, checks it, swaps it in and deletes the old one.

    Refused where a key does not begin at 1, where the topics hold less than is counted already, or where another
    replay runs. Whatever ends it midway changes nothing; the next one begins anew.
    """
    database = Database(settings.database_url, application_name="reporting-replay", pool_size=4, statement_seconds=600)
    client = new_consumer(settings, group=None, client="reporting-replay")
    try:
        async with database.engine.connect() as lock:
            await lock.execution_options(isolation_level="AUTOCOMMIT")
            if not (await lock.execute(_ONE_AT_A_TIME)).scalar_one():
                raise Refused("Another replay is under way: wait for its end.")
            await _delete_left_over(database, report)
            await asyncio.wait_for(client.start(), 15)
            return await _rebuild(settings, database, client, report)
    finally:
        await end_quietly(client.stop())
        await database.close()


async def _rebuild(settings: Settings, database: Database, client: AIOKafkaConsumer, report: Report) -> Rebuilt:
    began = time.monotonic()
    async with database.transaction() as session:
        books = await generations.open_generation(session, settings.zone)
    reading = _Reading(client, database, books, report)
    try:
        await reading.to_the_end()
        async with database.transaction() as session:
            await session.execute(_PATIENCE)
            active = await generations.stop_the_live(session)
            await reading.to_the_end()
            ahead = await _check(session, active, books.generation)
            report("checksums …")
            before = await _checksum(session, active)
            after = await _checksum(session, books.generation)
            await generations.swap(session, books.generation)
    except Refused:
        await _delete_left_over(database, report)
        raise
    rebuilt = Rebuilt(books.generation, before.hex(), after.hex(), ahead, reading.events, time.monotonic() - began)
    report(f"generation {active}: {before.hex()} over {before.rows} rows")
    report(f"generation {books.generation}: {after.hex()} over {after.rows} rows")
    await _delete_left_over(database, report)
    return rebuilt


class _Reading:
    """Reads every partition from its beginning into one generation."""

    def __init__(self, client: AIOKafkaConsumer, database: Database, books: Books, report: Report) -> None:
        self._client = client
        self._inbound = Inbound(
            "reporting", database, TOPICS, SUBSCRIPTIONS, apply=applying(books), generation=books.generation
        )
        self._report = report
        self._began = self._told = time.monotonic()
        self.events = 0

    async def to_the_end(self) -> None:
        """Reads on to where the topics end now; Refused where the broker gives nothing for a minute.

        Live batches may be waiting for us meanwhile.
        """
        partitions = await self._partitions()
        ends = await asyncio.wait_for(self._client.end_offsets(partitions), 15)
        left = {p for p in partitions if await asyncio.wait_for(self._client.position(p), 15) < ends[p]}
        moved = time.monotonic()
        while left:
            before = self.events
            for records in (await self._client.getmany(timeout_ms=500, max_records=BATCH)).values():
                batch = [Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
                await self._inbound.receive(batch)
                self.events += len(batch)
            left = {p for p in left if await asyncio.wait_for(self._client.position(p), 15) < ends[p]}
            if self.events > before:
                moved = time.monotonic()
            elif time.monotonic() > moved + STALL_SECONDS:
                raise Refused("The broker gives no more events: see that it is up, then replay. Nothing was changed.")
            self._progress(sum(ends.values()))
        await self._inbound.retry_waiting()

    async def _partitions(self) -> list[TopicPartition]:
        if not self._client.assignment():
            found = []
            for topic in TOPICS:
                numbers = await asyncio.wait_for(self._client._client.fetch_all_metadata(), 15)
                partitions = numbers.partitions_for_topic(topic)
                if not partitions:
                    raise Refused(f"The topic {topic} is not there: create it from topics.yaml first.")
                found += [TopicPartition(topic, number) for number in sorted(partitions)]
            self._client.assign(found)
            await asyncio.wait_for(self._client.seek_to_beginning(), 15)
        return list(self._client.assignment())

    def _progress(self, all_events: int) -> None:
        if time.monotonic() > self._told + 2:
            self._told = time.monotonic()
            rate = self.events / (self._told - self._began)
            self._report(f"{self.events} of about {all_events} events, {rate:.0f} a second")


async def _check(session: AsyncSession, active: int, built: int) -> int:
    """Refused where something is missing; else by how many events the rebuilt generation is ahead."""
    unbegun = (await session.execute(_UNBEGUN, {"generation": built})).all()
    if unbegun:
        keys = ", ".join(f"{row.topic} {row.key} begins at {row.first}" for row in unbegun)
        raise Refused(
            f"A key does not begin at 1 ({keys}): publish the topic again with `make refill topic={unbegun[0].topic}`, "
            "then replay. Nothing was changed."
        )
    apart = (await session.execute(_APART, {"active": active, "built": built, "compacted": COMPACTED})).one()
    if apart.lost:
        raise Refused(
            f"The topics hold less than is counted already, of {apart.lost} keys: publish them again with "
            "`make refill topic=…`, then replay. Nothing was changed."
        )
    return int(apart.ahead)


async def _checksum(session: AsyncSession, generation: int) -> Checksum:
    checksum = Checksum()
    for rows, low, high in await generations.row_sums(session, generation):
        checksum.add(rows, low, high)
    return checksum


async def _delete_left_over(database: Database, report: Report) -> None:
    """Deletes generations that nobody reads, in chunks, so that no lock and no transaction lasts."""
    async with database.transaction() as session:
        left = await generations.left_over(session)
    for generation in left:
        deleted = told = 0
        while True:
            async with database.transaction() as session:
                rows = await generations.delete_some(session, generation)
            if not rows:
                break
            deleted += rows
            if deleted - told >= 50_000:
                told = deleted
                report(f"deleting generation {generation}: {deleted} rows")

"""From the outbox to Kafka: leased shards, in order, acknowledged, then moved to `published`.

Never by `position > last seen`: positions are handed out before commit, and a late commit would be lost.
"""

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from lianhu_kit import metrics, tracing
from lianhu_kit.database import OUTBOX_CHANNEL, Database, is_transient, listening
from lianhu_kit.delivery import Delivery, Encoded
from lianhu_kit.envelope import encode
from lianhu_kit.hot import alone
from lianhu_kit.kafka import end_producer, new_producer
from lianhu_kit.logs import logger
from lianhu_kit.outbox import SHARDS
from lianhu_kit.pausing import Backoff, until_stopped
from lianhu_kit.relay_statements import GIVE_BACK, LEASE, MOVE, READ, READ_ON, REFUSE
from lianhu_kit.settings import ServiceSettings

LEASE_SECONDS = 30.0
SEND_SECONDS = 10.0
POLL_SECONDS = 1.0
BATCH = 500
BATCHES = 8
LONGEST_REST = 15.0
_log = logger(__name__)

# A row of the outbox, by the names of its columns.
Row: TypeAlias = Mapping[Any, Any]


class SendFailed(Exception):
    """The broker did not acknowledge in time; the events stay in the outbox and are sent again."""


@dataclass
class _Passed:
    """What became of the batches of one step: shards of what was read, those that failed, events seen and sent."""

    shards: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    seen: int = 0
    sent: int = 0
    stopped: bool = False


def rounds(rows: Sequence[Row]) -> list[list[Row]]:
    """Splits a batch so that each part holds a key once, in order: a failed send is then overtaken by nothing."""
    seen: dict[tuple[str, str], int] = {}
    parts: list[list[Row]] = []
    for row in rows:
        key = (row["aggregatetype"], row["aggregateid"])
        place = seen.get(key, 0)
        seen[key] = place + 1
        if place == len(parts):
            parts.append([])
        parts[place].append(row)
    return parts


def _named(error: BaseException) -> str:
    """An error without its message, which could repeat an event's content."""
    return str(error) if isinstance(error, SendFailed) else type(error).__name__


class Relay:
    """Sends a service's outbox. Several may run: each leases shards of its own."""

    def __init__(self, settings: ServiceSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self.me = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self.source = f"/lianhu/{settings.service}"
        self.shards: list[int] = []
        self._leased_at = float("-inf")
        self._encoded: dict[int, Encoded] = {}  # by position, as _refused: what this step has read
        self._refused: dict[int, str] = {}  # events that can never be sent
        self._rests: dict[int, tuple[int, float]] = {}  # shards that failed while others went on: how often, until when
        self._producer: AIOKafkaProducer | None = None
        self.connected = False
        metrics.RELAY_FAILURES.labels(settings.service)  # 0 from the start: a rate needs a figure before the first one

    async def run(self, stop: asyncio.Event) -> None:
        """Relays until told to stop; backs off while the broker or the database is away."""
        backoff = Backoff()
        try:
            async with listening(self._database.url, OUTBOX_CHANNEL, self._database.application_name) as listener:
                while not stop.is_set():
                    try:
                        sent = await self.step()
                        backoff.reset()
                    except Exception as error:
                        if not isinstance(error, (SendFailed, KafkaError)) and not is_transient(error):
                            raise
                        metrics.RELAY_FAILURES.labels(self._settings.service).inc()
                        _log.warning("relay waits", error=_named(error), failures=backoff.failures)
                        await self._drop_producer()
                        await backoff.pause(stop)
                        continue
                    if sent < BATCH:
                        await until_stopped(listener.wait(POLL_SECONDS), stop)
        finally:
            await self.close()

    async def step(self) -> int:
        """Leases, reads batches, sends them and moves what was acknowledged; answers how many were moved.

        While a batch is on its way, the one before is moved and, where there is more than a batch, the next one read.
        It goes on for as long as there is something new. A failed send stops its shard, whose later events stay behind
        it; SendFailed where nothing at all was sent.
        """
        await self._lease()
        producer = await self._connected()  # first, so that readiness knows about the broker before the first event
        shards = [shard for shard in self.shards if self._rests.get(shard, (0, 0))[1] <= time.monotonic()]
        passed = _Passed()
        self._encoded, self._refused = {}, {}
        reading = asyncio.ensure_future(self._read(shards, []))
        parts: list[asyncio.Future[Any]] = [reading]
        under_way: list[int] = []
        try:
            for left in reversed(range(BATCHES)):
                rows = await reading
                read = [row["position"] for row in rows]
                if ahead := bool(left) and len(rows) == BATCH:
                    reading = asyncio.ensure_future(self._read(shards, [*under_way, *read]))
                    parts.append(reading)
                under_way = await self._pass_on(producer, rows, passed)
                await asyncio.gather(*parts)  # at most one batch is acknowledged and not yet moved
                parts = [asyncio.ensure_future(self._move_counted(rows, under_way))]
                if passed.failed or passed.stopped or not (left and under_way):
                    break
                if not ahead:  # what came meanwhile does not wait for the move
                    reading = asyncio.ensure_future(self._read(shards, [*read, *self._refused]))
                parts.append(reading)
            await asyncio.gather(*parts)
        finally:
            await asyncio.gather(*parts, return_exceptions=True)
        await self._set_apart()
        if passed.failed and not passed.sent:
            raise SendFailed(f"none of {passed.seen} events was acknowledged")
        if passed.failed:
            await self._drop_producer()
        self._rest(passed.failed, passed.shards - passed.failed)
        return passed.sent

    async def _read(self, shards: list[int], under_way: list[int]) -> Sequence[Row]:
        """The oldest events of these shards that are not under way, ready to be sent."""
        async with alone(self._database) as driver:
            if under_way:
                rows = await driver.fetch(READ_ON, shards, BATCH, under_way)
            else:
                rows = await driver.fetch(READ, shards, BATCH)
        for row in rows:
            try:
                self._encoded[row["position"]] = Encoded.of(row["position"], *encode(row, self.source))
            except Exception as error:  # whatever the encoding stumbles over, it would again
                self._refused[row["position"]] = f"it cannot be encoded: {type(error).__name__}"
        return rows

    async def _pass_on(self, producer: AIOKafkaProducer, rows: Sequence[Row], passed: "_Passed") -> list[int]:
        """Sends a batch, each key's events one after another; answers the positions acknowledged."""
        if rows:
            metrics.RELAY_BATCH.labels(self._settings.service).observe(len(rows))
        positions: list[int] = []
        for part in rounds(rows):
            due = [row for row in part if row["shard"] not in passed.failed]
            if time.monotonic() > self._leased_at + LEASE_SECONDS - 2 * SEND_SECONDS:
                passed.stopped = True  # the lease must outlive the send: renew it first
                break
            acknowledged = await self._send(producer, due) if due else []
            positions += acknowledged
            done = {*acknowledged, *self._refused}
            passed.failed |= {row["shard"] for row in due if row["position"] not in done}
        passed.seen += len(rows)
        passed.sent += len(positions)
        passed.shards |= {row["shard"] for row in rows}
        return positions

    async def _move_counted(self, rows: Sequence[Row], positions: list[int]) -> None:
        if positions:
            await self._move(positions)
            self._count(rows, set(positions))

    async def _move(self, positions: list[int]) -> None:
        async with self._database.transaction() as session:
            await session.execute(MOVE, {"positions": positions})

    def _count(self, sent: Sequence[Row], acknowledged: set[int]) -> None:
        tracing.sent(row for row in sent if row["position"] in acknowledged)
        for kind, events in Counter(row["type"] for row in sent if row["position"] in acknowledged).items():
            metrics.RELAYED.labels(self._settings.service, kind).inc(events)

    async def _set_apart(self) -> None:
        """Marks what can never be sent; it stays in the outbox, with the reason, until somebody mended it."""
        if not self._refused:
            return
        async with self._database.transaction() as session:
            values = {"positions": list(self._refused), "reasons": list(self._refused.values())}
            await session.execute(REFUSE, values)
        for position, reason in self._refused.items():
            _log.error("event set apart", position=position, reason=reason)

    def _rest(self, failed: set[int], sent: set[int]) -> None:
        """Lets shards that cannot be sent wait, longer each time, so that they do not hold the others up."""
        for shard in sent:
            self._rests.pop(shard, None)
        for shard in failed:
            times = self._rests.get(shard, (0, 0))[0] + 1
            self._rests[shard] = (times, time.monotonic() + min(LONGEST_REST, 2.0**times))
            _log.warning("shard rests", shard=shard, failures=times)

    async def _lease(self) -> None:
        if time.monotonic() < self._leased_at + LEASE_SECONDS / 6 and self.shards:
            return
        began = time.monotonic()
        async with self._database.transaction() as session:
            given = await session.execute(LEASE, {"me": self.me, "shards": SHARDS, "seconds": LEASE_SECONDS})
            self.shards = sorted(given.scalars())
        self._leased_at = began

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = new_producer(self._settings, f"{self._settings.service}-relay")
            try:
                await asyncio.wait_for(producer.start(), SEND_SECONDS)
            except BaseException:
                await end_producer(producer)
                raise
            self._producer = producer
            self.connected = True
        return self._producer

    async def _send(self, producer: AIOKafkaProducer, part: Sequence[Row]) -> list[int]:
        """Sends one event per key and awaits every acknowledgement; answers the positions acknowledged.

        What can never be sent is noted in `_refused`.
        """
        acknowledged: list[int] = []
        by_topic: dict[str, list[Encoded]] = {}
        for row in part:
            if (ready := self._encoded.get(row["position"])) is not None:
                by_topic.setdefault(row["aggregatetype"], []).append(ready)
        tasks = [
            asyncio.ensure_future(Delivery(producer, topic, acknowledged, self._refused).run(events))
            for topic, events in by_topic.items()
        ]
        if tasks:
            done, late = await asyncio.wait(tasks, timeout=SEND_SECONDS)
            for task in late:
                task.cancel()  # a cancelled send may still arrive: consumers deduplicate
            await asyncio.gather(*late, return_exceptions=True)
            ended = [task for task in done if not task.cancelled()]  # the client cancels what it gives up
            for name in {name for task in ended for name in task.result()}:
                _log.warning("event not sent", error=name)
        return acknowledged

    async def _drop_producer(self) -> None:
        """A producer that failed is not used again."""
        producer, self._producer = self._producer, None
        self.connected = False
        if producer is not None:
            await end_producer(producer)

    async def close(self) -> None:
        """Stops sending and gives the leased shards back at once."""
        await self._drop_producer()
        try:
            async with self._database.transaction() as session:
                await session.execute(GIVE_BACK, {"me": self.me})
        except Exception as error:
            if not is_transient(error):
                raise

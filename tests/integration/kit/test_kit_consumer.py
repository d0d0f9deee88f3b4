"""The consumer against a real broker: offsets follow the effects, members come and go, nothing is lost."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.conftest import MakeTopic
from integration.kit.station import NOTED, Note, Station, changed, incoming, keep_effect, produce
from lianhu_kit import consumer as module
from lianhu_kit.consumer import BrokerSilent, Consumer, Stuck
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.inbound import Handle, Inbound, Subscription
from support import eventually, village


class Killed(BaseException):
    """The process ends here."""


class Dying(Consumer):
    """Dies between the commit of the effects and the commit of the offset."""

    async def _commit(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        raise Killed


def member(station: Station, topic: str, kind: type[Consumer] = Consumer, handle: Handle = keep_effect) -> Any:
    """A member of the topic's group."""
    inbound = Inbound("kit", station.worker, {topic: False}, {NOTED: Subscription(Note, handle)})
    return kind(station.settings, inbound, topics={topic: False}, group=f"group-{topic}")


@asynccontextmanager
async def running(*members: Consumer) -> AsyncIterator[None]:
    """Runs members while the block lasts."""
    stops = [asyncio.Event() for _ in members]
    tasks = [asyncio.create_task(each.run(stop)) for each, stop in zip(members, stops, strict=True)]
    try:
        yield
    finally:
        for stop in stops:
            stop.set()
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)


async def _effects(station: Station, tenant: str, count: int) -> bool:
    return len(await station.effects(tenant)) >= count


async def _assigned(each: Consumer, count: int) -> bool:
    return each._client is not None and len(each._client.assignment()) == count


async def test_a_consumer_killed_between_effects_and_offset_applies_nothing_twice(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(), village()
    await produce(kafka, [incoming(topic, "a", sequence, tenant) for sequence in (1, 2, 3)])
    dying = member(station, topic, Dying)
    with pytest.raises(Killed):
        await dying.run(asyncio.Event())
    assert await station.effects(tenant) == [("a", 1), ("a", 2), ("a", 3)]
    await dying._drop()
    heir = member(station, topic)
    async with running(heir):
        await eventually(lambda: _assigned(heir, 2))
        await produce(kafka, [incoming(topic, "a", 4, tenant)])
        await eventually(lambda: _effects(station, tenant, 4))
    assert await station.effects(tenant) == [("a", sequence) for sequence in (1, 2, 3, 4)]
    third = member(station, topic)
    client = await third._connected()
    await eventually(lambda: _assigned(third, 2))
    committed = [await client.committed(TopicPartition(topic, number)) for number in (0, 1)]
    assert sum(each or 0 for each in committed) == 4
    await third._drop()


async def test_the_next_batch_does_not_wait_for_what_the_group_is_told(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    answer = asyncio.Event()

    class Slow(Consumer):
        async def _commit(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
            await answer.wait()
            await super()._commit(client, offsets)

    topic, tenant = await new_topic(), village()
    slow = member(station, topic, Slow)
    async with running(slow):
        await eventually(lambda: _assigned(slow, 2))
        for sequence in (1, 2, 3):
            await produce(kafka, [incoming(topic, "a", sequence, tenant)])
            await eventually(partial(_effects, station, tenant, sequence))
        answer.set()
        client = slow._client
        assert client is not None

        async def told() -> bool:
            committed = [await client.committed(TopicPartition(topic, number)) for number in (0, 1)]
            return sum(each or 0 for each in committed) == 3

        await eventually(told)


async def test_members_come_and_go_and_each_event_is_applied_once_in_order(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(partitions=4), village()
    keys = [f"k{number}" for number in range(12)]

    async def send(first: int, last: int) -> None:
        await produce(kafka, [incoming(topic, key, n, tenant) for n in range(first, last + 1) for key in keys])

    one, two = member(station, topic), member(station, topic)
    async with running(two):
        async with running(one):
            await send(1, 3)
            await eventually(lambda: _assigned(one, 2))
            await eventually(lambda: _assigned(two, 2))
            await send(4, 6)
        await send(7, 8)
        await eventually(lambda: _effects(station, tenant, 8 * len(keys)), timeout=30)
    found: dict[str, list[int | None]] = {}
    for key, sequence in await station.effects(tenant):
        found.setdefault(key, []).append(sequence)
    assert found == {key: [1, 2, 3, 4, 5, 6, 7, 8] for key in keys}


async def test_a_fault_in_one_partition_rewinds_all_that_were_fetched_and_nothing_is_lost(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(partitions=4), village()
    keys = [f"k{number}" for number in range(12)]
    seen, broken = Counter[str](), set[str]()

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await keep_effect(session, event, data)
        seen[event.key] += 1
        if event.sequence == 2 and event.key in keys[:2] and event.key not in broken:
            broken.add(event.key)
            pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            connection = await asyncpg.connect(station.superuser)
            await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
            await connection.close()

    await produce(kafka, [incoming(topic, key, n, tenant) for n in (1, 2, 3) for key in keys])
    async with running(member(station, topic, handle=handle)):
        await eventually(lambda: _effects(station, tenant, 3 * len(keys)), timeout=40)
    effects = await station.effects(tenant)
    assert sorted(effects) == sorted((key, n) for key in keys for n in (1, 2, 3))
    assert sum(seen.values()) > 3 * len(keys)  # there were repetitions


async def test_poison_of_every_kind_passes_and_the_others_go_on(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(partitions=1), village()
    good = incoming(topic, "a", 1, tenant)
    poison = [
        Record(topic, 0, 0, None, b"", []),
        Record(topic, 0, 0, b"", b"?", []),
        Record(topic, 0, 0, b"\x00\xff", b"\x00" * 300, [("\x00", b"\x00"), ("ce_id", bytes(300)), ("", b"")]),
        changed(incoming(topic, "bad", 1, tenant), ce_type=b"x" * 300, ce_id=b"\xff" * 300),
        Record(topic, 0, 0, b"", b"{", good.headers),
    ]
    await produce(kafka, [good, *poison, incoming(topic, "bad", 2, tenant), incoming(topic, "a", 2, tenant)])
    async with running(member(station, topic)):
        await eventually(lambda: _effects(station, tenant, 2))
    assert await station.effects(tenant) == [("a", 1), ("a", 2)]
    parked = await station.rows("SELECT key, sequence FROM parked WHERE topic = :t ORDER BY id", t=topic)
    assert [(row.key, row.sequence) for row in parked] == [
        *[("", None)] * 3,
        ("bad", 1),
        ("", None),
        ("bad", 2),
    ]


async def test_the_watchdog_leaves_when_there_is_lag_and_nothing_moves(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.1)

    class Deaf(Consumer):
        async def _poll(self, client: AIOKafkaConsumer) -> None:
            await asyncio.sleep(0.05)

    topic = await new_topic()
    await produce(kafka, [incoming(topic, "a", 1, village())])
    deaf = member(station, topic, Deaf)
    with pytest.raises(Stuck, match="1 events wait and nothing moved"):
        await asyncio.wait_for(deaf.run(asyncio.Event()), 20)
    await deaf._drop()


async def test_without_lag_the_watchdog_is_content(
    station: Station, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.0)
    idle = member(station, await new_topic())
    client = await idle._connected()
    await eventually(lambda: _assigned(idle, 2))
    idle._moved = time.monotonic() - 1000
    await idle._watch(client)
    assert time.monotonic() - idle._moved < 10
    await idle._drop()


async def test_a_broker_that_says_no_offsets_costs_the_client_not_the_process(station: Station) -> None:
    class Mute:
        def assignment(self) -> set[TopicPartition]:
            return {TopicPartition("kit.any", 0)}

        async def end_offsets(self, _partitions: object) -> dict[TopicPartition, int]:
            raise TimeoutError

    with pytest.raises(BrokerSilent):
        await member(station, "kit.any")._watch(Mute())

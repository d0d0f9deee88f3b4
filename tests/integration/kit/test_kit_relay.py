"""The relay against a real broker and database: nothing lost, nothing overtaken, nothing moved twice."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from integration.kit.conftest import MakeTopic
from integration.kit.station import NOTED, Note, Station, consume, keep_effect, sequences
from lianhu_kit import relay
from lianhu_kit.consumer import Consumer
from lianhu_kit.database import Database, enter_scope
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound, Subscription
from lianhu_kit.outbox import SHARDS, OutgoingEvent, PayloadTooLarge, record, shard_of
from lianhu_kit.relay import Relay, Row
from support import eventually, village
from support.stores import ROOT, LocalKafka

HERE = village()


def keys(count: int) -> list[str]:
    """New keys."""
    return [str(new_id()) for _ in range(count)]


def key_in(wanted: Callable[[int], bool]) -> str:
    """A new key whose shard is as wanted."""
    return next(key for key in iter(lambda: str(new_id()), "") if wanted(shard_of(key)))


@asynccontextmanager
async def running(*relays: Relay | Consumer) -> AsyncIterator[None]:
    """Runs relays while the block lasts."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each.run(stop)) for each in relays]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)


async def drained(station: Station, key: str = "") -> bool:
    """Whether nothing waits to be published (of one key)."""
    return not await station.value("SELECT count(*) FROM outbox WHERE :k IN ('', aggregateid)", k=key)


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of 3 s in place of 30, and sends of 1 s in place of 10."""
    monkeypatch.setattr(relay, "LEASE_SECONDS", 3.0)
    monkeypatch.setattr(relay, "SEND_SECONDS", 1.0)


@pytest.mark.usefixtures("short_leases")
async def test_two_relays_share_the_shards_and_send_each_event_once_in_order(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, names = await new_topic(), keys(40)
    first, second = Relay(station.settings, station.worker), Relay(station.settings, station.worker)

    async def write(key: str) -> None:
        for _ in range(5):
            await station.note(HERE, topic, key)

    async with running(first):
        await eventually(lambda: _holds(first, SHARDS))  # it came first and has them all
        writing = asyncio.gather(*map(write, names[:20]))
        async with running(second):
            await writing
            await eventually(lambda: _holds(second, SHARDS // 2))
            await eventually(lambda: _holds(first, SHARDS // 2))
            assert not set(first.shards) & set(second.shards)
            await asyncio.gather(*map(write, names[20:]))
            await eventually(lambda: drained(station))
        await eventually(lambda: _holds(first, SHARDS))  # the other one left and gave its shards back at once
    found = await consume(kafka, topic)
    assert sequences(found) == {key: [1, 2, 3, 4, 5] for key in names}
    moved = await station.value("SELECT count(*) FROM published WHERE aggregatetype = :t", t=topic)
    assert moved == len(found) == 200


async def _holds(each: Relay, shards: int) -> bool:
    return len(each.shards) == shards


@pytest.mark.usefixtures("short_leases")
async def test_a_relay_killed_between_send_and_move_sends_again_and_moves_once(
    station: Station, kafka: str, new_topic: MakeTopic, jwks_file: Path
) -> None:
    topic, key = await new_topic(), str(new_id())
    await station.note(HERE, topic, key)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("relay_process.py")),
        station.settings.database_url, kafka, str(jwks_file), "3", "1",
        stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(ROOT / "tests")},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 30)
        assert said == b"sent 1\n"
    finally:
        process.kill()
        await process.wait()
    assert await station.value("SELECT count(*) FROM outbox WHERE aggregateid = :k", k=key) == 1
    async with running(Relay(station.settings, station.worker)):
        await eventually(lambda: drained(station, key))
    found = await consume(kafka, topic)
    assert sequences(found) == {key: [1, 1]}
    assert len({dict(each.headers)["ce_id"] for each in found}) == 1
    assert await station.value("SELECT count(*) FROM published WHERE aggregateid = :k", k=key) == 1


async def test_what_comes_during_a_send_does_not_wait_until_that_send_is_moved(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, first, second = await new_topic(), *keys(2)

    class Meanwhile(Relay):
        async def _send(self, producer: AIOKafkaProducer, part: Sequence[Row]) -> list[int]:
            acknowledged = await super()._send(producer, part)
            if [row["aggregateid"] for row in part] == [first]:
                await station.note(HERE, topic, second)
            return acknowledged

        async def _move(self, positions: list[int]) -> None:
            await eventually(both_sent)
            await super()._move(positions)

    async def both_sent() -> bool:
        return len(await consume(kafka, topic)) == 2

    await station.note(HERE, topic, first)
    async with running(Meanwhile(station.settings, station.worker)):
        await eventually(lambda: drained(station))
    assert sequences(await consume(kafka, topic)) == {first: [1], second: [1]}


async def test_with_the_broker_away_commits_go_on_and_all_events_arrive_once_it_is_back(
    station: Station, broker: LocalKafka, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SEND_SECONDS", 1.0)
    topic, names, there = await new_topic(), keys(6), village()
    inbound = Inbound("kit", station.worker, {topic: False}, {NOTED: Subscription(Note, keep_effect)})
    consumer = Consumer(station.settings, inbound, topics={topic: False}, group=topic)
    async with running(Relay(station.settings, station.worker), consumer):
        for key in names:
            await station.note(there, topic, key)
        await eventually(lambda: drained(station))
        before, failures = _client_tasks(), _failures()
        broker.kill()
        try:
            for key in names:
                await asyncio.wait_for(station.note(there, topic, key, count=2), 2)
            await eventually(lambda: _failed_since(failures + 2))
        finally:
            broker.start()
        await station.note(there, topic, names[0])
        await eventually(lambda: drained(station), timeout=30)
        await eventually(lambda: _applied(station, there, 19), timeout=30)
        await eventually(lambda: _no_more_than(before), timeout=5)  # clients that failed were ended for good
    applied = await station.effects(there)
    assert sorted(applied) == sorted(set(applied))
    found = sequences(await consume(broker.bootstrap, topic))
    assert {key: sorted(set(each)) for key, each in found.items()} == {
        key: [1, 2, 3, 4] if key == names[0] else [1, 2, 3] for key in names
    }


_LASTING = ("Sender._sender_routine", "MessageAccumulator.close", "Fetcher._fetch_requests", "AIOKafkaClient._md")


def _client_tasks() -> Counter[str]:
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return Counter(name for name in names if name.startswith(_LASTING))


async def _applied(station: Station, tenant: str, count: int) -> bool:
    return len(await station.effects(tenant)) == count


async def _no_more_than(before: Counter[str]) -> bool:
    assert _client_tasks() <= before
    return True


def _failures() -> float:
    return REGISTRY.get_sample_value("lianhu_relay_failures_total", {"service": "kit"}) or 0


async def _failed_since(times: float) -> bool:
    return _failures() >= times


async def test_an_event_that_commits_late_is_not_lost(station: Station, kafka: str, new_topic: MakeTopic) -> None:
    topic, (early, late) = await new_topic(), keys(2)
    recorded, may_commit = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        recorded.set()
        await may_commit.wait()

    async with running(Relay(station.settings, station.worker)):
        writing = asyncio.create_task(station.note(HERE, topic, late, hold=hold))
        await recorded.wait()  # its position is handed out, its commit comes later
        await station.note(HERE, topic, early)
        await eventually(lambda: drained(station, early))
        assert list(sequences(await consume(kafka, topic))) == [early]
        may_commit.set()
        await writing
        await eventually(lambda: drained(station))
    assert sequences(await consume(kafka, topic)) == {early: [1], late: [1]}
    order = await station.rows("SELECT aggregateid FROM published WHERE aggregatetype = :t ORDER BY position", t=topic)
    assert [row.aggregateid for row in order] == [late, early]


class Refusing(Relay):
    """A relay whose broker refuses one key's second event three times."""

    refused = 0
    key = ""

    async def _send(self, producer: AIOKafkaProducer, part: Sequence[Row]) -> list[int]:
        good = [row for row in part if (row["aggregateid"], row["sequence"]) != (self.key, 2) or self.refused >= 3]
        self.refused += len(good) < len(part)
        return await super()._send(producer, good) if good else []


async def test_a_failed_send_is_overtaken_by_nothing_and_holds_no_other_shard_up(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LONGEST_REST", 1.0)
    topic = await new_topic()
    stuck = str(new_id())
    behind = key_in(lambda shard: shard == shard_of(stuck))
    others = [key_in(lambda shard: shard != shard_of(stuck)) for _ in range(5)]
    for key in (stuck, behind, *others):
        await station.note(HERE, topic, key, count=4)
    refusing = Refusing(station.settings, station.worker)
    refusing.key = stuck
    await refusing.step()  # the first of several: all that does not stand behind the failure went out
    assert {key: each[-1] for key, each in sequences(await consume(kafka, topic)).items()} == {
        stuck: 1,
        behind: 2,
        **dict.fromkeys(others, 4),
    }
    async with running(refusing):
        await eventually(lambda: drained(station))
    assert refusing.refused == 3
    assert sequences(await consume(kafka, topic)) == {key: [1, 2, 3, 4] for key in (stuck, behind, *others)}


async def test_events_for_a_topic_that_is_missing_rest_alone(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SEND_SECONDS", 0.5)
    topic, lost = await new_topic(), str(new_id())
    await station.note(HERE, f"{topic}.missing", lost)
    try:
        async with running(Relay(station.settings, station.worker)):
            for _ in range(5):
                key = key_in(lambda shard: shard != shard_of(lost))
                await station.note(HERE, topic, key)
                await eventually(lambda: drained(station, key), timeout=10)  # noqa: B023 - awaited at once
        assert await station.value("SELECT count(*) FROM outbox WHERE aggregateid = :k", k=lost) == 1
    finally:
        await station.rows("DELETE FROM outbox WHERE aggregateid = :k RETURNING id", k=lost)


class Zombie(Relay):
    """A relay that is stopped after its last look at the lease, just before it sends."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.stopped, self.goes_on = asyncio.Event(), asyncio.Event()

    async def _send(self, producer: AIOKafkaProducer, part: Sequence[Row]) -> list[int]:
        self.stopped.set()
        await self.goes_on.wait()
        return await super()._send(producer, part)


@pytest.mark.usefixtures("short_leases")
async def test_a_relay_that_wakes_up_after_it_lost_its_lease_adds_nothing_but_duplicates(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, key = await new_topic(), str(new_id())
    await station.note(HERE, topic, key, count=3)
    zombie, heir = Zombie(station.settings, station.worker), Relay(station.settings, station.worker)
    stepping = asyncio.create_task(zombie.step())
    await zombie.stopped.wait()
    async with running(heir):
        await eventually(lambda: drained(station, key))
        await station.note(HERE, topic, key)
        await eventually(lambda: drained(station, key))
        zombie.goes_on.set()
        await stepping
        await zombie.close()
    (seen,) = sequences(await consume(kafka, topic)).values()
    assert seen[:4] == [1, 2, 3, 4]
    assert set(seen[4:]) <= {1}  # it sent what it held, found its lease over and stopped
    kept = await station.rows("SELECT sequence FROM published WHERE aggregateid = :k ORDER BY position", k=key)
    assert [row.sequence for row in kept] == [1, 2, 3, 4]


async def test_a_commit_wakes_the_relay_at_once_and_the_envelope_is_whole(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 30.0)
    topic, (first, key) = await new_topic(), keys(2)
    async with running(Relay(station.settings, station.worker)):
        await station.note(HERE, topic, first)
        await eventually(lambda: drained(station))  # it listens now
        async with station.api.transaction() as session:
            clock = await enter_scope(session, HERE)
            await record(
                session,
                [
                    OutgoingEvent(topic, key, 1, NOTED, "subject", HERE, {"words": "𠮷 \u202eright to left"}),
                    OutgoingEvent(topic, key, 2, NOTED, "subject", HERE, None),
                ],
            )
        await eventually(lambda: drained(station), timeout=5)
    told, deleted = [each for each in await consume(kafka, topic) if each.key == key.encode()]
    headers = {name: value.decode() for name, value in told.headers}
    assert UUID(headers.pop("ce_id")).version == 7
    assert headers.pop("ce_traceparent").startswith("00-")
    assert headers.pop("ce_causationid")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_source": "/lianhu/kit",
        "ce_type": NOTED,
        "ce_subject": "subject",
        "ce_time": clock.isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
        "ce_dataschema": f"urn:lianhu:schema:{NOTED}",
        "ce_tenant": HERE,
        "ce_sequence": "1",
        "ce_partitionkey": key,
    }
    assert told.value.decode() == '{"words":"𠮷 \u202eright to left"}'
    assert deleted.value is None


async def _record(database: Database, event: OutgoingEvent) -> None:
    async with database.transaction() as session:
        await enter_scope(session, HERE)
        await record(session, [event])


async def test_an_oversized_event_is_refused_before_anything_is_stored(station: Station) -> None:
    key = str(new_id())
    event = OutgoingEvent("kit.any", key, 1, NOTED, key, HERE, {"words": "x" * 262_145})
    with pytest.raises(PayloadTooLarge, match=r"at most 262144"):
        await _record(station.worker, event)
    assert await drained(station, key)


async def test_an_event_outside_the_scope_is_refused_by_the_database(station: Station) -> None:
    key = str(new_id())
    with pytest.raises(Exception, match="row-level security"):
        await _record(station.api, OutgoingEvent("kit.any", key, 1, NOTED, key, village(), {}))
    assert await drained(station, key)

"""What the database keeps of received events: once each, in order per key, waiting, never forgotten."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.room import OTHER, TOPIC, UPSERTS, Room
from integration.kit.station import NOTED, Note, Station, keep_effect
from lianhu_kit import ledger
from lianhu_kit.database import enter_scope, is_transient, sqlstate
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound, NotYet, Subscription
from support import village


@pytest.fixture
def room(station: Station) -> Room:
    """A consumer that keeps every note."""
    return Room(station)


async def test_duplicates_in_a_batch_and_later_are_applied_once(room: Room) -> None:
    first, second = room.event("a", 1), room.event("a", 2)
    await room.inbound.receive([first, first, second, first])
    await room.inbound.receive([second, first])
    assert await room.effects() == [("a", 1), ("a", 2)]
    assert await room.last("a") == 2


async def test_a_gap_waits_and_is_applied_in_order_once_it_is_filled(room: Room) -> None:
    await room.inbound.receive([room.event("a", 3), room.event("a", 4), room.event("b", 1)])
    await room.inbound.receive([room.event("a", 3)])
    assert await room.effects() == [("b", 1)]
    assert await room.waiting() == [("a", 3, None), ("a", 4, None)]
    await room.inbound.receive([room.event("a", 2)])
    assert await room.effects() == [("b", 1)]
    await room.inbound.receive([room.event("a", 1)])
    assert await room.effects() == [("b", 1), ("a", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert await room.waiting() == []


async def test_thousands_may_wait_for_one_gap(room: Room) -> None:
    await room.inbound.receive([room.event("a", sequence) for sequence in range(2, 1202)])
    assert len(await room.waiting()) == 1200
    async with asyncio.timeout(30):
        await room.inbound.receive([room.event("a", 1)])
        while await room.waiting():
            await room.inbound.retry_waiting()
    assert await room.effects() == [("a", sequence) for sequence in range(1, 1202)]


async def test_types_that_nobody_needs_are_counted_and_advance_the_key(room: Room) -> None:
    def counted() -> float:
        labels = {"service": "kit", "topic": TOPIC, "outcome": "unknown"}
        return REGISTRY.get_sample_value("lianhu_events_consumed_total", labels) or 0

    before = counted()
    await room.inbound.receive([room.event("a", 1, type="kit.else.happened.v3"), room.event("a", 2)])
    assert await room.effects() == [("a", 2)]
    assert await room.last("a") == 2
    assert counted() == before + 1


async def test_events_without_a_sequence_are_applied_once_by_their_id(room: Room) -> None:
    ids = [str(new_id()), str(new_id())]
    one, two = (room.event("a", None, id=each) for each in ids)
    await room.inbound.receive([one, one, two])
    await room.inbound.receive([two, one])
    assert await room.effects() == [("a", None), ("a", None)]
    assert await room.last("a") is None


async def test_a_compacted_topic_applies_whatever_is_newer(room: Room) -> None:
    await room.inbound.receive([room.event("a", 4, topic=UPSERTS), room.event("a", 9, topic=UPSERTS)])
    await room.inbound.receive([room.event("a", 7, topic=UPSERTS), room.event("b", 2, topic=UPSERTS)])
    assert await room.effects() == [("a", 4), ("a", 9), ("b", 2)]
    assert await room.waiting() == []


async def test_a_tombstone_is_an_event_of_its_own(station: Station) -> None:
    gone = []

    class Nothing(BaseModel):
        pass

    async def delete(_session: AsyncSession, event: ReceivedEvent, _data: BaseModel) -> None:
        gone.append((event.key, event.sequence, event.deleted))

    room = Room(station)
    room.inbound = Inbound(
        "kit", station.worker, {UPSERTS: True},
        {NOTED: Subscription(Note, keep_effect), f"deleted:{UPSERTS}": Subscription(Nothing, delete)},
        generation=room.generation,
    )  # fmt: skip
    tombstone = room.event("a", 5, topic=UPSERTS)
    bare = Record(UPSERTS, 0, 99, b"a", None, [])
    tombstone = Record(tombstone.topic, 0, tombstone.offset, tombstone.key, None, tombstone.headers)
    await room.inbound.receive([room.event("a", 4, topic=UPSERTS), tombstone, tombstone, bare])
    assert await room.effects() == [("a", 4)]
    assert gone == [("a", 5, True)]


async def _needs_note_of(awaits: str | None, session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
    """Applies an event of the other topic only where the note's own topic has brought its key."""
    sql = text("SELECT count(*) FROM effects WHERE tenant = :tenant AND topic = :topic AND key = :key")
    values = {"tenant": event.tenant, "topic": TOPIC, "key": awaits or event.key}
    if event.topic == OTHER and not (await session.execute(sql, values)).scalar_one():
        raise NotYet(awaits)
    await keep_effect(session, event, data)


@pytest.mark.parametrize("awaits", [None, "far"])
async def test_an_effect_waits_for_its_prerequisite_from_another_topic(station: Station, awaits: str | None) -> None:
    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await _needs_note_of(awaits, session, event, data)

    room = Room(station, handle)
    own = awaits or "a"
    await room.inbound.receive([room.event("a", 1, topic=OTHER), room.event("a", 2, topic=OTHER)])
    await room.inbound.retry_waiting()  # not yet: it goes on waiting
    assert await room.waiting() == [("a", 1, own), ("a", 2, None)]
    assert await room.parked() == []
    await room.inbound.receive([room.event(own, 1)])
    assert await room.effects() == [(own, 1), ("a", 1), ("a", 2)]
    assert await room.waiting() == []
    assert await room.last("a", OTHER) == 2


async def test_who_waits_for_who_waits_is_applied_in_one_go(station: Station) -> None:
    needs = {"c": "b", "b": "a"}

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        sql = text("SELECT count(*) FROM effects WHERE tenant = :tenant AND key = :key")
        values = {"tenant": event.tenant, "key": needs.get(event.key)}
        if event.key in needs and not (await session.execute(sql, values)).scalar_one():
            raise NotYet(needs[event.key])
        await keep_effect(session, event, data)

    room = Room(station, handle)
    await room.inbound.receive([room.event("c", 1)])
    await room.inbound.receive([room.event("b", 1)])
    await room.inbound.receive([room.event("a", 1)])
    assert await room.effects() == [("a", 1), ("b", 1), ("c", 1)]


async def test_hundreds_may_wait_for_one_prerequisite(station: Station) -> None:
    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await _needs_note_of("far", session, event, data)

    room = Room(station, handle)
    await room.inbound.receive([room.event(f"k{number:03}", 1, topic=OTHER) for number in range(ledger.PAGE + 20)])
    await room.inbound.receive([room.event("far", 1)])
    await room.inbound.retry_waiting()
    assert len(await room.effects()) == ledger.PAGE + 21
    assert await room.waiting() == []


async def test_on_a_compacted_topic_what_waits_may_have_gaps_before_it(station: Station) -> None:
    ready = False

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        if not ready:
            raise NotYet("elsewhere")
        await keep_effect(session, event, data)

    room = Room(station, handle)
    await room.inbound.receive([room.event("a", 3, topic=UPSERTS), room.event("a", 8, topic=UPSERTS)])
    ready = True
    await room.inbound.retry_waiting()
    await room.inbound.retry_waiting()
    assert (await room.effects())[-1] == ("a", 8)
    assert await room.waiting() == []


async def test_events_in_structured_mode_are_read(room: Room) -> None:
    body = {
        "specversion": "1.0", "id": "s-1", "source": "/outside", "type": NOTED, "subject": "a", "tenant": room.tenant,
        "time": "2026-05-01T08:00:00Z", "sequence": "1", "datacontenttype": "application/json",
        "data": {"words": "structured"},
    }  # fmt: skip
    headers = [("content-type", b"application/cloudevents+json")]
    record = Record(TOPIC, 0, 1, b"a", json.dumps(body).encode(), headers)
    await room.inbound.receive([record, record, room.event("a", 2)])
    assert await room.effects() == [("a", 1), ("a", 2)]


async def test_a_lost_connection_undoes_the_batch_and_it_is_applied_when_repeated(station: Station) -> None:
    killed = False

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        nonlocal killed
        await keep_effect(session, event, data)
        if event.key == "b" and not killed:
            killed = True
            pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            connection = await asyncpg.connect(station.superuser)
            await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
            await connection.close()

    room = Room(station, handle)
    batch = [room.event("a", 1), room.event("b", 1), room.event("c", 1)]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the driver says it in several ways
        await room.inbound.receive(batch)
    assert is_transient(caught.value)
    assert await room.effects() == []
    await room.inbound.receive(batch)
    assert await room.effects() == [("a", 1), ("b", 1), ("c", 1)]
    assert await room.parked() == []


async def test_two_consumers_that_deadlock_lose_nothing(station: Station) -> None:
    meeting = asyncio.Barrier(2)
    met = set[str]()

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        first, second = (1, 2) if event.key == "a" else (2, 1)
        lock = text("SELECT pg_advisory_xact_lock(:tenant, :number)")
        tenant = int(event.tenant[-7:])
        await session.execute(lock, {"tenant": tenant, "number": first})
        if event.key not in met:
            met.add(event.key)
            await meeting.wait()
        await session.execute(lock, {"tenant": tenant, "number": second})
        await keep_effect(session, event, data)

    room = Room(station, handle)

    async def until_applied(record: Record) -> int:
        for failures in range(3):
            try:
                await room.inbound.receive([record])
                return failures
            except Exception as error:
                if sqlstate(error) != "40P01" or not is_transient(error):
                    raise
        raise AssertionError("a deadlock's victim did not succeed when repeated")

    failures = await asyncio.gather(until_applied(room.event("a", 1)), until_applied(room.event("b", 1)))
    assert sorted(failures) == [0, 1]
    assert sorted(await room.effects()) == [("a", 1), ("b", 1)]


async def test_a_batch_handler_gets_what_is_due_and_one_bad_event_does_not_spoil_the_rest(station: Station) -> None:
    batches: list[list[tuple[str, int | None]]] = []

    async def apply(session: Any, events: list[tuple[ReceivedEvent, BaseModel]]) -> None:
        batches.append([(event.key, event.sequence) for event, _ in events])
        for event, data in events:
            await enter_scope(session, event.tenant)
            assert isinstance(data, Note)
            await keep_effect(session, event, data)

    room = Room(station)
    room.inbound = Inbound(
        "kit", station.worker, {TOPIC: False}, {NOTED: Subscription(Note)}, apply=apply, generation=room.generation
    )
    await room.inbound.receive([room.event("a", 1), room.event("a", 2), room.event("b", 1)])
    assert batches == [[("a", 1), ("a", 2), ("b", 1)]]
    await room.inbound.receive([room.event("a", 3), room.event("b", 2, data={"words": 5}), room.event("c", 1)])
    assert sorted(await room.effects()) == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1)]
    assert [each[:2] for each in await room.parked()] == [("b", 2)]


async def test_generations_keep_books_of_their_own(station: Station) -> None:
    live, rebuilt = Room(station), Room(station)
    rebuilt.tenant = live.tenant
    event = live.event("a", 1)
    await live.inbound.receive([event])
    await rebuilt.inbound.receive([event])
    await rebuilt.inbound.receive([event])
    assert await live.effects() == [("a", 1), ("a", 1)]


async def test_an_effect_outside_the_events_village_is_refused_by_the_database(station: Station) -> None:
    elsewhere = village()

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await keep_effect(session, replace(event, tenant=elsewhere), data)

    room = Room(station, handle)
    with pytest.raises(Exception, match="row-level security"):
        await room.inbound.receive([room.event("a", 1)])
    assert await station.effects(elsewhere) == []

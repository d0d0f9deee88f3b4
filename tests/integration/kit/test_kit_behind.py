"""What waits behind an event is applied with it, and where that fails, the event at hand does not pay for it."""

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.room import OTHER, Room
from integration.kit.station import Note, Station, keep_effect
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import NotYet, Poison

AGED = text("UPDATE waiting SET since = since - interval '1 hour' WHERE generation = :generation")


@pytest.mark.parametrize(
    ("fault", "waiting", "parked"),
    [
        (NotYet("late"), [("a", 2, "late"), ("a", 3, None)], []),
        (Poison("never"), [("a", 3, None)], [("a", 2, "never")]),
    ],
)
async def test_a_failure_behind_an_event_is_its_own(
    station: Station, fault: Exception, waiting: list[object], parked: list[object]
) -> None:
    arrived: set[str] = set()

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        if (event.key, event.sequence) == ("a", 1) and "first" not in arrived:
            raise NotYet("first")
        if (event.key, event.sequence) == ("a", 2):
            raise fault
        await keep_effect(session, event, data)
        arrived.add(event.key)

    room = Room(station, handle)
    await room.inbound.receive([room.event("a", sequence) for sequence in (1, 2, 3)])
    assert await room.waiting() == [("a", 1, "first"), ("a", 2, None), ("a", 3, None)]
    await room.inbound.receive([room.event("first", 1, topic=OTHER)])
    assert await room.effects() == [("first", 1), ("a", 1)]
    assert await room.waiting() == waiting
    assert await room.parked() == parked
    assert await room.last("a") == 1


async def test_a_gap_filled_by_a_good_event_is_filled_although_the_next_is_poison(station: Station) -> None:
    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        if event.sequence == 2:
            raise Poison("never")
        await keep_effect(session, event, data)

    room = Room(station, handle)
    await room.inbound.receive([room.event("a", 2), room.event("a", 3)])
    await room.inbound.receive([room.event("a", 1)])
    assert await room.effects() == [("a", 1)]
    assert await room.parked() == [("a", 2, "never")]


async def test_what_waited_long_in_vain_is_tried_less_often(station: Station) -> None:
    tries = 0

    async def handle(_session: AsyncSession, _event: ReceivedEvent, _data: Note) -> None:
        nonlocal tries
        tries += 1
        raise NotYet("never")

    room = Room(station, handle)
    await room.inbound.receive([room.event("a", 1)])
    tries = 0
    await room.inbound.retry_waiting()
    await room.inbound.retry_waiting()
    assert tries == 2
    async with station.worker.transaction() as session:
        await session.execute(AGED, {"generation": room.generation})
    await room.inbound.retry_waiting()
    await room.inbound.retry_waiting()
    assert tries == 2

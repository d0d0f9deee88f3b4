"""What can never be applied is set apart with what stands behind it; all else goes on."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.room import Room
from integration.kit.station import Note, Station, changed, keep_effect
from lianhu_kit import tries as tolerated
from lianhu_kit.database import is_overrun
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.inbound import NotYet, Poison


@pytest.fixture
def room(station: Station) -> Room:
    """A consumer that keeps every note."""
    return Room(station)


BAD: dict[str, tuple[Callable[[Record], Record], str, bool]] = {
    "no JSON": (lambda r: Record(r.topic, 0, r.offset, r.key, b"{no", r.headers), "the data is no JSON object", True),
    "a list": (lambda r: Record(r.topic, 0, r.offset, r.key, b"[1]", r.headers), "the data is no JSON object", True),
    "an empty value": (lambda r: Record(r.topic, 0, r.offset, r.key, b"", r.headers), "no JSON object", True),
    "wrong shape": (
        lambda r: Record(r.topic, 0, r.offset, r.key, b'{"words":{"secret":"138 0013 8000"}}', r.headers),
        "wrong shape: words: Input should be a valid string",
        True,
    ),
    "a version to come": (lambda r: changed(r, ce_type=b"kit.note.written.v2"), "major version", True),
    "not UTF-8": (lambda r: Record(r.topic, 0, r.offset, r.key, b"\xff\xfe\x00", r.headers), "no JSON object", True),
    "NUL in the data": (
        lambda r: Record(r.topic, 0, r.offset, r.key, b'{"words":"a\\u0000b"}', r.headers),
        "holds the character NUL",
        True,
    ),
    "half a surrogate pair": (
        lambda r: Record(r.topic, 0, r.offset, r.key, b'{"words":"\\ud800"}', r.headers),
        "half a surrogate pair",
        True,
    ),
    "deep nesting": (
        lambda r: Record(r.topic, 0, r.offset, r.key, b'{"a":' * 5000 + b"1" + b"}" * 5000, r.headers),
        "",
        True,
    ),
    "a huge number": (
        lambda r: Record(r.topic, 0, r.offset, r.key, b'{"words":"x","n":' + b"9" * 40 + b"}", r.headers),
        "a number over 64 bits",
        True,
    ),
    "no id": (lambda r: changed(r, ce_id=None), "no CloudEvent: id missing", True),
    "no time": (lambda r: changed(r, ce_time=None), "no CloudEvent: time missing", True),
    "a time of nowhere": (lambda r: changed(r, ce_time=b"2026-01-01T00:00:00"), "no CloudEvent", True),
    "NUL in a header": (lambda r: changed(r, ce_subject=b"a\x00b"), "holds the character NUL", True),
    "garbage in a header": (lambda r: changed(r, ce_source=bytes(range(256)) + b"\xff" * 44), "no CloudEvent", True),
    "a header without value": (
        lambda r: Record(r.topic, 0, r.offset, r.key, r.value, [*changed(r, ce_id=None).headers, ("ce_id", None)]),
        "no CloudEvent",
        True,
    ),
    "garbage as sequence": (lambda r: changed(r, ce_sequence=b"\xff\x00" * 150), "no CloudEvent", False),
    "a word as sequence": (lambda r: changed(r, ce_sequence=b"two"), "no decimal number", False),
    "sequence zero": (lambda r: changed(r, ce_sequence=b"0"), "from 1 on", False),
    "an endless sequence": (lambda r: changed(r, ce_sequence=b"9" * 5000), "no decimal number", False),
    "no key": (lambda r: Record(r.topic, 0, r.offset, None, r.value, [
        (name, value) for name, value in r.headers if name != "ce_partitionkey"]), "no key", False),
    "a key of garbage": (lambda r: Record(r.topic, 0, r.offset, b"\x80\x00a", r.value, r.headers), "no Cloud", False),
    "a key with NUL": (lambda r: Record(r.topic, 0, r.offset, b"a\x00", r.value, r.headers), "NUL", False),
    "no headers at all": (lambda r: Record(r.topic, 0, r.offset, r.key, b"garbage", []), "no CloudEvent", False),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_what_can_never_be_applied_is_parked_and_other_keys_go_on(room: Room, name: str) -> None:
    spoil, reason, keyed = BAD[name]
    bad = spoil(room.event("a", 1))
    later = [room.event("a", 2), room.event("a", 3)]
    await room.inbound.receive([room.event("b", 1), bad, later[0], room.event("c", 1)])
    await room.inbound.receive([bad, later[1], room.event("b", 2)])
    assert sorted(await room.effects()) == [("b", 1), ("b", 2), ("c", 1)]
    parked = await room.parked()
    assert reason in parked[0][2]
    assert "138" not in parked[0][2]
    if keyed:  # the headers say which key it is: those behind it are parked too
        behind = "an earlier event of this key is parked"
        assert [each[:2] for each in parked] == [("a", 1), ("a", 2), ("a", 3)]
        assert [each[2] for each in parked[1:]] == [behind, behind]
    else:  # nobody knows whose it is: those behind the gap wait
        assert [each[:2] for each in parked] == [("", None)]
        assert [each[:2] for each in await room.waiting()] == [("a", 2), ("a", 3)]


async def test_a_poison_that_the_handler_names_is_parked_at_once(station: Station) -> None:
    async def refuse(_session: AsyncSession, _event: ReceivedEvent, _data: Note) -> None:
        raise Poison("this can never be")

    room = Room(station, refuse)
    await room.inbound.receive([room.event("a", 1)])
    assert await room.parked() == [("a", 1, "this can never be")]


async def test_a_bug_in_a_handler_is_tried_five_times_and_then_parked(station: Station) -> None:
    tries = []

    async def stumble(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await keep_effect(session, event, data)
        if event.key == "a":
            tries.append(event.sequence)
            raise ZeroDivisionError

    room = Room(station, stumble)
    batch = [room.event("a", 1), room.event("a", 2), room.event("b", 1)]
    for _ in range(tolerated.TRIES - 1):
        with pytest.raises(ZeroDivisionError):
            await room.inbound.receive(batch)
    await room.inbound.receive(batch)
    assert tries == [1] * len(tries)
    assert await room.effects() == [("b", 1)]
    assert [each[:2] for each in await room.parked()] == [("a", 1), ("a", 2)]
    assert (await room.parked())[0][2] == "the handler failed 5 times: ZeroDivisionError"


async def test_an_event_without_a_sequence_cannot_wait_and_is_parked(station: Station) -> None:
    async def never(_session: AsyncSession, _event: ReceivedEvent, _data: Note) -> None:
        raise NotYet

    room = Room(station, never)
    await room.inbound.receive([room.event("a", None)])
    ((_, sequence, reason),) = await room.parked()
    assert sequence is None
    assert "without a sequence it cannot wait" in reason


async def test_a_waiting_event_that_turns_out_as_poison_blocks_its_key(station: Station) -> None:
    answers: list[Exception] = [NotYet("far"), Poison("it can never be")]

    async def handle(_session: AsyncSession, event: ReceivedEvent, _data: Note) -> None:
        if event.key == "a":
            raise answers[0]

    room = Room(station, handle)
    await room.inbound.receive([room.event("a", 1)])
    answers.pop(0)
    await room.inbound.receive([room.event("far", 1)])
    assert await room.parked() == [("a", 1, "it can never be")]
    await room.inbound.receive([room.event("a", 2)])
    assert [each[:2] for each in await room.parked()] == [("a", 1), ("a", 2)]


async def test_an_event_whose_statement_takes_too_long_is_parked_in_the_end(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tolerated, "OVERRUNS", 3)

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        if event.key == "slow":
            await session.execute(text("SET LOCAL statement_timeout = 20"))
            await session.execute(text("SELECT pg_sleep(5)"))
        await keep_effect(session, event, data)

    room = Room(station, handle)
    batch = [room.event("a", 1), room.event("slow", 1), room.event("z", 1)]
    for _ in range(2):
        with pytest.raises(DBAPIError) as overrun:  # so that the partition rests before the next try
            await room.inbound.receive(batch)
        assert is_overrun(overrun.value)
        assert await room.parked() == []
    await room.inbound.receive(batch)
    assert await room.effects() == [("a", 1), ("z", 1)]
    assert await room.parked() == [("slow", 1, "a statement took too long 3 times")]


async def test_a_row_that_somebody_holds_for_long_parks_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tolerated, "OVERRUNS", 1)

    async def handle(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        await session.execute(text("SET LOCAL lock_timeout = 20"))
        await session.execute(text("SELECT pg_advisory_xact_lock(778899)"))
        await keep_effect(session, event, data)

    room = Room(station, handle)
    async with station.worker.transaction() as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(778899)"))
        for _ in range(7):
            with pytest.raises(DBAPIError):
                await room.inbound.receive([room.event("a", 1)])
    await room.inbound.receive([room.event("a", 1)])
    assert (await room.effects(), await room.parked()) == ([("a", 1)], [])

"""What operators decide on parked events, as the worker carries it out: in order, once, and whatever ends it midway."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from integration.kit.station import NOTED, Note, Station, changed, keep_effect
from integration.kit.ward import Ward
from lianhu_kit import envelope, parked, verdicts
from lianhu_kit.envelope import Record
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import NotYet, Poison, Subscription
from lianhu_kit.ledger import Ledger
from lianhu_kit.parking import BEHIND


@pytest.fixture
def ward(station: Station) -> Ward:
    """A consumer that can be made to refuse."""
    return Ward(station)


async def test_a_retry_applies_the_event_and_those_behind_it_in_order(ward: Ward) -> None:
    ward.bad["a2"] = Poison("not yet understood")
    await ward.inbound.receive([ward.event("a", n) for n in (1, 2, 3)])
    await ward.inbound.receive([ward.event("a", 4), ward.event("b", 1)])
    assert await ward.parked() == [("a", 2, "not yet understood"), ("a", 3, BEHIND), ("a", 4, BEHIND)]
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("b", 1)]  # nobody decided: nothing moves
    ward.bad.clear()
    await ward.decide((await ward.ids())[0], "retry")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert (await ward.parked(), await ward.waiting(), await ward.blocked()) == ([], [], None)
    await ward.inbound.receive([ward.event("a", 5)])
    assert (await ward.effects())[-1] == ("a", 5)


async def test_a_wrong_shape_is_taken_in_by_the_release_that_knows_it(ward: Ward) -> None:
    event = changed(ward.event("a", 1), ce_type=b"kit.note.written.v2")
    await ward.inbound.receive([event, ward.event("a", 2)])
    assert [each[:2] for each in await ward.parked()] == [("a", 1), ("a", 2)]
    read = Subscription(Note, keep_effect)
    release = ward.release({NOTED: read, "kit.note.written.v2": read})
    await ward.decide((await ward.ids())[1], "retry")  # any of the key will do
    await release.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 2)]
    assert await ward.parked() == []


async def test_what_fails_again_is_parked_anew_with_its_new_reason_and_can_be_decided_again(ward: Ward) -> None:
    ward.bad["a1"] = Poison("first reason")
    await ward.inbound.receive([ward.event("a", 1), ward.event("a", 2)])
    (first, _) = await ward.ids()
    ward.bad["a1"] = Poison("second reason")
    await ward.decide(first, "retry")
    await ward.inbound.retry_waiting()
    assert ("a", 1, "second reason") in await ward.parked()
    assert await ward.effects() == []
    assert await ward.blocked() == "second reason"
    again = (await ward.ids())[0]
    assert again != first
    ward.bad.clear()
    await ward.decide(again, "retry")
    await ward.inbound.retry_waiting()
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 2)]
    assert (await ward.parked(), await ward.waiting()) == ([], [])


async def test_a_dropped_event_is_passed_by_and_what_is_behind_it_flows(ward: Ward) -> None:
    ward.bad["a2"] = Poison("never")
    await ward.inbound.receive([ward.event("a", n) for n in (1, 2, 3, 4)])
    await ward.decide((await ward.ids())[0], "drop")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 3), ("a", 4)]
    assert (await ward.parked(), await ward.waiting(), await ward.blocked()) == ([], [], None)
    assert await ward.dropped() == [("a", 2)]
    assert await ward.last("a") == 4


async def test_what_was_dropped_is_not_parked_when_it_comes_again(ward: Ward) -> None:
    ward.bad["a1"] = Poison("never")
    first, second = ward.event("a", 1), ward.event("a", 2)
    await ward.inbound.receive([first, second])
    await ward.decide((await ward.ids())[0], "drop")
    await ward.inbound.retry_waiting()
    await ward.inbound.receive([first, second])
    assert (await ward.effects(), await ward.parked()) == ([("a", 2)], [])
    rebuilt = Ward(ward.station, ward.tenant)  # from the first event on, into books of its own
    rebuilt.bad = ward.bad
    await rebuilt.inbound.receive([second, first])
    assert (await rebuilt.parked(), await rebuilt.waiting(), await rebuilt.last("a")) == ([], [], 2)
    assert await ward.effects() == [("a", 2), ("a", 2)]


async def test_a_dropped_event_that_comes_again_before_its_turn_stays_dropped(ward: Ward) -> None:
    bad = ward.event("a", 2)
    ward.bad["a1"] = Poison("never")
    await ward.inbound.receive([ward.event("a", 1), bad, ward.event("a", 3)])
    first, second, _ = await ward.ids()
    await ward.decide(second, "drop")
    await ward.inbound.retry_waiting()
    assert [each[:2] for each in await ward.parked()] == [("a", 1), ("a", 3)]  # the first still holds them up
    await ward.inbound.receive([bad])
    assert [each[:2] for each in await ward.parked()] == [("a", 1), ("a", 3)]
    ward.bad.clear()
    await ward.decide(first, "retry")
    await ward.inbound._verdicts.carry_out()
    await ward.inbound.receive([ward.event("a", 1), bad])  # the stub's turn comes together with the event itself
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 3)]
    assert (await ward.parked(), await ward.waiting(), await ward.last("a")) == ([], [], 3)


async def test_a_gap_before_the_dropped_event_is_waited_for(ward: Ward) -> None:
    broken = Record(ward.topic, 0, 7, b"a", b"{no", ward.event("a", 3).headers)
    await ward.inbound.receive([broken, ward.event("a", 4)])
    await ward.decide((await ward.ids())[0], "drop")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == []
    await ward.inbound.receive([ward.event("a", 1)])
    await ward.inbound.receive([ward.event("a", 2)])
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 2), ("a", 4)]
    assert (await ward.parked(), await ward.waiting()) == ([], [])


async def test_what_cannot_be_read_stays_byte_for_byte_and_the_release_that_can_applies_it(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = "long" * 20
    sent = changed(ward.event("a", 1, id=id), more="更多".encode())
    good = Record(ward.topic, 4, 9, sent.key, sent.value, sent.headers)
    monkeypatch.setattr(envelope, "LONGEST_KEY", 50)
    await ward.inbound.receive([good, ward.event("a", 2)])
    (first, _) = await ward.ids()
    assert "over 50 characters" in (await ward.parked())[0][2]
    await ward.decide(first, "retry", "too early")
    await ward.inbound.retry_waiting()
    again = (await ward.ids())[0]
    assert again != first
    assert [each[:2] for each in await ward.parked()] == [("a", 2), ("a", 1)]
    kept = await ward.station.rows("SELECT * FROM parked WHERE id = :id", id=again)
    content = verdicts.parked_of(kept[0])
    assert (content.raw_key, content.value, content.at_partition, content.at_offset) == (b"a", good.value, 4, 9)
    monkeypatch.undo()
    await ward.decide(again, "retry")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 2)]
    found = await ward.station.rows("SELECT event_id FROM effects WHERE tenant = :t", ward.tenant, t=ward.tenant)
    assert found[0].event_id == id


async def test_two_that_cannot_be_read_are_decided_one_after_the_other(ward: Ward) -> None:
    def bad(sequence: int) -> Record:
        return Record(ward.topic, 0, 50 + sequence, b"a", b"{no", ward.event("a", sequence).headers)

    await ward.inbound.receive([bad(1), ward.event("a", 2), bad(3), ward.event("a", 4)])
    one, _, three, _ = await ward.ids()
    await ward.decide(one, "drop")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 2)]
    assert [each[:2] for each in await ward.parked()] == [("a", 3), ("a", 4)]
    await ward.inbound.receive([ward.event("a", 5)])
    await ward.decide(three, "drop")
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 2), ("a", 4), ("a", 5)]
    assert (await ward.parked(), await ward.waiting()) == ([], [])


async def test_an_event_without_a_sequence_is_tried_again_and_applied_once(ward: Ward) -> None:
    ward.bad["a"] = NotYet()
    event = ward.event("a", None)
    await ward.inbound.receive([event])
    (first,) = await ward.ids("")
    await ward.decide(first, "retry")
    await ward.inbound.retry_waiting()
    (again,) = await ward.ids("")
    assert again != first
    ward.bad.clear()
    await ward.decide(again, "retry")
    await ward.inbound.retry_waiting()
    await ward.inbound.retry_waiting()
    await ward.inbound.receive([event])
    assert (await ward.effects(), await ward.parked()) == ([("a", None)], [])


async def test_garbage_without_a_place_can_be_dropped_and_stays_dropped(ward: Ward) -> None:
    garbage = Record(ward.topic, 2, 31, None, b"\x00\xff", [("x", b"\xfe"), ("x", None)])
    await ward.inbound.receive([garbage])
    (one,) = await ward.ids("")
    await ward.decide(one, "drop")
    await ward.inbound.retry_waiting()
    await ward.inbound.receive([garbage])
    assert (await ward.parked(), await ward.dropped()) == ([], [("", None)])


async def test_on_a_compacted_topic_the_later_state_stands(ward: Ward) -> None:
    ward.bad["a4"] = Poison("never")
    await ward.inbound.receive([ward.event("a", 4, topic=ward.upserts), ward.event("a", 9, topic=ward.upserts)])
    await ward.decide((await ward.ids())[0], "drop")
    await ward.inbound.retry_waiting()
    await ward.inbound.retry_waiting()
    assert (await ward.effects(), await ward.last("a", ward.upserts), await ward.waiting()) == ([("a", 9)], 9, [])


async def test_two_decisions_at_once_and_one_counts(ward: Ward) -> None:
    ward.bad["a1"] = Poison("never")
    await ward.inbound.receive([ward.event("a", 1), ward.event("a", 2)])
    (one, _) = await ward.ids()
    both = await asyncio.gather(
        ward.decide(one, "drop", by="one"), ward.decide(one, "retry", by="other"), return_exceptions=True
    )
    assert sum(isinstance(each, parked.AlreadyDecided) for each in both) == 1
    made = await ward.station.rows("SELECT verdict FROM parked_decisions WHERE parked_id = :id", id=one)
    assert len(made) == 1
    other = next(each for each in both if isinstance(each, parked.AlreadyDecided))
    assert other.decision.verdict == made[0].verdict


async def test_the_same_decision_again_changes_nothing_and_two_workers_carry_it_out_once(ward: Ward) -> None:
    ward.bad["a1"] = Poison("never")
    await ward.inbound.receive([ward.event("a", n) for n in (1, 2, 3)])
    one = (await ward.ids())[0]
    await ward.decide(one, "drop")
    await ward.decide(one, "drop")
    await asyncio.gather(*(ward.inbound.retry_waiting() for _ in range(3)))
    again = await ward.decide(one, "drop")
    assert again.shown.state == "dropped"
    assert (await ward.effects(), await ward.dropped()) == ([("a", 2), ("a", 3)], [("a", 1)])


async def _cut(station: Station, session: Any) -> None:
    """Ends the transaction's connection as a crash would."""
    pid = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    connection = await asyncpg.connect(station.superuser)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await connection.close()


STEPS = ["lock", "wait", "forget", "pass_by"]


@pytest.mark.parametrize("verdict", ["drop", "retry"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_ends_midway_leaves_the_decision_to_the_next(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, verdict: parked.Verdict, step: str
) -> None:
    ward.bad["a2"] = Poison("never")
    await ward.inbound.receive([ward.event("a", n) for n in (1, 2, 3, 4)])
    await ward.decide((await ward.ids())[0], verdict)
    if verdict == "retry":
        ward.bad.clear()
    cuts = _falling(monkeypatch, ward.station, step)
    for _ in range(4):
        with suppress(DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await ward.inbound.retry_waiting()
    await ward.inbound.retry_waiting()
    passed = [("a", 2)] if verdict == "drop" else []
    assert await ward.effects() == [each for each in [("a", 1), ("a", 2), ("a", 3), ("a", 4)] if each not in passed]
    assert (await ward.dropped(), await ward.parked(), await ward.waiting()) == (passed, [], [])
    assert cuts or (verdict, step) == ("retry", "pass_by")


def _falling(monkeypatch: pytest.MonkeyPatch, station: Station, step: str) -> list[str]:
    """The first two transactions that come to this step of the books end there."""
    whole: Callable[..., Awaitable[Any]] = getattr(Ledger, step)
    cuts: list[str] = []

    async def fall(self: Ledger, *arguments: Any) -> Any:
        done = await whole(self, *arguments)
        if len(cuts) < 2:
            cuts.append(step)
            await _cut(station, self._session)
        return done

    monkeypatch.setattr(Ledger, step, fall)
    return cuts


async def test_nobody_changes_what_was_decided_or_dropped(ward: Ward) -> None:
    ward.bad["a1"] = Poison("never")
    await ward.inbound.receive([ward.event("a", 1)])
    await ward.decide((await ward.ids())[0], "drop", f"reason {new_id()}")
    await ward.inbound.retry_waiting()
    for url in (ward.station.superuser, ward.station.owner, ward.station.worker.url, ward.station.api.url):
        connection = await asyncpg.connect(url)
        try:
            for table, change in (("parked_decisions", "reason = 'x'"), ("dropped", "reason = 'x'")):
                for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                    with pytest.raises(asyncpg.PostgresError, match=r"is a record|permission denied"):
                        await connection.execute(statement)
        finally:
            await connection.close()

"""Moves that cross on the way: each has one stated end, in both orders."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from lianhu_kit.identifiers import new_id
from support.conditions import eventually

Village = Any
Stage = Any
ENDS = [
    ("withdrawn", "withdrawn", {}),
    ("merged", "merged", {"into": str(new_id()), "number_into": "48213074"}),
    ("referred", "referred", {}),
    ("answered", "completed", {}),
    ("reported-up", "with_town", {"to": "441702008"}),
]


@pytest.mark.parametrize(("type", "status", "data"), ENDS)
async def test_claimed_then_ended_cancels_and_frees_the_holder(
    here: Village, type: str, status: str, data: dict[str, Any]
) -> None:
    one = await here.person()
    request = await here.offered(one)
    assert (await here.act(one, request, "claim")).status_code == 200
    await here.move(request, type, status, **data)
    events = await here.stage.until(request, "routed", "offered", "claimed", "cancelled")
    assert (events[3].data["reason"], events[3].data["holders"]) == (type, [str(one)])
    assert events[3].data["state"] == "cancelled"
    late = await here.act(one, request, "complete", {"result": "x"})
    assert late.status_code == 409
    late = await here.act(one, request, "release", {"reason": "临时有事"})  # nothing was given back: no 200
    assert (late.status_code, late.json()["state"]) == (409, "cancelled")
    [load] = await here.stage.rows("SELECT load FROM volunteers WHERE id = :id", id=one, tenant=here.code)
    assert load.load == 0
    here.stage.gapless(request)


async def test_ended_then_claimed_refuses_the_claim(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.move(request, "withdrawn", "withdrawn")
    await here.stage.until(request, "routed", "offered", "cancelled")
    late = await here.act(one, request, "claim")
    assert (late.status_code, late.json()["state"], late.json()["allowed"]) == (409, "cancelled", [])
    assert here.stage.events(request)[-1].data["holders"] == []


async def test_a_withdrawal_and_claims_in_flight_end_cancelled_whoever_commits_first(here: Village) -> None:
    people = [await here.person(capacity=50) for _ in range(4)]
    requests = [await here.offered(*sorted(people)) for _ in range(8)]

    async def race(request: str) -> list[int]:
        _, *answers = await asyncio.gather(
            here.move(request, "withdrawn", "withdrawn"), *[here.act(person, request, "claim") for person in people]
        )
        return [answer.status_code for answer in answers]

    outcomes = await asyncio.gather(*[race(request) for request in requests])
    for request, statuses in zip(requests, outcomes, strict=True):
        cancelled = (await here.stage.until_last(request, "cancelled")).data
        assert statuses.count(200) == len(cancelled["holders"]) <= 1
        assert set(statuses) <= {200, 409}
        assert here.stage.types(request).count("claimed") == len(cancelled["holders"])
        here.stage.gapless(request)
    loads = await here.stage.rows("SELECT load FROM volunteers WHERE tenant = :tenant", tenant=here.code)
    assert [row.load for row in loads] == [0] * 4


async def test_completed_then_ended_leaves_the_work_counted(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    await here.act(one, request, "complete", {"result": "修好了"})
    await here.move(request, "withdrawn", "withdrawn")
    behind = await here.request(id=request, round=2)  # the same key: read after the withdrawal
    await here.stage.until_last(behind, "offered")
    assert here.stage.types(request)[:5] == ["routed", "offered", "claimed", "completed", "routed"]


async def test_an_end_of_what_was_never_dispatched_does_nothing(here: Village) -> None:
    unknown = str(new_id())
    await here.move(unknown, "withdrawn", "withdrawn")
    again = await here.request(id=unknown)
    events = await here.stage.until_last(again, "escalated")
    assert events.data["round"] == 1


async def test_referred_and_bounced_may_be_dispatched_again(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.move(request, "referred", "referred")
    await here.stage.until(request, "routed", "offered", "cancelled")
    await here.move(request, "agency-replied", "accepted", outcome="bounced")
    await here.request(id=request, round=2)
    events = await here.stage.until(request, "routed", "offered", "cancelled", "routed", "offered")
    assert {event.data["assignment_id"] for event in events[:3]}.isdisjoint({events[4].data["assignment_id"]})
    here.stage.gapless(request)


async def test_limits_that_moved_are_those_of_the_open_assignment(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    due, later = "2031-03-09T09:30:00+00:00", "2031-03-12T09:30:00+00:00"

    async def finish_is(expected: str) -> bool:
        [row] = await here.stage.rows(
            "SELECT limits ->> 'finish' AS finish FROM assignments WHERE request_id = :id", id=request, tenant=here.code
        )
        return datetime.fromisoformat(row.finish) == datetime.fromisoformat(expected)

    await here.move(request, "extended", "dispatched", limit="finish", due_at=due, was_due_at=due)
    await eventually(lambda: finish_is(due))
    await here.move(request, "resumed", "dispatched", limits={"contact": None, "finish": later})
    await eventually(lambda: finish_is(later))


async def test_a_newer_round_replaces_what_is_open(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.request(id=request, round=2)
    events = await here.stage.until(request, "routed", "offered", "cancelled", "routed", "offered")
    assert (events[2].data["reason"], events[2].data["round"]) == ("replaced", 1)
    await here.request(id=request, round=1)  # an older round never comes back
    await here.move(request, "withdrawn", "withdrawn")
    await here.stage.until(request, "routed", "offered", "cancelled", "routed", "offered", "cancelled")


async def test_a_claim_and_the_end_of_its_wave_do_not_hurt_each_other(stage: Stage, here: Village) -> None:
    there = await type(here)(stage).told(grid=1)
    one, other = await there.person(capacity=50), await there.person(grid=there.code + "002")
    await there.known(one, other)
    requests = [await there.request() for _ in range(10)]

    async def late_claim(request: str) -> int:
        await stage.until(request, "routed", "offered")
        until = stage.events(request)[1].data["offered_until"]
        await asyncio.sleep(max(0, (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()))
        return int((await there.act(one, request, "claim")).status_code)

    assert await asyncio.gather(*[late_claim(request) for request in requests]) == [200] * 10

    async def settled() -> bool:
        rows = await stage.rows("SELECT count(*) FROM timers WHERE tenant = :tenant", tenant=there.code)
        return bool(rows[0][0] == 0)

    await eventually(settled)
    for request in requests:
        await stage.until_last(request, "claimed")
        types = stage.types(request)
        assert types in (["routed", "offered", "claimed"], ["routed", "offered", "offered", "claimed"])
        stage.gapless(request)

"""The clock stands still, runs again, and a limit is made longer: asked by the village, decided one level up."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from lianhu_kit.database import enter_scope
from support import bearer
from support.people import token_of
from support.requests_rig import Place, Rig


def town(place: Place, person: UUID | None = None) -> dict[str, str]:
    """A supervisor of the village's town."""
    return bearer("supervisor", place.code[:9], person or uuid4())


def days(number: int) -> str:
    """So many days from now."""
    return (datetime.now(UTC) + timedelta(days=number)).isoformat()


def finish(state: Any) -> datetime:
    """When the work is due."""
    return datetime.fromisoformat(state["limits"]["finish"])


async def suspended(rig: Rig, place: Place, slip: Any) -> Any:
    """The request with its clock standing still, asked and granted."""
    await rig.move(place, slip, "suspend", {"until": days(5), "reason": "等配件到货"})
    return await rig.move(place, slip, "suspend", {"approve": True}, town(place))


async def test_the_village_asks_and_the_town_lets_the_clock_stand_still(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    state = await rig.move(place, slip, "suspend", {"until": days(5), "reason": "等配件到货"})
    assert (state["asked"]["what"], state["suspended_until"]) == ("suspend", None)
    assert "suspended" not in await rig.told(slip)
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    state = await rig.move(place, slip, "suspend", {"approve": True}, town(place))
    assert (state["status"], state["asked"]) == ("dispatched", None)
    assert state["suspended_until"]
    assert await rig.timers(slip) == {"suspension-over"}
    assert (await rig.get(place, slip))["notes"]["suspended"] == {"reason": "等配件到货"}
    assert "等配件" not in str([event.data for event in await rig.events(slip["id"])])
    path = f"/v1/requests/{slip['id']}/suspend"
    problem = await rig.refused(409, "POST", path, rig.clerk(place), {"until": days(6), "reason": "再等"})
    assert problem["type"].endswith("already-suspended")


async def test_the_clock_runs_again_by_call_or_by_itself_with_as_much_left(rig: Rig, place: Place) -> None:
    for by_itself in (False, True):
        slip = await rig.accepted(place)
        before = finish(await suspended(rig, place, slip))
        if by_itself:
            await rig.fire(slip, "suspension-over")
        else:
            await rig.move(place, slip, "resume")
        state = await rig.get(place, slip)
        assert state["suspended_until"] is None
        assert timedelta() < finish(state) - before < timedelta(minutes=5)
        assert datetime.fromisoformat((await rig.last(slip, "resumed"))["limits"]["finish"]) == finish(state)
        assert await rig.timers(slip) == {"contact-near", "finish-near"}
        path = f"/v1/requests/{slip['id']}/resume"
        problem = await rig.refused(409, "POST", path, rig.clerk(place))
        assert problem["type"].endswith("not-suspended")


async def test_work_done_while_the_clock_stood_still_ends_that(rig: Rig, place: Place) -> None:
    volunteer, slip = uuid4(), await rig.accepted(place)
    await suspended(rig, place, slip)
    await rig.claimed(place, slip, volunteer)
    await rig.done(place, slip, volunteer)
    state = await rig.get(place, slip)
    assert (state["status"], state["suspended_until"]) == ("completed", None)
    assert await rig.timers(slip) == {"confirm-near", "confirm-passed"}


async def test_an_urgent_request_does_not_stand_still(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    await suspended(rig, place, slip)
    state = await rig.move(place, slip, "accept", {"summary": "水管爆了", "urgent": True, "route": "none"})
    assert state["suspended_until"] is None
    assert (await rig.told(slip))[-2:] == ["resumed", "accepted"]
    assert await rig.timers(slip) == {"contact-near", "finish-near"}


async def test_the_town_refuses_what_was_asked(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    path, no = f"/v1/requests/{slip['id']}/suspend", {"approve": False, "reason": "可先上门"}
    problem = await rig.refused(409, "POST", path, town(place), no)
    assert problem["type"].endswith("nothing-asked")
    await rig.move(place, slip, "suspend", {"until": days(5), "reason": "等配件到货"})
    await rig.refused(403, "POST", path, rig.clerk(place), {"approve": True})
    both = token_of([("clerk", place.code), ("supervisor", place.code[:9])], place.clerk)
    problem = await rig.refused(403, "POST", path, {"Authorization": f"Bearer {both}"}, {"approve": True})
    assert problem["type"].endswith("own-decision")
    problem = await rig.refused(403, "POST", path, bearer("supervisor", place.code, uuid4()), {"approve": True})
    assert problem["type"].endswith("not-one-level-up")
    assert (await rig.move(place, slip, "suspend", no, town(place)))["asked"] is None
    assert "suspended" not in await rig.told(slip)


async def test_a_longer_limit_is_asked_and_granted_once(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    before = finish(await rig.get(place, slip))
    longer = days(4)
    await rig.move(place, slip, "extend", {"due_at": longer, "reason": "等配件到货"})
    state = await rig.move(place, slip, "extend", {"approve": True}, town(place))
    assert finish(state) == datetime.fromisoformat(longer)
    data = await rig.last(slip, "extended")
    assert (data["limit"], datetime.fromisoformat(data["was_due_at"])) == ("finish", before)
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    path = f"/v1/requests/{slip['id']}/extend"
    problem = await rig.refused(409, "POST", path, rig.clerk(place), {"due_at": days(9), "reason": "再等"})
    assert problem["type"].endswith("extended-before")


async def test_a_longer_limit_is_asked_before_it_passes_and_may_be_granted_after(rig: Rig, place: Place) -> None:
    early, late = [await rig.accepted(place) for _ in range(2)]
    await rig.move(place, early, "extend", {"due_at": days(4), "reason": "等配件到货"})
    async with rig.worker.database.transaction() as session:
        await enter_scope(session, place.code)
        await session.execute(
            text("UPDATE requests SET finish_due = :past WHERE id = ANY(CAST(:ids AS uuid[]))"),
            {"past": datetime.now(UTC) - timedelta(minutes=1), "ids": [early["id"], late["id"]]},
        )
    path = f"/v1/requests/{late['id']}/extend"
    problem = await rig.refused(409, "POST", path, rig.clerk(place), {"due_at": days(4), "reason": "等配件"})
    assert problem["type"].endswith("limit-over")
    await rig.move(place, early, "extend", {"approve": True}, town(place))
    assert (await rig.last(early, "extended"))["limit"] == "finish"
    await rig.move(place, late, "contacted", {"how": "phone"})
    body = {"limit": "contact", "due_at": days(4), "reason": "等配件"}
    assert (await rig.refused(409, "POST", path, rig.clerk(place), body))["type"].endswith("no-limit")
    await rig.refused(422, "POST", path, rig.clerk(place), {"reason": "等配件"})

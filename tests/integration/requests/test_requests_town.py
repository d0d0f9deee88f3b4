"""What the town decides: the review of a refusal."""

from typing import Any
from uuid import UUID, uuid4

from support import bearer
from support.people import token_of
from support.requests_rig import Place, Rig


def town(place: Place, person: UUID | None = None) -> dict[str, str]:
    """A supervisor of the village's town."""
    return bearer("supervisor", place.code[:9], person or uuid4())


async def refused_one(rig: Rig, place: Place) -> Any:
    """A request that the village refused."""
    slip = await rig.order(place)
    await rig.move(place, slip, "reject", {"reason": "不在服务范围"})
    return slip


async def test_an_overturned_refusal_is_taken_on_and_its_clock_runs_again(rig: Rig, place: Place) -> None:
    slip, reviewer = await refused_one(rig, place), uuid4()
    assert await rig.timers(slip) == set()
    body = {"outcome": "overturned", "reason": "属于服务范围", "summary": "水龙头漏水"}
    state = await rig.move(place, slip, "review", body, town(place, reviewer))
    assert (state["status"], state["closed_at"], state["summary"]) == ("accepted", None, "水龙头漏水")
    data = await rig.last(slip, "reviewed")
    assert (data["outcome"], data["status"], data["by"]) == ("overturned", "accepted", str(reviewer))
    assert "属于服务范围" not in str([event.data for event in await rig.events(slip["id"])])
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    assert (await rig.move(place, slip, "dispatch", {"route": "volunteers"}))["status"] == "dispatched"


async def test_one_that_has_no_summary_gets_it_with_the_dispatch(rig: Rig, place: Place) -> None:
    slip = await refused_one(rig, place)
    await rig.move(place, slip, "review", {"outcome": "overturned", "reason": "应当受理"}, town(place))
    path = f"/v1/requests/{slip['id']}/dispatch"
    problem = await rig.refused(409, "POST", path, rig.clerk(place), {"route": "volunteers"})
    assert problem["type"].endswith("no-summary")
    body = {"route": "volunteers", "summary": "电话 13900000001"}
    await rig.refused(422, "POST", path, rig.clerk(place), body)
    assert (await rig.move(place, slip, "dispatch", {**body, "summary": "水龙头漏水"}))["status"] == "dispatched"


async def test_an_upheld_refusal_stays_ended(rig: Rig, place: Place) -> None:
    slip = await refused_one(rig, place)
    state = await rig.move(place, slip, "review", {"outcome": "upheld", "reason": "维持"}, town(place))
    assert state["status"] == "rejected"
    assert state["closed_at"] is not None
    assert (await rig.last(slip, "reviewed"))["outcome"] == "upheld"
    assert await rig.timers(slip) == set()
    path, body = f"/v1/requests/{slip['id']}/review", {"outcome": "upheld", "reason": "维持", "summary": "水龙头"}
    await rig.refused(422, "POST", path, town(place), body)


async def test_only_the_town_reviews_and_not_who_refused(rig: Rig, place: Place) -> None:
    slip = await refused_one(rig, place)
    path, body = f"/v1/requests/{slip['id']}/review", {"outcome": "overturned", "reason": "应当受理"}
    await rig.refused(401, "POST", path, None, body)
    await rig.refused(403, "POST", path, rig.clerk(place), body)
    problem = await rig.refused(403, "POST", path, bearer("supervisor", place.code, uuid4()), body)
    assert problem["type"].endswith("not-one-level-up")
    await rig.refused(404, "POST", path, bearer("supervisor", "110101001", uuid4()), body)
    both = token_of([("clerk", place.code), ("supervisor", place.code[:9])], place.clerk)
    problem = await rig.refused(403, "POST", path, {"Authorization": f"Bearer {both}"}, body)
    assert problem["type"].endswith("own-decision")
    assert await rig.told(slip) == ["submitted", "rejected"]


async def test_only_a_refusal_is_reviewed(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    path = f"/v1/requests/{slip['id']}/review"
    problem = await rig.refused(409, "POST", path, town(place), {"outcome": "upheld", "reason": "维持"})
    assert problem["state"] == "submitted"

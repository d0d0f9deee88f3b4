"""What the town decides: the review of a refusal, what is reported up."""

from typing import Any
from uuid import UUID, uuid4

import pytest

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


@pytest.mark.parametrize("accept", [None, {"route": "none"}, {}])
async def test_what_is_beyond_the_village_is_reported_up_and_sent_back(rig: Rig, place: Place, accept: Any) -> None:
    slip = await rig.order(place) if accept is None else await rig.accepted(place, accept=accept)
    state = await rig.move(place, slip, "report-up", {"reason": "村里没有经费"})
    assert state["status"] == "with_town"
    data = await rig.last(slip, "reported-up")
    assert (data["to"], data["by"]) == (place.code[:9], str(place.clerk))
    assert await rig.timers(slip) == {"contact-near", "finish-near"}  # the clock runs on
    state = await rig.move(place, slip, "send-back", {"reason": "用村里的专项资金"}, town(place))
    assert state["status"] == "accepted"
    assert (await rig.last(slip, "sent-back"))["unit"] == place.code[:9]
    travelled = str([event.data for event in await rig.events(slip["id"])])
    assert "经费" not in travelled
    assert "专项资金" not in travelled
    again = {"route": "volunteers", "summary": "水龙头漏水"}
    assert (await rig.move(place, slip, "dispatch", again))["status"] == "dispatched"


@pytest.mark.parametrize(
    ("move", "body", "status"),
    [
        ("answer", {"text": "已列入计划", "source": "镇里通知"}, "completed"),
        ("refer", {"agency": "水务局", "reference": "1"}, "referred"),
        ("dispatch", {"route": "volunteers", "summary": "水龙头漏水"}, "dispatched"),
    ],
)
async def test_with_the_town_only_the_town_decides(rig: Rig, place: Place, move: str, body: Any, status: str) -> None:
    slip, headers = await rig.order(place), town(place)
    path = f"/v1/requests/{slip['id']}/{move}"
    problem = await rig.refused(403, "POST", path, headers, body)
    assert problem["type"].endswith("with-village")
    await rig.move(place, slip, "report-up", {"reason": "村里办不了"})
    for other in (rig.clerk(place), bearer("supervisor", place.code, uuid4())):
        problem = await rig.refused(403, "POST", path, other, body)
        assert problem["type"].endswith("not-one-level-up")
    assert (await rig.move(place, slip, move, body, headers))["status"] == status


async def test_the_town_takes_what_it_wants_to_decide(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    county = bearer("supervisor", place.code[:6], uuid4())
    assert (await rig.move(place, slip, "report-up", {"reason": "涉及多村"}, county))["status"] == "with_town"
    assert (await rig.last(slip, "reported-up"))["to"] == place.code[:6]


async def test_reported_up_while_a_claim_is_in_flight_stays_with_the_town(rig: Rig, place: Place) -> None:
    volunteer, slip = uuid4(), await rig.accepted(place)
    await rig.move(place, slip, "report-up", {"reason": "村里办不了"})
    await rig.claimed(place, slip, volunteer)
    assert (await rig.get(place, slip))["status"] == "with_town"
    await rig.dispatch(place, slip, "cancelled", "cancelled", reason="reported-up", holders=[str(volunteer)])
    assert (await rig.get(place, slip))["status"] == "with_town"


async def test_claimed_first_it_is_not_reported_up(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    await rig.claimed(place, slip, uuid4())
    problem = await rig.refused(
        409, "POST", f"/v1/requests/{slip['id']}/report-up", rig.clerk(place), {"reason": "村里办不了"}
    )
    assert problem["state"] == "claimed"
    assert "return" in problem["allowed"]

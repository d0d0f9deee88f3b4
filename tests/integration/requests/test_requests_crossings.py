"""Two services own half of the story each: every crossing has one end, whichever half arrives first."""

from uuid import uuid4

from support import bearer
from support.requests_rig import Place, Rig


async def test_claimed_done_and_confirmed(rig: Rig, place: Place) -> None:
    volunteer = uuid4()
    slip = await rig.accepted(place)
    await rig.dispatch(place, slip, "offered", "offered", wave=1, audience="grid", people=[], offered_until=None)
    assert (await rig.get(place, slip))["status"] == "dispatched"
    await rig.claimed(place, slip, volunteer)
    assert (await rig.get(place, slip))["status"] == "claimed"
    await rig.dispatch(
        place, slip, "checked-in", "in_progress", person=str(volunteer), at="2026-03-01T08:00:00+08:00", taken=1
    )
    assert (await rig.get(place, slip))["status"] == "in_progress"
    await rig.done(place, slip, volunteer)
    shown = await rig.get(place, slip)
    assert shown["status"] == "completed"
    assert shown["confirm_by"]
    data = await rig.last(slip, "completed")
    assert (data["via"], data["round"], data["evidence"], data["by"]) == ("dispatch", 1, "photo", None)
    steps = (await rig.good("GET", f"/v1/requests/{slip['id']}/timeline", rig.clerk(place)))["steps"]
    assert [(step["service"], step["step"]) for step in steps] == [
        ("requests", "submitted"), ("requests", "accepted"), ("requests", "dispatch-requested"),
        ("dispatch", "offered"), ("dispatch", "claimed"), ("dispatch", "checked-in"), ("dispatch", "completed"),
        ("requests", "completed"),
    ]  # fmt: skip
    assert [step.get("by") for step in steps] == [None, "示*", "示*", None, "义*", "义*", "义*", None]


async def test_two_places_claim_and_complete_one_after_the_other(rig: Rig, place: Place) -> None:
    one, two = uuid4(), uuid4()
    slip = await rig.accepted(place, accept={"places": 2})
    await rig.claimed(place, slip, one, state="offered", places=2)
    assert (await rig.get(place, slip))["status"] == "dispatched"
    await rig.claimed(place, slip, two, places=2, taken=2)
    assert (await rig.get(place, slip))["status"] == "claimed"
    await rig.dispatch(place, slip, "released", "offered", person=str(one), places=2, taken=1)
    assert (await rig.get(place, slip))["status"] == "dispatched"
    await rig.claimed(place, slip, one, places=2, taken=2)
    await rig.done(place, slip, one, state="in_progress", last=False, places=2, taken=2)
    assert (await rig.get(place, slip))["status"] == "in_progress"
    await rig.done(place, slip, two, places=2, taken=2)
    assert (await rig.get(place, slip))["status"] == "completed"
    assert (await rig.told(slip)).count("completed") == 1


async def test_returned_is_sent_out_again_in_a_new_round(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    await rig.dispatch(place, slip, "returned", "returned")
    assert (await rig.get(place, slip))["status"] == "accepted"
    await rig.move(place, slip, "dispatch", {"route": "volunteers"})
    assert (await rig.last(slip, "dispatch-requested"))["round"] == 2
    # What an earlier round still says moves nothing.
    await rig.claimed(place, slip, uuid4(), round=1)
    assert (await rig.get(place, slip))["status"] == "dispatched"
    await rig.claimed(place, slip, uuid4(), round=2)
    assert (await rig.get(place, slip))["status"] == "claimed"


async def test_withdrawn_before_the_claim_arrives(rig: Rig, place: Place) -> None:
    volunteer = uuid4()
    slip = await rig.accepted(place)
    await rig.move(place, slip, "withdraw")
    await rig.claimed(place, slip, volunteer)
    assert (await rig.get(place, slip))["status"] == "withdrawn"
    await rig.dispatch(place, slip, "cancelled", "cancelled", reason="withdrawn", holders=[str(volunteer)])
    assert (await rig.get(place, slip))["status"] == "withdrawn"
    assert (await rig.told(slip))[-1] == "withdrawn"


async def test_withdrawn_after_the_claim_arrived(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place)
    await rig.claimed(place, slip, uuid4())
    assert (await rig.move(place, slip, "withdraw"))["status"] == "withdrawn"


async def test_withdrawn_before_completion_stays_withdrawn_and_the_work_is_kept(rig: Rig, place: Place) -> None:
    volunteer = uuid4()
    slip = await rig.accepted(place)
    await rig.claimed(place, slip, volunteer)
    await rig.move(place, slip, "withdraw")
    await rig.done(place, slip, volunteer)
    assert (await rig.get(place, slip))["status"] == "withdrawn"
    assert "completed" not in await rig.told(slip)
    steps = (await rig.good("GET", f"/v1/requests/{slip['id']}/timeline", rig.clerk(place)))["steps"]
    assert (steps[-1]["service"], steps[-1]["step"]) == ("dispatch", "completed")


async def test_completed_before_withdrawal_stays_completed(rig: Rig, place: Place) -> None:
    volunteer = uuid4()
    slip = await rig.accepted(place)
    await rig.claimed(place, slip, volunteer)
    await rig.done(place, slip, volunteer)
    problem = await rig.refused(409, "POST", f"/v1/requests/{slip['id']}/withdraw", rig.clerk(place), {})
    assert problem["state"] == "completed"


async def test_merged_or_referred_while_a_claim_is_in_flight(rig: Rig, place: Place) -> None:
    leader = await rig.order(place)
    for move, body, status in (
        ("merge", {"into": leader["id"]}, "merged"),
        ("refer", {"agency": "水务", "reference": "1"}, "referred"),
    ):
        slip = await rig.accepted(place)
        await rig.move(place, slip, move, body)
        await rig.claimed(place, slip, uuid4())
        assert (await rig.get(place, slip))["status"] == status
        # The other order: the claim has arrived, so there is work in hand.
        slip = await rig.accepted(place)
        await rig.claimed(place, slip, uuid4())
        problem = await rig.refused(409, "POST", f"/v1/requests/{slip['id']}/{move}", rig.clerk(place), body)
        assert problem["state"] == "claimed"


async def test_contact_details_open_with_the_claim_and_close_with_completion(rig: Rig, place: Place) -> None:
    person = uuid4()
    volunteer = bearer("volunteer", place.grid, person)
    slip = await rig.order(place, grid=place.grid)
    path = f"/v1/requests/{slip['id']}/contact"
    await rig.refused(404, "GET", path, volunteer)
    await rig.move(place, slip, "accept", {"summary": "水龙头漏水"})
    problem = await rig.refused(409, "GET", path, volunteer)
    assert problem["type"].endswith("not-yet")
    await rig.claimed(place, slip, person)
    assert (await rig.good("GET", path, volunteer))["phone"] == "13900000001"
    assert (await rig.good("GET", f"/v1/requests/{slip['id']}", volunteer))["text"] == "厨房水龙头漏水"
    assert [item["id"] for item in (await rig.good("GET", "/v1/requests", volunteer))["items"]] == [slip["id"]]
    await rig.refused(404, "GET", path, bearer("volunteer", place.code, uuid4()))
    await rig.done(place, slip, person)
    problem = await rig.refused(403, "GET", path, volunteer)
    assert problem["type"].endswith("contact-closed")
    assert "text" not in await rig.good("GET", f"/v1/requests/{slip['id']}", volunteer)


async def test_other_roles_and_the_contact_details(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place, grid=place.grid)
    path = f"/v1/requests/{slip['id']}/contact"
    await rig.refused(401, "GET", path)
    for role in ("operator", "admin", "integrator"):
        await rig.refused(403, "GET", path, bearer(role, place.code))
    await rig.refused(403, "GET", path, bearer("supervisor", place.code[:9]))
    assert (await rig.good("GET", path, bearer("grid_leader", place.grid)))["name"] == "测试甲"
    await rig.refused(404, "GET", path, bearer("grid_leader", place.code + "002"))
    await rig.refused(404, "GET", path, bearer("resident", "", uuid4()))
    person = uuid4()
    await rig.claimed(place, slip, person)
    await rig.done(place, slip, person)
    await rig.refused(403, "GET", path, bearer("grid_leader", place.grid))
    callback = {"solved": "no", "grade": 1, "by": "callback"}
    await rig.good("POST", f"/v1/requests/{slip['id']}/confirm", bearer("supervisor", place.code[:9]), callback)
    assert (await rig.good("GET", path, bearer("supervisor", place.code[:9])))["name"] == "测试甲"

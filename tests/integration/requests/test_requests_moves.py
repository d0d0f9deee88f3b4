"""Each move: its happy path, what it tells, who may not, and what the state does not allow."""

from typing import Any
from uuid import uuid4

import pytest

from support import bearer, village
from support.requests_rig import Place, Rig


async def test_asked_once_and_replied(rig: Rig, place: Place) -> None:
    slip = await rig.order(place, service="errand", answers={"matter": "join"})
    state = await rig.move(place, slip, "ask", {"missing": ["身份证复印件", "授权书"]})
    assert state["status"] == "awaiting_resident"
    assert (await rig.last(slip, "asked"))["missing_count"] == 2
    assert (await rig.get(place, slip))["notes"]["asked"] == {"missing": ["身份证复印件", "授权书"]}
    problem = await rig.refused(
        422,
        "POST",
        f"/v1/requests/{slip['id']}/reply",
        rig.clerk(place),
        {"text": "带来了", "answers": {"matter": "moon"}},
    )
    assert problem["errors"][0]["field"] == "answers.matter"
    state = await rig.move(place, slip, "reply", {"text": "带来了"})
    assert state["status"] == "submitted"
    assert await rig.told(slip) == ["submitted", "asked", "replied"]


async def test_the_resident_replies_to_their_own_only(rig: Rig, place: Place) -> None:
    me, other = bearer("resident", "", uuid4()), bearer("resident", "", uuid4())
    slip = await rig.order(place, me)
    await rig.move(place, slip, "ask", {"missing": ["照片"]})
    await rig.refused(404, "POST", f"/v1/requests/{slip['id']}/reply", other, {"text": "有了"})
    assert (await rig.move(place, slip, "reply", {"text": "有了"}, me))["status"] == "submitted"


async def test_accepted_goes_out_in_the_same_transaction(rig: Rig, place: Place) -> None:
    slip = await rig.order(place, grid=place.grid)
    state = await rig.move(place, slip, "accept", {"summary": "厨房水龙头漏水", "grid": place.code + "002"})
    assert state["status"] == "dispatched"
    assert state["round"] == 1
    assert await rig.told(slip) == ["submitted", "accepted", "dispatch-requested"]
    events = await rig.events(slip["id"])
    assert events[1].time == events[2].time
    _, accepted, data = await rig.data(slip["id"])
    assert accepted["status"] == "accepted"
    assert (data["route"], data["staff"], data["places"], data["minor"], data["exclude"]) == (
        "volunteers",
        None,
        1,
        False,
        [],
    )
    assert (data["summary"], data["grid"], data["number"]) == ("厨房水龙头漏水", place.code + "002", slip["number"])
    assert data["by"] == str(place.clerk)


async def test_accepted_without_a_route_waits_for_the_dispatcher(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place, accept={"route": "none"})
    assert (await rig.get(place, slip))["status"] == "accepted"
    secretary = bearer("branch_secretary", place.code)
    state = await rig.move(place, slip, "dispatch", {"route": "staff", "staff": str(place.worker)}, secretary)
    assert state["status"] == "dispatched"
    assert (await rig.last(slip, "dispatch-requested"))["staff"] == str(place.worker)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"summary": "电话 139 0000 0001"}, "summary"),
        ({"summary": "电话 １３９００００－０００１"}, "summary"),
        ({"summary": "帮测试甲修水龙头"}, "summary"),
        ({"summary": "示例村3巷12号漏水"}, "summary"),
        ({"summary": ""}, "summary"),
        ({}, "summary"),
        ({"summary": "漏水", "route": "staff"}, "staff"),
        ({"summary": "漏水", "route": "staff", "staff": "00000000-0000-4000-8000-000000000009"}, "staff"),
        ({"summary": "漏水", "staff": "00000000-0000-4000-8000-000000000009"}, "staff"),
        ({"summary": "漏水", "route": "none", "places": 2}, "route"),
        ({"summary": "漏水", "route": "by owl"}, "route"),
        ({"summary": "漏水", "grid": "441702008205001"}, "grid"),
        ({"summary": "漏水", "places": 0}, "places"),
        ({"summary": "漏水", "places": "many"}, "places"),
    ],
)
async def test_an_acceptance_that_may_not_travel_changes_nothing(rig: Rig, place: Place, body: Any, field: Any) -> None:
    slip = await rig.order(place, contact={"name": "测试甲", "phone": "13900000001"}, address="示例村3巷12号")
    problem = await rig.refused(422, "POST", f"/v1/requests/{slip['id']}/accept", rig.clerk(place), body)
    assert field in [error["field"] for error in problem["errors"]]
    assert "13900000001" not in str(problem)
    assert (await rig.get(place, slip))["status"] == "submitted"
    assert await rig.told(slip) == ["submitted"]


async def test_urgent_limits_are_round_the_clock_and_never_later(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    state = await rig.move(place, slip, "accept", {"summary": "漏水很急", "urgent": True})
    assert state["limits"]["contact"] < slip["limits"]["contact"]
    assert state["limits"]["finish"] < slip["limits"]["finish"]
    assert (await rig.last(slip, "accepted"))["urgent"] is True


async def test_a_visit_to_a_child_seeks_two(rig: Rig, place: Place) -> None:
    now = (await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place)))["as_of"]
    consent = {"name": "测试己", "phone": "13900000006", "at": now}
    slip = await rig.order(
        place, service="lesson", served={"kind": "child", "name": "测试小庚", "guardian_consent": consent},
        contact={"name": "测试己", "phone": "13900000006"},
    )  # fmt: skip
    path = f"/v1/requests/{slip['id']}/accept"
    problem = await rig.refused(422, "POST", path, rig.clerk(place), {"summary": "辅导功课", "places": 1})
    assert problem["errors"][0]["field"] == "places"
    await rig.move(place, slip, "accept", {"summary": "辅导功课"})
    data = await rig.last(slip, "dispatch-requested")
    assert (data["minor"], data["places"]) == (True, 2)


async def test_rejected_with_a_reason(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    assert (await rig.move(place, slip, "reject", {"reason": "属于开发商保修"}))["status"] == "rejected"
    assert await rig.told(slip) == ["submitted", "rejected"]
    assert await rig.timers(slip) == set()
    assert (await rig.get(place, slip))["notes"]["rejected"] == {"reason": "属于开发商保修"}


async def test_answered_at_once_with_its_source(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place, accept={"route": "none"})
    state = await rig.move(place, slip, "answer", {"text": "每月十号发放。", "source": "村务公开栏第 3 号"})
    assert state["status"] == "completed"
    assert await rig.told(slip) == ["submitted", "accepted", "answered", "completed"]
    data = await rig.last(slip, "completed")
    assert (data["via"], data["evidence"], data["round"]) == ("answer", "source", None)
    assert await rig.timers(slip) == {"confirm-near", "confirm-passed"}


async def test_referred_bounced_referred_again_and_done(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place, accept={"route": "none"})
    refer = {"agency": "镇交警中队", "reference": "JJ-2026-001"}
    assert (await rig.move(place, slip, "refer", refer))["status"] == "referred"
    assert (await rig.move(place, slip, "agency-reply", {"text": "不归我们", "outcome": "bounced"}))[
        "status"
    ] == "accepted"
    await rig.move(place, slip, "refer", refer)
    assert (await rig.move(place, slip, "agency-reply", {"text": "已划线", "outcome": "done"}))["status"] == "completed"
    assert await rig.told(slip) == [
        "submitted", "accepted", "referred", "agency-replied", "referred", "agency-replied", "completed",
    ]  # fmt: skip
    assert (await rig.last(slip, "completed"))["via"] == "agency"


async def test_duplicates_are_offered_and_merged(rig: Rig, place: Place) -> None:
    leader = await rig.order(place, grid=place.grid)
    twin = await rig.order(place, grid=place.grid)
    elsewhere = await rig.order(place, grid=place.code + "002")
    offered = await rig.good("GET", f"/v1/requests/{twin['id']}/duplicates", rig.clerk(place))
    assert [item["id"] for item in offered["items"]] == [leader["id"]]
    state = await rig.move(place, twin, "merge", {"into": leader["id"]})
    assert (state["status"], state["merged_into"]) == ("merged", leader["id"])
    data = await rig.last(twin, "merged")
    assert (data["into"], data["number_into"]) == (leader["id"], leader["number"])
    assert await rig.told(leader) == ["submitted"]
    path = f"/v1/requests/{elsewhere['id']}/merge"
    problem = await rig.refused(409, "POST", path, rig.clerk(place), {"into": twin["id"]})
    assert problem["type"].endswith("not-mergeable")
    await rig.refused(422, "POST", path, rig.clerk(place), {"into": elsewhere["id"]})
    await rig.refused(422, "POST", path, rig.clerk(place), {"into": str(uuid4())})
    foreign = await rig.order(await rig.village())
    await rig.refused(422, "POST", path, rig.clerk(place), {"into": foreign["id"]})


async def test_withdrawn_by_the_resident(rig: Rig, place: Place) -> None:
    me = bearer("resident", "", uuid4())
    slip = await rig.order(place, me)
    assert (await rig.move(place, slip, "withdraw", {"reason": "修好了"}, me))["status"] == "withdrawn"
    assert await rig.told(slip) == ["submitted", "withdrawn"]
    assert await rig.timers(slip) == set()
    problem = await rig.refused(409, "POST", f"/v1/requests/{slip['id']}/withdraw", me, {})
    assert problem["type"].endswith("illegal-transition")
    assert (problem["state"], problem["allowed"]) == ("withdrawn", [])


async def test_contacted_meets_the_contact_limit_once(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    state = await rig.move(place, slip, "contacted", {"how": "phone"})
    assert state["contacted_at"] is not None
    assert state["status"] == "submitted"
    await rig.move(place, slip, "contacted", {"how": "visit"})
    assert await rig.told(slip) == ["submitted", "contacted"]
    assert await rig.timers(slip) == {"finish-near"}


async def test_an_illegal_move_names_the_state_and_what_is_allowed(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    problem = await rig.refused(
        409, "POST", f"/v1/requests/{slip['id']}/answer", rig.clerk(place), {"text": "好", "source": "书"}
    )
    assert problem["type"].endswith("illegal-transition")
    assert problem["state"] == "submitted"
    allowed = "ask accept reject merge transfer report-up withdraw contacted suspend resume extend"
    assert problem["allowed"] == allowed.split()
    assert await rig.told(slip) == ["submitted"]


MOVES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("ask", {"missing": ["照片"]}, {"clerk"}),
    ("reply", {"text": "有了"}, {"clerk", "grid_worker", "resident"}),
    ("accept", {"summary": "漏水"}, {"clerk"}),
    ("reject", {"reason": "不归村里"}, {"clerk"}),
    ("dispatch", {"route": "volunteers"}, {"clerk", "branch_secretary", "supervisor"}),
    ("answer", {"text": "好", "source": "书"}, {"clerk", "supervisor"}),
    ("refer", {"agency": "水务", "reference": "1"}, {"clerk", "supervisor"}),
    ("review", {"outcome": "upheld", "reason": "维持"}, {"supervisor"}),
    ("report-up", {"reason": "村里办不了"}, {"clerk", "supervisor"}),
    ("suspend", {"reason": "等材料"}, {"clerk", "supervisor"}),
    ("resume", {}, {"clerk", "supervisor"}),
    ("extend", {"reason": "等配件"}, {"clerk", "supervisor"}),
    ("send-back", {"reason": "村里可办"}, {"supervisor"}),
    ("agency-reply", {"text": "好", "outcome": "done"}, {"clerk", "supervisor"}),
    ("merge", {"into": "00000000-0000-4000-8000-000000000009"}, {"clerk"}),
    ("split", {"reason": "不是同一件事"}, {"clerk"}),
    ("withdraw", {}, {"clerk", "resident"}),
    (
        "confirm",
        {"solved": "yes", "grade": 5},
        {"clerk", "supervisor", "grid_worker", "grid_leader", "branch_secretary", "resident"},
    ),
    ("reopen", {"reason": "又漏"}, {"clerk", "supervisor", "resident"}),
    (
        "contacted",
        {"how": "phone"},
        {"clerk", "grid_worker", "grid_leader", "branch_secretary", "volunteer", "supervisor"},
    ),
]
ROLES = (
    "resident", "volunteer", "grid_worker", "grid_leader", "branch_secretary", "clerk", "supervisor", "integrator",
    "operator", "admin", "service",
)  # fmt: skip


@pytest.mark.parametrize(("move", "body", "roles"), MOVES)
async def test_no_token_wrong_role_other_village(rig: Rig, place: Place, move: Any, body: Any, roles: Any) -> None:
    slip = await rig.order(place)
    path = f"/v1/requests/{slip['id']}/{move}"
    await rig.refused(401, "POST", path, None, body)
    await rig.refused(401, "POST", path, {"Authorization": "Bearer nonsense"}, body)
    for role in ROLES:
        status = 404 if role in roles else 403
        await rig.refused(status, "POST", path, bearer(role, village()), body)
    assert await rig.told(slip) == ["submitted"]


async def test_a_grids_role_reaches_its_grid_only(rig: Rig, place: Place) -> None:
    here = await rig.order(place, grid=place.grid)
    there = await rig.order(place, grid=place.code + "002")
    leader = bearer("grid_leader", place.grid)
    assert (await rig.move(place, here, "contacted", {"how": "visit"}, leader))["contacted_at"]
    await rig.refused(404, "POST", f"/v1/requests/{there['id']}/contacted", leader, {"how": "visit"})
    listed = await rig.good("GET", "/v1/requests", leader)
    assert [item["id"] for item in listed["items"]] == [here["id"]]
    await rig.refused(404, "GET", f"/v1/requests/{there['id']}", leader)


async def test_text_is_not_for_everyone(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    path = f"/v1/requests/{slip['id']}"
    for role in ("clerk", "branch_secretary", "grid_leader"):
        assert (await rig.good("GET", path, bearer(role, place.code)))["text"] == "厨房水龙头漏水"
    for at in (place.code, place.code[:9], place.code[:4]):
        seen = await rig.good("GET", path, bearer("supervisor", at))
        assert "text" not in seen
        assert "summary" in seen
    seen = await rig.good("GET", path, bearer("integrator", place.code))
    assert not {"text", "summary", "contact", "notes"} & set(seen)
    await rig.refused(403, "GET", path, bearer("operator", place.code))
    await rig.refused(404, "GET", path, bearer("volunteer", place.code))
    await rig.refused(404, "GET", path, bearer("clerk", village()))
    await rig.refused(404, "GET", f"/v1/requests/{uuid4()}", rig.clerk(place))
    await rig.refused(422, "GET", "/v1/requests/not-an-id", rig.clerk(place))


async def test_lists_are_filtered_and_paged(rig: Rig, place: Place) -> None:
    slips = [await rig.order(place) for _ in range(3)]
    await rig.move(place, slips[1], "reject", {"reason": "重复"})
    clerk = rig.clerk(place)
    first = await rig.good("GET", f"/v1/requests?tenant={place.code}&limit=2", clerk)
    assert [item["id"] for item in first["items"]] == [slips[2]["id"], slips[1]["id"]]
    rest = await rig.good("GET", f"/v1/requests?tenant={place.code}&limit=2&after={first['next']}", clerk)
    assert [item["id"] for item in rest["items"]] == [slips[0]["id"]]
    assert "next" not in rest
    rejected = await rig.good("GET", "/v1/requests?status=rejected&status=merged", clerk)
    assert [item["id"] for item in rejected["items"]] == [slips[1]["id"]]
    by_number = await rig.good("GET", f"/v1/requests?number={slips[0]['number']}", clerk)
    assert [item["id"] for item in by_number["items"]] == [slips[0]["id"]]
    await rig.refused(404, "GET", f"/v1/requests?tenant={village()}", clerk)
    for bad in ("status=lost", "tenant=x", "limit=201", "after=!!", "after=bm8", "number=1"):
        await rig.refused(422, "GET", f"/v1/requests?{bad}", clerk)


async def test_counts_by_status_and_span(rig: Rig, place: Place) -> None:
    await rig.order(place)
    await rig.move(place, await rig.order(place), "withdraw")
    found = await rig.good("GET", f"/v1/counts?org={place.code}", bearer("supervisor", place.code[:9]))
    assert (found["by_status"]["submitted"], found["by_status"]["withdrawn"], sum(found["by_status"].values())) == (
        1,
        1,
        2,
    )
    past = await rig.good("GET", f"/v1/counts?org={place.code}&from=2020-01-01&to=2020-12-31", rig.clerk(place))
    assert sum(past["by_status"].values()) == 0
    ever = await rig.good("GET", f"/v1/counts?org={place.code}&from=2020-01-01T00:00:00%2B08:00", rig.clerk(place))
    assert sum(ever["by_status"].values()) == 2
    await rig.refused(404, "GET", f"/v1/counts?org={place.code[:9]}", rig.clerk(place))
    await rig.refused(403, "GET", f"/v1/counts?org={place.code}", bearer("volunteer", place.code))
    await rig.refused(422, "GET", f"/v1/counts?org={place.code}&from=yesterday", rig.clerk(place))
    await rig.refused(422, "GET", "/v1/counts?org=x", rig.clerk(place))

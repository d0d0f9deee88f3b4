"""Asked by name, ordered, giving back, and who may decide about it."""

from typing import Any

import pytest

from lianhu_kit.identifiers import new_id
from support.conditions import eventually

Village = Any
Stage = Any


def kind(answer: Any) -> str:
    """The slug of a problem."""
    return str(answer.json()["type"].rpartition(":")[2])


async def test_a_place_given_back_is_offered_to_the_others_again(here: Village) -> None:
    one, other, passed = await here.person(), await here.person(), await here.person()
    request = await here.offered(one, other, passed)
    await here.act(passed, request, "decline", {"reason": "今天不在村里"})
    await here.act(one, request, "claim")
    assert (await here.act(one, request, "release", {"reason": "临时有事"})).json()["state"] == "offered"
    assert (await here.act(one, request, "release", {"reason": "临时有事"})).status_code == 200
    events = await here.stage.until(request, "routed", "offered", "declined", "claimed", "released", "offered")
    assert (events[4].data["person"], events[4].data["taken"], events[4].data["state"]) == (str(one), 0, "offered")
    assert (events[5].data["people"], events[5].data["wave"]) == ([str(other)], 1)
    assert kind(await here.act(one, request, "claim")) == "offer-ended"
    assert (await here.act(other, request, "claim")).status_code == 200
    here.stage.gapless(request)


async def test_who_does_not_show_up_is_released_by_the_leader_and_by_nobody_else(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    await here.act(one, request, "claim")
    no_show = {"reason": "没有来", "person": str(one)}
    assert (await here.act(other, request, "release", no_show)).status_code == 403
    assert kind(await here.act(other, request, "release", {"reason": "x"})) == "not-held"
    leader = new_id()
    assignment = here.stage.events(request)[-1].data["assignment_id"]
    far = here.as_(leader, "grid_leader", here.code + "002")
    assert (await here.stage.call("POST", f"assignments/{assignment}/release", far, no_show)).status_code == 404
    near = here.as_(leader, "grid_leader", here.grid)
    assert (await here.stage.call("POST", f"assignments/{assignment}/release", near, no_show)).status_code == 200
    event = (await here.stage.until(request, "routed", "offered", "claimed", "released", "offered"))[3]
    assert (event.data["person"], event.data["by"]) == (str(one), str(leader))


async def test_somebody_asked_by_name_passes_freely_and_another_accepts(here: Village) -> None:
    one, other = await here.person(), await here.person(grid=here.code + "002", capacity=0)
    await here.known(one, other)
    request = await here.request()
    await here.stage.until(request, "routed", "offered")
    leader = new_id()
    asked = await here.act(leader, request, "assign", {"person": str(other)}, role="clerk")
    assert asked.json()["state"] == "assigned"
    [item] = (await here.stage.call("GET", "assignments", here.as_(other), mine="offered")).json()["items"]
    assert item["why"] == "网格或村里点名请您去，去不去由您定。"
    waits = await here.act(one, request, "claim")
    assert (waits.status_code, kind(waits), waits.json()["state"]) == (409, "illegal-transition", "assigned")
    assert "accept" in waits.json()["allowed"]
    assert kind(await here.act(one, request, "accept")) == "offer-ended"
    assert (await here.act(other, request, "decline")).json()["state"] == "offered"
    await here.act(leader, request, "assign", {"person": str(one)}, role="clerk")
    accepted = await here.act(one, request, "accept")
    assert (accepted.json()["state"], accepted.json()["taken"]) == ("claimed", 1)
    assert (await here.act(one, request, "accept")).status_code == 200
    events = await here.stage.until(request, "routed", "offered", "assigned", "declined", "assigned", "claimed")
    assert [event.data["state"] for event in events[2:]] == ["assigned", "offered", "assigned", "claimed"]
    assert (events[2].data["ordered"], events[2].data["by"]) == (False, str(leader))
    assert events[5].data["via"] == "assignment"
    here.stage.gapless(request)


async def test_no_answer_counts_as_passing(stage: Stage, here: Village) -> None:
    there = await type(here)(stage).told(grid=1)
    one, other = await there.person(grid=there.code + "002"), await there.person(grid=there.code + "002")
    await there.known(one, other)
    request = await there.request()
    await stage.until(request, "routed", "offered")
    await there.act(new_id(), request, "assign", {"person": str(one)}, role="clerk")
    events = await stage.until(request, "routed", "offered", "assigned", "declined")
    assert (events[3].data["person"], events[3].data["by"], events[3].data["state"]) == (str(one), None, "offered")


async def test_nobody_is_asked_who_may_not_do_it(here: Village) -> None:
    away = await here.person(away_until="2099-01-01T00:00:00+08:00")
    earlier = await here.person()
    other = await type(here)(here.stage).told()
    stranger = await other.person()
    await here.known(away, earlier)
    request = await here.request(exclude=[str(earlier)])
    await here.stage.until_last(request, "escalated")

    async def asked(person: Any) -> Any:
        return await here.act(new_id(), request, "assign", {"person": str(person)}, role="clerk")

    for person, bar in ((away, "away"), (earlier, "excluded")):
        answer = await asked(person)
        assert (answer.status_code, kind(answer), answer.json()["bars"]) == (409, "not-eligible", [bar])
    for unknown in (new_id(), stranger):
        answer = await asked(unknown)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "person")
    assert here.stage.types(request) == ["routed", "escalated"]


async def test_named_staff_are_ordered_at_once(here: Village) -> None:
    worker = await here.person(role="grid_worker", capacity=0)
    await here.known(worker)
    clerk = str(new_id())
    request = await here.request(route="staff", staff=str(worker), by=clerk)
    events = await here.stage.until(request, "routed", "assigned", "claimed")
    assert [event.data["state"] for event in events] == ["routed", "assigned", "claimed"]
    assert (events[1].data["ordered"], events[2].data["via"], events[2].data["by"]) == (True, "order", clerk)
    done = await here.act(worker, request, "complete", {"result": "已代办"}, role="grid_worker")
    assert done.json()["state"] == "completed"
    here.stage.gapless(request)


async def test_a_leader_orders_staff_with_assign(here: Village) -> None:
    worker = await here.person(role="grid_worker")
    request = await here.offered(worker)
    answer = await here.act(new_id(), request, "assign", {"person": str(worker)}, role="grid_leader")
    assert (answer.json()["state"], answer.json()["held_by"][0]) == ("claimed", str(worker))
    assert (await here.act(worker, request, "accept", role="grid_worker")).status_code == 200
    await here.stage.until(request, "routed", "offered", "assigned", "claimed")


async def test_staff_told_of_late_are_still_ordered(here: Village) -> None:
    worker = new_id()
    request = await here.request(route="staff", staff=str(worker))
    await here.stage.until(request, "routed")
    await here.person(id=worker, role="grid_worker")
    await here.stage.until(request, "routed", "assigned", "claimed")


@pytest.mark.parametrize("known", [True, False])
async def test_who_is_no_staff_or_never_becomes_known_sends_it_back_to_the_village(here: Village, known: bool) -> None:
    person = await here.person() if known else new_id()
    await here.known(*([person] if known else []))
    request = await here.request(route="staff", staff=str(person))
    events = await here.stage.until(request, "routed", "returned")
    assert (events[1].data["state"], events[1].data["by"]) == ("returned", None)
    # The village may send somebody else: the next round.
    await here.move(request, "dispatch-requested", "dispatched", **await next_round(here, request, 2))
    events = await here.stage.until_last(request, "escalated" if not known else "offered")
    assert events.data["round"] == 2


async def next_round(here: Village, request: str, number: int, **given: Any) -> dict[str, Any]:
    """What a later round asks for."""
    return {
        "round": number, "number": "48213074", "service": "home-repair", "kind": "convenience", "summary": "再去一次",
        "grid": here.grid, "household": None, "route": "volunteers", "staff": None, "places": 1, "urgent": False,
        "minor": False, "skill": None, "limits": {"contact": None, "finish": None}, "exclude": [], **given,
    }  # fmt: skip


async def test_rework_goes_to_somebody_else(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    await here.act(one, request, "claim")
    await here.act(one, request, "complete", {"result": "修好了"})
    await here.stage.until_last(request, "completed")
    await here.move(request, "reopened", "accepted", reason_kind="grade", count=1)
    rework = await next_round(here, request, 2, exclude=[str(one)])
    await here.move(request, "dispatch-requested", "dispatched", **rework)
    events = await here.stage.until(request, "routed", "offered", "claimed", "completed", "routed", "offered")
    assert [event.data["round"] for event in events] == [1, 1, 1, 1, 2, 2]
    assert events[5].data["people"] == [str(other)]
    assert (await here.act(one, request, "claim")).status_code == 404
    asked = await here.act(new_id(), request, "assign", {"person": str(one)}, role="clerk")
    assert asked.json()["bars"] == ["excluded"]
    here.stage.gapless(request)


@pytest.mark.parametrize("held", [False, True])
async def test_the_grid_gives_it_back_to_the_village(here: Village, held: bool) -> None:
    one = await here.person()
    request = await here.offered(one)
    if held:
        await here.act(one, request, "claim")
    assert (await here.act(one, request, "return", {"reason": "x"})).status_code == 403
    answer = await here.act(new_id(), request, "return", {"reason": "本网格无人会修"}, role="grid_leader")
    assert (answer.json()["state"], answer.json()["held_by"]) == ("returned", [])
    again = await here.act(new_id(), request, "return", {"reason": "再退一次"}, role="clerk")
    assert (again.status_code, again.json()["state"], again.json()["allowed"]) == (409, "returned", [])
    assert kind(await here.act(one, request, "claim")) == "illegal-transition"
    await here.stage.until_last(request, "returned")
    [load] = await here.stage.rows("SELECT load FROM volunteers WHERE id = :id", id=one, tenant=here.code)
    assert load.load == 0


async def test_reminding_and_supervising_reach_whom_it_depends_on(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    clerk = new_id()
    assert (await here.act(clerk, request, "remind", role="clerk")).status_code == 200
    await here.act(one, request, "claim")
    order = {"order": "请今天之内办完", "until": "2099-01-01T00:00:00+08:00"}
    assert (await here.act(clerk, request, "supervise", order, role="grid_leader")).status_code == 403
    assert (await here.act(clerk, request, "supervise", order, role="supervisor")).status_code == 200
    late = await here.act(clerk, request, "supervise", {**order, "until": "2020-01-01T00:00:00Z"}, role="clerk")
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "until")
    events = await here.stage.until(request, "routed", "offered", "reminded", "claimed", "supervised")
    assert events[2].data["people"] == sorted([str(one), str(other)])
    assert events[4].data["people"] == [str(one)]
    assert "请今天" not in str(events[4].data)
    seen = await here.stage.call("GET", f"assignments/{events[4].data['assignment_id']}", here.as_(clerk, "supervisor"))
    assert [move["words"] for move in seen.json()["moves"] if move["move"] == "supervise"] == ["请今天之内办完"]


async def test_profiles_are_set_by_oneself_and_by_the_desk_and_count_at_once(here: Village) -> None:
    one, other = await here.person(), await here.person()
    await here.known(one, other)
    request = await here.request(skill="理发")
    await here.stage.until_last(request, "escalated")
    profile = {"skills": ["理发"], "capacity": 3, "away_until": None}
    put = await here.stage.call("PUT", f"volunteers/{one}", here.as_(one), profile)
    assert (put.status_code, put.json()["skills"], put.json()["capacity"]) == (200, ["理发"], 3)
    assert (await here.stage.until_last(request, "offered")).data["people"] == [str(one)]
    assert (await here.stage.call("PUT", f"volunteers/{one}", here.as_(other), profile)).status_code == 404
    leader = here.as_(new_id(), "grid_leader", here.code + "002")
    assert (await here.stage.call("PUT", f"volunteers/{one}", leader, profile)).status_code == 404
    clerk = here.as_(new_id(), "clerk")
    away = {**profile, "away_until": "2099-01-01T00:00:00+08:00"}
    assert (await here.stage.call("PUT", f"volunteers/{one}", clerk, away)).json()["state"] == "away"
    listed = await here.stage.call("GET", "volunteers", clerk, tenant=here.code, skill="理发")
    assert [item["id"] for item in listed.json()["items"]] == [str(one)]
    # The directory's word on what was set here no longer counts; on the rest it does.
    await here.person(id=one, skills=[], capacity=9, name="乙*")

    async def renamed() -> bool:
        [item] = (await here.stage.call("GET", "volunteers", clerk, skill="理发")).json()["items"]
        return (item["name"], item["capacity"], item["state"]) == ("乙*", 3, "away")

    await eventually(renamed)

"""Confirmation, rework, call backs, and what happens when nobody answers."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from support import bearer, token
from support.people import token_of
from support.requests_rig import Place, Rig


async def finished(rig: Rig, place: Place, volunteer: UUID | None = None, **more: Any) -> Any:
    """A request that a volunteer has completed."""
    person = volunteer or uuid4()
    slip = await rig.accepted(place, **more)
    await rig.claimed(place, slip, person)
    await rig.done(place, slip, person)
    return slip


async def test_the_resident_confirms_and_it_closes(rig: Rig, place: Place) -> None:
    me = bearer("resident", "", uuid4())
    slip = await finished(rig, place, headers=me)
    state = await rig.move(place, slip, "confirm", {"solved": "yes", "grade": 5, "comment": "谢谢"}, me)
    assert (state["status"], state["solved"], state["first_grade"], state["last_grade"]) == (
        "closed_confirmed",
        "yes",
        5,
        5,
    )
    data = await rig.last(slip, "confirmed")
    assert (data["grade"], data["source"], data["first"], data["solved"]) == (5, "resident", True, "yes")
    assert (await rig.last(slip, "closed"))["how"] == "confirmed"
    assert "谢谢" not in str([event.data for event in await rig.events(slip["id"])])
    assert await rig.timers(slip) == set()
    await rig.refused(409, "POST", f"/v1/requests/{slip['id']}/confirm", me, {"solved": "yes", "grade": 4})


async def test_whoever_took_part_does_not_call_back(rig: Rig, place: Place) -> None:
    volunteer, released = uuid4(), uuid4()
    slip = await rig.accepted(place)
    await rig.claimed(place, slip, released)
    await rig.dispatch(place, slip, "released", "offered", person=str(released))
    await rig.claimed(place, slip, volunteer)
    await rig.done(place, slip, volunteer)
    path, body = f"/v1/requests/{slip['id']}/confirm", {"solved": "yes", "grade": 5, "by": "callback"}
    for headers in (
        rig.clerk(place),
        bearer("grid_worker", place.code, volunteer),
        bearer("grid_worker", place.code, released),
    ):
        problem = await rig.refused(403, "POST", path, headers, body)
        assert problem["type"].endswith("not-your-callback")
    for role in ("supervisor", "grid_leader", "branch_secretary", "grid_worker"):
        other = await finished(rig, place)
        answer = await rig.good("POST", f"/v1/requests/{other['id']}/confirm", bearer(role, place.code, uuid4()), body)
        assert answer["status"] == "closed_confirmed"
    await rig.good("POST", path, bearer("clerk", place.code, uuid4()), body)
    assert (await rig.last(slip, "confirmed"))["source"] == "callback"


async def test_who_answered_does_not_call_back(rig: Rig, place: Place) -> None:
    answerer = uuid4()
    slip = await rig.accepted(place, accept={"route": "none"})
    await rig.move(place, slip, "answer", {"text": "好", "source": "书"}, bearer("clerk", place.code, answerer))
    body = {"solved": "yes", "grade": 5, "by": "callback"}
    await rig.refused(403, "POST", f"/v1/requests/{slip['id']}/confirm", bearer("clerk", place.code, answerer), body)


async def test_only_the_resident_speaks_as_the_resident(rig: Rig, place: Place) -> None:
    me = uuid4()
    slip = await finished(rig, place, headers=bearer("resident", "", me))
    path, body = f"/v1/requests/{slip['id']}/confirm", {"solved": "yes", "grade": 5, "by": "resident"}
    await rig.refused(403, "POST", path, bearer("clerk", place.code, uuid4()), body)
    await rig.refused(404, "POST", path, bearer("resident", "", uuid4()), body)
    await rig.refused(403, "POST", path, bearer("resident", "", me), {**body, "by": "callback"})
    both = token_of([("clerk", place.code), ("resident", "")], me)
    assert (await rig.good("POST", path, {"Authorization": f"Bearer {both}"}, body))["status"] == "closed_confirmed"
    assert token("resident", "")  # a resident's token needs no place


@pytest.mark.parametrize(
    "bad",
    [{"solved": "maybe", "grade": 5}, {"solved": "yes", "grade": 0}, {"solved": "yes", "grade": 6},
     {"solved": "yes"}, {"grade": 5}, {"solved": "yes", "grade": "5"}, {"solved": "yes", "grade": 4.5}],
)  # fmt: skip
async def test_a_bad_word_of_the_resident_is_refused(rig: Rig, place: Place, bad: Any) -> None:
    slip = await finished(rig, place)
    await rig.refused(422, "POST", f"/v1/requests/{slip['id']}/confirm", bearer("supervisor", place.code), bad)


@pytest.mark.parametrize(
    ("solved", "grade", "kind"), [("no", 4, "not-solved"), ("yes", 2, "grade"), ("partly", 1, "grade")]
)
async def test_not_solved_or_badly_graded_is_done_again_by_somebody_else(
    rig: Rig, place: Place, solved: Any, grade: Any, kind: Any
) -> None:
    volunteer, second, caller = uuid4(), uuid4(), bearer("supervisor", place.code[:9])
    slip = await finished(rig, place, volunteer)
    path = f"/v1/requests/{slip['id']}/confirm"
    state = await rig.good("POST", path, caller, {"solved": solved, "grade": grade})
    assert (state["status"], state["round"], state["reopened"]) == ("dispatched", 2, 1)
    assert (await rig.told(slip))[-3:] == ["confirmed", "reopened", "dispatch-requested"]
    assert (await rig.last(slip, "confirmed"))["status"] == "completed"
    assert await rig.last(slip, "reopened") | {"by": None} == {
        "request_id": slip["id"], "status": "accepted", "by": None, "reason_kind": kind, "count": 1,
    }  # fmt: skip
    again = await rig.last(slip, "dispatch-requested")
    assert (again["round"], again["exclude"]) == (2, [str(volunteer)])
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    assert state["contacted_at"] is None
    await rig.claimed(place, slip, second, round=2)
    await rig.done(place, slip, second, round=2)
    state = await rig.good("POST", path, caller, {"solved": "yes", "grade": 4})
    assert (state["status"], state["first_grade"], state["last_grade"]) == ("closed_confirmed", grade, 4)
    assert (await rig.last(slip, "confirmed"))["first"] is False


async def test_a_second_reopening_is_reported_up(rig: Rig, place: Place) -> None:
    caller = bearer("supervisor", place.code[:9])
    slip = await finished(rig, place)
    path = f"/v1/requests/{slip['id']}"
    await rig.good("POST", path + "/reopen", caller, {"reason": "又漏了"})
    second = uuid4()
    await rig.claimed(place, slip, second, round=2)
    await rig.done(place, slip, second, round=2)
    state = await rig.good("POST", path + "/confirm", caller, {"solved": "no", "grade": 1})
    assert (state["status"], state["reopened"], state["round"]) == ("with_town", 2, 2)
    assert (await rig.told(slip))[-2:] == ["reopened", "reported-up"]
    assert (await rig.last(slip, "reported-up"))["to"] == place.code[:9]
    reopened = await rig.last(slip, "reopened")
    assert (reopened["count"], reopened["reason_kind"]) == (2, "not-solved")


async def test_reopened_by_the_resident_with_a_reason_that_stays_here(rig: Rig, place: Place) -> None:
    me = bearer("resident", "", uuid4())
    slip = await finished(rig, place, headers=me)
    await rig.move(place, slip, "reopen", {"reason": "第二天又漏了"}, me)
    data = await rig.last(slip, "reopened")
    assert data["reason_kind"] == "resident"
    assert "又漏" not in str(data)
    assert (await rig.get(place, slip))["notes"]["reopened"] == {"reason": "第二天又漏了"}


async def test_staff_are_named_again_by_a_person_and_not_the_same(rig: Rig, place: Place) -> None:
    slip = await rig.accepted(place, accept={"route": "staff", "staff": str(place.worker)})
    await rig.claimed(place, slip, place.worker, via="order")
    await rig.done(place, slip, place.worker)
    caller = bearer("supervisor", place.code[:9])
    state = await rig.good("POST", f"/v1/requests/{slip['id']}/confirm", caller, {"solved": "no", "grade": 3})
    assert state["status"] == "accepted"
    body = {"route": "staff", "staff": str(place.worker)}
    problem = await rig.refused(422, "POST", f"/v1/requests/{slip['id']}/dispatch", rig.clerk(place), body)
    assert problem["errors"][0]["field"] == "staff"
    await rig.move(place, slip, "dispatch", {"route": "staff", "staff": str(place.clerk)})


async def test_two_failed_calls_and_silence_close_it_unconfirmed(rig: Rig, place: Place) -> None:
    slip = await finished(rig, place)
    await rig.fire(slip, "confirm-near")
    assert (await rig.last(slip, "limit-near"))["limit"] == "confirm"
    await rig.delivery(place, slip, "failed", channel="call")
    await rig.fire(slip, "confirm-passed")
    assert (await rig.get(place, slip))["status"] == "completed"
    await rig.delivery(place, slip, "failed", channel="call")
    await rig.fire(slip, "confirm-near")
    await rig.fire(slip, "confirm-passed")
    assert (await rig.get(place, slip))["status"] == "closed_unconfirmed"
    told = await rig.told(slip)
    assert told[-4:] == ["limit-near", "limit-passed", "limit-near", "closed"]
    assert told.count("limit-passed") == 1
    assert (await rig.last(slip, "closed"))["how"] == "unconfirmed"
    assert await rig.timers(slip) == set()
    # Thirty days long the resident can still say so.
    caller = bearer("supervisor", place.code[:9])
    state = await rig.good("POST", f"/v1/requests/{slip['id']}/confirm", caller, {"solved": "yes", "grade": 3})
    assert state["status"] == "closed_confirmed"


async def test_what_counts_as_a_try(rig: Rig, place: Place) -> None:
    slip = await finished(rig, place)
    await rig.delivery(place, slip, "sent", channel="inbox")
    await rig.delivery(place, slip, "sent", channel="inbox", purpose="result")
    await rig.delivery(place, slip, "sent", channel="inbox", audience="volunteer")
    await rig.delivery(place, slip, "sent", channel="inbox", audience="reporter")
    await rig.fire(slip, "confirm-passed")
    assert (await rig.get(place, slip))["status"] == "completed"
    await rig.delivery(place, slip, "sent", channel="call", by=str(uuid4()))
    await rig.fire(slip, "confirm-passed")
    assert (await rig.get(place, slip))["status"] == "closed_unconfirmed"


async def test_confirmed_and_silence_cross(rig: Rig, place: Place) -> None:
    caller = bearer("supervisor", place.code[:9])
    slip = await finished(rig, place)
    for _ in range(2):
        await rig.delivery(place, slip, "failed", channel="call")
    await rig.good("POST", f"/v1/requests/{slip['id']}/confirm", caller, {"solved": "yes", "grade": 5})
    assert await rig.timers(slip) == set()
    assert (await rig.told(slip)).count("closed") == 1


async def test_a_reached_call_is_the_first_contact(rig: Rig, place: Place) -> None:
    slip, knocker = await rig.order(place), uuid4()
    await rig.delivery(place, slip, "sent", channel="call", purpose="news", by=str(knocker))
    data = await rig.last(slip, "contacted")
    assert (data["how"], data["by"]) == ("phone", str(knocker))
    assert "contact-near" not in await rig.timers(slip)
    await rig.delivery(place, slip, "sent", channel="call", purpose="news", by=str(knocker))
    assert (await rig.told(slip)).count("contacted") == 1


async def test_limits_turn_amber_and_red_unless_met(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    for kind in ("contact-near", "contact-passed", "finish-near", "finish-passed"):
        await rig.fire(slip, kind)
    assert (await rig.told(slip))[1:] == ["limit-near", "limit-passed", "limit-near", "limit-passed"]
    assert [data["limit"] for data in (await rig.data(slip["id"]))[1:]] == [
        "contact",
        "contact",
        "finish",
        "finish",
    ]
    assert (await rig.last(slip, "limit-passed"))["due_at"][:19] == (await rig.get(place, slip))["limits"]["finish"][
        :19
    ]
    met = await rig.order(place)
    await rig.fire(met, "contact-near")
    await rig.move(place, met, "contacted", {"how": "desk"})
    assert await rig.timers(met) == {"finish-near"}
    await rig.move(place, met, "withdraw")
    assert await rig.timers(met) == set()


async def test_what_a_timer_brings_names_the_event_that_armed_it(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    for kind in ("contact-near", "contact-passed"):
        await rig.fire(slip, kind)
    await rig.move(place, slip, "accept", {"summary": "问路", "route": "none"})
    await rig.move(place, slip, "answer", {"text": "出门左转", "source": "村务公开栏"})
    await rig.fire(slip, "confirm-near")
    told = await rig.rows.fetch(
        "SELECT id::text, type, causationid, substr(traceparent, 4, 32) AS trace FROM outbox WHERE aggregateid = $1"
        " ORDER BY position",
        slip["id"],
    )
    submitted, near, passed, *_, completed, reminder = told
    assert completed["type"] == "lianhu.request.completed.v1"
    for armed, brought in ((submitted, near), (near, passed), (completed, reminder)):
        assert (brought["causationid"], brought["trace"]) == (armed["id"], armed["trace"])

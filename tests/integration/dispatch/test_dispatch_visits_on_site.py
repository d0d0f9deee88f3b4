"""Check-in, check-out, completion; two people for a minor; two places."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lianhu_kit.identifiers import new_id
from support.conditions import eventually

Village = Any
CHECKED = "2099-12-31"


def kind(answer: Any) -> str:
    """The slug of a problem."""
    return str(answer.json()["type"].rpartition(":")[2])


async def test_a_visit_from_check_in_to_completion(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    await here.act(one, request, "claim")
    assert kind(await here.act(one, request, "check-out")) == "illegal-transition"
    assert kind(await here.act(other, request, "check-in")) == "not-held"
    for _ in range(2):
        answer = await here.act(one, request, "check-in", {"place": "住户家门口"})
        assert (answer.status_code, answer.json()["state"]) == (200, "in_progress")
    for _ in range(2):
        assert (await here.act(one, request, "check-out")).status_code == 200
    report = {"result": "换了垫圈", "evidence": ["照片一"], "served_person_times": 3}
    for _ in range(2):
        assert (await here.act(one, request, "complete", report)).json()["state"] == "completed"
    events = await here.stage.until(request, "routed", "offered", "claimed", "checked-in", "checked-out", "completed")
    done = events[-1].data
    assert (done["last"], done["served_person_times"], done["evidence"], done["checked_in"]) == (True, 3, "photo", True)
    assert done["minutes"] == events[4].data["minutes"] == 1
    assert "换了垫圈" not in str([event.data for event in events])
    here.stage.gapless(request)
    seen = await here.stage.call("GET", f"assignments/{events[0].data['assignment_id']}", here.as_(new_id(), "clerk"))
    [holder] = seen.json()["holders"]
    assert (holder["result"], holder["evidence"], holder["place"]) == ("换了垫圈", ["照片一"], "住户家门口")
    assert kind(await here.act(one, request, "release", {"reason": "x"})) in ("not-held", "illegal-transition")


async def test_completing_without_check_in_is_weaker_evidence(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assert (await here.act(one, request, "complete", {"result": "修好了", "minutes": 45})).status_code == 200
    done = (await here.stage.until(request, "routed", "offered", "claimed", "completed"))[-1].data
    assert (done["checked_in"], done["evidence"], done["minutes"]) == (False, "word", 45)


async def test_impossible_times_are_refused_and_nothing_is_published(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    for wrong in ((datetime.now(UTC) + timedelta(hours=1)), datetime.now(UTC) - timedelta(days=1)):
        answer = await here.act(one, request, "check-in", {"at": wrong.isoformat()})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "at")
    assert (await here.act(one, request, "check-in", {"at": "2026-03-01T08:00:00"})).status_code == 422
    await here.stage.until(request, "routed", "offered", "claimed")


async def test_two_places_are_filled_then_completed_by_the_last(here: Village) -> None:
    one, other, third = [await here.person() for _ in range(3)]
    request = await here.offered(one, other, third, places=2)
    assert (await here.act(one, request, "claim")).json()["state"] == "offered"
    early = await here.act(one, request, "check-in")
    assert (early.status_code, early.json()["state"]) == (409, "offered")
    assert (await here.act(other, request, "claim")).json()["state"] == "claimed"
    assert (await here.act(one, request, "check-in")).json()["state"] == "in_progress"
    assert (await here.act(one, request, "complete", {"result": "我这边做完了"})).json()["state"] == "in_progress"
    assert (await here.act(other, request, "release", {"reason": "有事"})).json()["state"] == "offered"
    assert (await here.act(third, request, "claim")).json()["state"] == "claimed"
    assert (await here.act(third, request, "complete", {"result": "都做完了"})).json()["state"] == "completed"
    events = await here.stage.until(
        request, "routed", "offered", "claimed", "claimed", "checked-in", "completed", "released", "offered", "claimed",
        "completed",
    )  # fmt: skip
    assert [event.data["last"] for event in events if event.type.endswith("completed.v1")] == [False, True]
    assert events[7].data["people"] == [str(third)]
    loads = await here.stage.rows("SELECT load FROM volunteers WHERE tenant = :tenant", tenant=here.code)
    assert [row.load for row in loads] == [0, 0, 0]
    here.stage.gapless(request)


async def test_a_visit_to_a_minor_needs_two_checked_people(here: Village) -> None:
    checked = [await here.person(checked_until=CHECKED) for _ in range(3)]
    unchecked = [await here.person(), await here.person(checked_until="2020-01-01")]
    await here.known(*checked, *unchecked)
    request = await here.request(minor=True, places=1)
    events = await here.stage.until(request, "routed", "offered")
    assert (events[0].data["places"], events[1].data["people"]) == (2, sorted(map(str, checked)))
    assert (await here.act(unchecked[0], request, "claim")).status_code == 404
    asked = await here.act(new_id(), request, "assign", {"person": str(unchecked[0])}, role="clerk")
    assert asked.json()["bars"] == ["unchecked"]

    one, other, _ = checked
    await here.act(one, request, "claim")
    alone = await here.act(one, request, "check-in")
    assert (alone.status_code, kind(alone), alone.json()["checked"]) == (409, "two-people-needed", 1)
    assert (await here.act(other, request, "claim")).json()["state"] == "claimed"
    assert (await here.act(one, request, "check-in")).json()["state"] == "claimed"
    assert (await here.act(other, request, "check-in")).json()["state"] == "in_progress"
    await here.act(one, request, "complete", {"result": "上了一课"})
    assert (await here.act(other, request, "complete", {"result": "上了一课"})).json()["state"] == "completed"
    events = await here.stage.until_last(request, "completed")
    here.stage.gapless(request)


async def test_a_check_that_ended_after_the_claim_counts_no_more(here: Village) -> None:
    one, other = [await here.person(checked_until=CHECKED) for _ in range(2)]
    request = await here.offered(*sorted([one, other]), minor=True)
    for person in (one, other):
        await here.act(person, request, "claim")
    await here.person(id=other, checked_until="2020-01-01")

    async def ended() -> bool:
        rows = await here.stage.rows("SELECT checked_until FROM volunteers WHERE id = :id", id=other, tenant=here.code)
        return str(rows[0].checked_until) == "2020-01-01"

    await eventually(ended)
    assert kind(await here.act(one, request, "check-in")) == "two-people-needed"
    assert kind(await here.act(one, request, "complete", {"result": "x"})) == "two-people-needed"

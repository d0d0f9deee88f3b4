"""Acts kept on a phone: sent twice, out of order, from a wrong clock, about what is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

Village = Any


def phone_acts(assignment: str, *acts: dict[str, Any], wrong: timedelta = timedelta()) -> dict[str, Any]:
    """What a phone sends whose clock is wrong by so much; each act says how many minutes ago it was."""
    clock = datetime.now(UTC) + wrong
    made = []
    for act in acts:
        ago = timedelta(minutes=act.pop("ago", 0))
        made.append({"id": str(uuid4()), "assignment": assignment, "at": (clock - ago).isoformat(), **act})
    return {"sent_at": clock.isoformat(), "acts": made}


async def send(here: Village, person: UUID, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer: httpx.Response = await here.stage.call("POST", "acts", here.as_(person), body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def assignment_of(here: Village, request: str) -> str:
    return str(here.stage.events(request)[-1].data["assignment_id"])


async def test_a_whole_visit_without_signal_counts_with_its_own_times_and_once(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assignment = await assignment_of(here, request)
    body = phone_acts(
        assignment,
        {"act": "check-in", "ago": 0},
        {"act": "check-out", "ago": 0},
        {"act": "complete", "result": "换了垫圈", "minutes": 40},
        wrong=timedelta(days=400),
    )
    assert [item["outcome"] for item in await send(here, one, body)] == ["done"] * 3
    assert [item["outcome"] for item in await send(here, one, body)] == ["done"] * 3
    events = await here.stage.until(request, "routed", "offered", "claimed", "checked-in", "checked-out", "completed")
    assert events[-1].data["minutes"] == 40
    assert abs(datetime.fromisoformat(events[3].data["at"]) - datetime.now(UTC)) < timedelta(minutes=2)
    here.stage.gapless(request)


async def test_out_of_order_is_told_and_does_not_stop_the_rest(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assignment = await assignment_of(here, request)
    body = phone_acts(assignment, {"act": "check-out"}, {"act": "check-in"}, {"act": "check-out"})
    items = await send(here, one, body)
    assert [item["outcome"] for item in items] == ["refused", "done", "done"]
    assert items[0]["type"] == "illegal-transition"


async def test_what_was_withdrawn_meanwhile_is_told(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assignment = await assignment_of(here, request)
    await here.move(request, "withdrawn", "withdrawn")
    await here.stage.until_last(request, "cancelled")
    [item] = await send(here, one, phone_acts(assignment, {"act": "complete", "result": "修好了"}))
    assert item["outcome"] == "refused"
    assert item["detail"]


async def test_too_long_ago_and_not_mine_are_told(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    await here.act(one, request, "claim")
    assignment = await assignment_of(here, request)
    [late] = await send(here, one, phone_acts(assignment, {"act": "check-in", "ago": 73 * 60}))
    assert late["type"] == "too-old"
    [not_mine] = await send(here, other, phone_acts(assignment, {"act": "check-in"}))
    assert not_mine["type"] == "not-held"
    [unknown] = await send(here, one, phone_acts(str(uuid4()), {"act": "check-in"}))
    assert unknown["type"] == "gone"


async def test_of_two_who_claimed_without_signal_one_wins_and_the_other_is_told(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    assignment = await assignment_of(here, request)
    [first] = await send(here, one, phone_acts(assignment, {"act": "claim", "ago": 5}))
    [second] = await send(here, other, phone_acts(assignment, {"act": "claim", "ago": 50}))
    assert (first["outcome"], second["outcome"], second["type"]) == ("done", "refused", "already-claimed")


async def test_an_act_id_with_another_body_is_told(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    body = phone_acts(await assignment_of(here, request), {"act": "check-in"})
    await send(here, one, body)
    body["acts"][0]["act"] = "check-out"
    [item] = await send(here, one, body)
    assert item["type"] == "key-reused"

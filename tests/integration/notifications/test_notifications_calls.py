"""The call list: who has no inbox is called or knocked at, and the outcome is the delivery."""

import asyncio
from typing import Any

from lianhu_kit.identifiers import new_id
from support.conditions import eventually
from support.people import bearer


async def first_call(notifications: Any, place: Any, order: Any, template: str) -> dict[str, Any]:
    await notifications.told(order, template)
    found = [call for call in await notifications.calls(place, state="due") if call["template"] == template]
    assert len(found) == 1
    return dict(found[0])


async def asked_to_confirm(notifications: Any, **submitted: Any) -> tuple[Any, Any, dict[str, Any]]:
    """A place, an order without account that was done, and the call that asks."""
    place = await notifications.place()
    order = place.order()
    await notifications.bus.send(order.submitted(**submitted), order.completed())
    return place, order, await first_call(notifications, place, order, "confirm-work")


async def states(notifications: Any, order: Any) -> list[tuple[str, int, str, str | None]]:
    rows = await notifications.deliveries(order, channel="call")
    return [(row["purpose"], row["attempt"], row["state"], row["reason"]) for row in rows]


async def test_a_call_that_reaches_somebody_is_the_delivery(notifications: Any) -> None:
    place, order, call = await asked_to_confirm(notifications)
    assert (call["number"], call["purpose"], call["audience"], call["attempt"]) == (
        order.number,
        "confirm",
        "resident",
        1,
    )
    assert order.number in call["body"]
    answer = await notifications.outcome(place, call["id"], "reached")
    assert (answer.status_code, answer.json()["state"], answer.json()["next_try"]) == (200, "sent", None)
    again = await notifications.outcome(place, call["id"], "no_answer")
    assert (again.status_code, again.json()["state"]) == (409, "sent")
    assert await states(notifications, order) == [("confirm", 1, "sent", None)]
    assert await notifications.calls(place, state="due") == []


async def test_nobody_answers_twice(notifications: Any) -> None:
    place, order, call = await asked_to_confirm(notifications)
    first = (await notifications.outcome(place, call["id"], "no_answer")).json()
    assert (first["state"], first["next_try"]["attempt"]) == ("failed", 2)
    (second,) = await notifications.calls(place, state="due")
    assert second["id"] == first["next_try"]["id"]
    assert [(made["attempt"], made["outcome"]) for made in second["history"]] == [(1, "no_answer")]
    assert (await notifications.outcome(place, second["id"], "no_answer")).json()["next_try"] is None
    assert await states(notifications, order) == [
        ("confirm", 1, "failed", "no-answer"),
        ("confirm", 2, "failed", "no-answer"),
    ]
    # The confirm limit comes near: somebody tries once more.
    await notifications.bus.send(order.limit("limit-near", "confirm"))
    third = await first_call(notifications, place, order, "confirm-reminder")
    assert len(third["history"]) == 2


async def test_a_reminder_does_not_double_a_call_that_still_waits(notifications: Any) -> None:
    _place, order, _ = await asked_to_confirm(notifications)
    await notifications.bus.send(order.limit("limit-near", "confirm"))
    await notifications.told(order, "confirm-reminder")
    assert await states(notifications, order) == [
        ("confirm", 1, "due", None),
        ("confirm", 1, "suppressed", "duplicate"),
    ]


async def test_a_wrong_number_is_told_to_the_clerks(notifications: Any) -> None:
    place, order, call = await asked_to_confirm(notifications)
    worker = new_id()
    answer = await notifications.http.post(
        f"/v1/calls/{call['id']}",
        headers=bearer("grid_worker", place.code, worker),
        json={"outcome": "wrong_number"},
    )
    assert answer.json()["reason"] == "wrong-number"
    rows = await notifications.told(order, "call-wrong-number")
    assert [row["person"] for row in rows if row["template"] == "call-wrong-number"] == [place.clerk]


async def test_who_refuses_is_left_alone(notifications: Any) -> None:
    place, order, call = await asked_to_confirm(notifications)
    assert (await notifications.outcome(place, call["id"], "refused")).json()["next_try"] is None
    assert await states(notifications, order) == [("confirm", 1, "failed", "refused")]


async def test_calls_that_became_pointless_are_closed(notifications: Any) -> None:
    place, order, call = await asked_to_confirm(notifications)
    await notifications.bus.send(
        order.request("confirmed", status="closed_confirmed", solved="yes", grade=5, source="callback", first=True)
    )

    async def closed() -> bool:
        found = await states(notifications, order)
        return bool(found == [("confirm", 1, "suppressed", "superseded")])

    await eventually(closed)
    assert (await notifications.outcome(place, call["id"], "reached")).status_code == 409


async def test_a_withdrawal_and_a_call_in_flight(notifications: Any) -> None:
    """Whichever comes first: no call stays open for a request that was withdrawn."""
    for round_ in range(4):
        place = await notifications.place()
        order = place.order()
        await notifications.bus.send(order.submitted(), order.request("rejected", status="rejected", by=place.clerk))
        call = await first_call(notifications, place, order, "request-rejected")
        withdrawn = order.request("withdrawn", status="withdrawn")

        async def later(place: Any = place, call: Any = call, pause: float = 0.02 * round_) -> int:
            await asyncio.sleep(pause)
            return int((await notifications.outcome(place, call["id"], "no_answer")).status_code)

        _, status = await asyncio.gather(notifications.bus.send(withdrawn), later())
        assert status in (200, 409)

        async def none_open(order: Any = order) -> bool:
            rows = await notifications.rows("SELECT status FROM requests WHERE id = :id", order.tenant, id=order.id)
            over = rows[0]["status"] == "withdrawn"
            return over and not await notifications.deliveries(order, state="due")

        assert await eventually(none_open)


async def test_the_linking_person_calls_and_nobody_else_sees_it(notifications: Any) -> None:
    place = await notifications.place()
    household, linking = new_id(), new_id()
    await notifications.bus.send(place.household(household, linking))

    async def known() -> bool:
        return bool(await notifications.rows("SELECT 1 FROM households WHERE id = :id", "", id=household))

    await eventually(known)
    order = place.order()
    await notifications.bus.send(
        order.submitted(household=household), order.request("rejected", status="rejected", by=place.clerk)
    )
    call = await first_call(notifications, place, order, "request-rejected")
    assert call["caller"] == str(linking)
    own = await notifications.http.get("/v1/calls", headers=bearer("volunteer", place.code, linking))
    assert [item["id"] for item in own.json()["items"]] == [call["id"]]
    other = bearer("volunteer", place.code, new_id())
    assert (await notifications.http.get("/v1/calls", headers=other)).json()["items"] == []
    refused = await notifications.http.post(f"/v1/calls/{call['id']}", headers=other, json={"outcome": "reached"})
    assert refused.status_code == 404
    made = await notifications.http.post(
        f"/v1/calls/{call['id']}", headers=bearer("volunteer", place.code, linking), json={"outcome": "reached"}
    )
    assert made.json()["state"] == "sent"


async def test_who_does_the_work_does_not_call_about_it(notifications: Any) -> None:
    place = await notifications.place()
    household, linking = new_id(), new_id()
    await notifications.bus.send(place.household(household, linking))
    order = place.order()
    await notifications.bus.send(order.submitted(household=household), order.claimed(linking))
    await notifications.told(order, "visit-coming")
    await notifications.bus.send(order.completed())
    rows = await notifications.told(order, "confirm-work")
    assert {row["caller"] for row in rows if row["channel"] == "call"} == {None}, "it is the clerks' call"


async def test_a_childs_guardian_is_called(notifications: Any) -> None:
    place = await notifications.place()
    order = place.order()
    await notifications.bus.send(order.submitted(minor=True, guardian=True), order.claimed(new_id()))
    call = await first_call(notifications, place, order, "guardian-visit")
    assert (call["audience"], call["purpose"]) == ("guardian", "guardian")
    assert "李*" in call["body"]
    assert [row["audience"] for row in await notifications.deliveries(order, channel="call")] == ["guardian"]


async def test_a_release_takes_the_call_back_and_the_next_claim_makes_a_new_one(notifications: Any) -> None:
    place = await notifications.place()
    order, first, second = place.order(), new_id(), new_id()
    await notifications.bus.send(
        order.submitted(),
        order.claimed(first),
        order.dispatch("released", by=first, person=first),
        order.claimed(second),
    )

    async def settled() -> bool:
        return [(one[0], one[2]) for one in await states(notifications, order)] == [
            ("visit", "suppressed"),
            ("visit", "due"),
        ]

    assert await eventually(settled)


async def test_a_call_in_the_callers_language(notifications: Any) -> None:
    place, _order, call = await asked_to_confirm(notifications)
    assert call["title"].startswith("请确认")
    await notifications.http.put(
        "/v1/preferences", headers=bearer("clerk", place.code, place.clerk), json={"locale": "en"}
    )
    (english,) = await notifications.calls(place, state="due")
    assert english["title"].startswith("Please confirm")

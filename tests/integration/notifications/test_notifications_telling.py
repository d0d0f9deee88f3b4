"""Who hears what, from real events to real inboxes: each once, whatever comes twice, late or out of order."""

from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID

import pytest

from lianhu_kit.identifiers import new_id
from support.conditions import eventually
from support.people import bearer


def people_of(rows: list[dict[str, Any]], template: str) -> list[UUID]:
    return sorted(row["person"] for row in rows if row["template"] == template)


async def test_each_audience_hears_once_however_often_events_come(notifications: Any) -> None:
    place = await notifications.place()
    resident, reporter, first, second = (new_id() for _ in range(4))
    order = place.order()
    story = [
        order.submitted(by=reporter, resident=resident, reporter=reporter),
        order.request("asked", status="awaiting_resident", by=place.clerk, missing_count=2),
        order.request("replied", status="submitted", by=resident),
        order.request("accepted", status="accepted", by=place.clerk, urgent=False, grid=None,
                      limits={"contact": None, "finish": None}),
        order.offered(first, second, until="2026-03-04T14:30:00+08:00"),
        order.claimed(first),
        order.completed(),
        order.request("closed", status="closed_confirmed", by=new_id(), how="confirmed"),
    ]  # fmt: skip
    for event in story:
        await notifications.bus.send(event, event)  # every event comes twice
    await notifications.bus.send(*story)  # and the topics are filled again
    rows = await notifications.told(order, "closed-confirmed", "visit-coming", "task-offered")
    marker = place.order()  # a later request: once it is through, so is everything before it on these topics
    await notifications.bus.send(marker.submitted(), marker.offered(first))
    await notifications.told(marker, "request-new", "task-open")
    rows = await notifications.deliveries(order)

    assert people_of(rows, "request-new") == [place.clerk]
    assert people_of(rows, "request-asked") == sorted([resident, reporter])
    assert people_of(rows, "request-replied") == [place.clerk]
    assert people_of(rows, "request-accepted") == sorted([resident, reporter])
    assert people_of(rows, "task-offered") == sorted([first, second])
    assert people_of(rows, "visit-coming") == sorted([resident, reporter])
    assert people_of(rows, "confirm-work") == [resident]
    assert people_of(rows, "request-done") == [reporter]
    assert people_of(rows, "closed-confirmed") == [resident]
    assert len(rows) == 13
    inbox = await notifications.inbox(resident, "resident", place.code)
    assert inbox["unread"] == len(inbox["items"]) == 5


@pytest.mark.parametrize("order_of_topics", ["as it happened", "dispatch first", "requests first", "turn by turn"])
async def test_inboxes_are_the_same_in_whatever_order_the_topics_come(notifications: Any, order_of_topics: str) -> None:
    place = await notifications.place()
    resident, first, second = new_id(), new_id(), new_id()
    order = place.order()
    asked = [order.submitted(resident=resident), order.request("answered", status="accepted")]
    done = [order.completed(), order.request("closed", status="closed_unconfirmed", how="unconfirmed")]
    work = [
        order.offered(first, second),
        order.claimed(first),
        order.dispatch("released", by=first, person=first),
        order.claimed(second),
        order.dispatch("cancelled", reason="replaced", holders=[second], state="cancelled"),
    ]
    turns = [event for pair in zip_longest(work, [*asked, *done]) for event in pair if event]
    orders = {
        "as it happened": [*asked, *work, *done],
        "dispatch first": [*work, *asked, *done],
        "requests first": [*asked, *done, *work],
        "turn by turn": turns,
    }
    await notifications.bus.send(*orders[order_of_topics])
    await eventually(lambda: _at_least(notifications, order, 10))
    told = [(row["template"], row["person"]) for row in await notifications.deliveries(order, channel="inbox")]
    assert sorted(told, key=str) == sorted(
        [
            ("request-new", place.clerk),
            ("task-open", first),
            ("task-open", second),
            ("visit-coming", resident),
            ("task-released", None),
            ("visit-off", resident),
            ("visit-coming", resident),
            ("task-cancelled", second),
            ("confirm-work", resident),
            ("closed-unconfirmed", resident),
        ],
        key=str,
    )


async def test_an_offer_waits_for_its_request(notifications: Any) -> None:
    place = await notifications.place()
    person = new_id()
    order = place.order()
    submitted, offered = order.submitted(), order.offered(person)
    await notifications.bus.send(offered)

    async def waits() -> bool:
        return bool(await notifications.rows("SELECT 1 FROM waiting WHERE key = :key", "", key=str(order.id)))

    await eventually(waits)
    assert await notifications.deliveries(order) == []
    await notifications.bus.send(submitted)
    rows = await notifications.told(order, "task-open")
    assert people_of(rows, "task-open") == [person]
    assert (await notifications.inbox(person, "volunteer", place.code))["unread"] == 1


async def test_a_request_waits_for_its_village(notifications: Any) -> None:
    place = await notifications.place()
    unknown = place.order()
    unknown.tenant = "9" + place.code[1:11] + ("1" if place.code[-1] != "1" else "2")
    await notifications.bus.send(unknown.submitted(resident=new_id()))

    async def waits() -> bool:
        found = await notifications.rows("SELECT awaits FROM waiting WHERE key = :key", "", key=str(unknown.id))
        return [row["awaits"] for row in found] == [unknown.tenant]

    await eventually(waits)
    await notifications.bus.send(place.unit(unknown.tenant, "village", "后来村"))
    (gap,) = await notifications.told(unknown, "request-new")
    assert (gap["state"], gap["reason"]) == ("suppressed", "nobody"), "a village without a clerk shows as a gap"


async def test_three_people_hear_of_one_matter(notifications: Any) -> None:
    place = await notifications.place()
    one, two, three = new_id(), new_id(), new_id()
    target, second, third = place.order(), place.order(), place.order()
    await notifications.bus.send(second.submitted(resident=two), third.submitted(reporter=three))
    for order in (second, third):
        await notifications.bus.send(
            order.request("merged", status="merged", by=place.clerk, into=target.id, number_into=target.number)
        )
    await notifications.bus.send(target.submitted(resident=one))  # the target arrives last of all
    await notifications.told(second, "request-merged")
    rows = await notifications.told(third, "request-merged")
    assert people_of([row for row in rows if row["channel"] == "inbox"], "request-merged") == [three]
    rows = await notifications.told(target, "request-joined")
    await notifications.bus.send(target.completed())
    rows = await notifications.told(target, "confirm-work")
    assert people_of(rows, "request-joined") == [one], "told once that others joined, though two did"
    assert people_of(await notifications.told(second, "merged-done"), "merged-done") == [two]
    called = [row for row in await notifications.told(third, "merged-done") if row["channel"] == "call"]
    assert [row["template"] for row in called] == ["request-merged", "merged-done"]


async def test_what_is_decided_one_level_up_reaches_the_desk_and_who_waits(notifications: Any) -> None:
    place = await notifications.place()
    resident, supervisor = new_id(), new_id()
    order = place.order()  # with an account, and one whose resident has to be called
    by_call = place.order()
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    limits = {"contact": None, "finish": until}
    for one, account in ((order, resident), (by_call, None)):
        await notifications.bus.send(
            one.submitted(resident=account),
            one.request("reported-up", status="with_town", by=place.clerk, to=place.code[:9]),
            one.request("sent-back", status="accepted", by=supervisor, unit=place.code[:9]),
            one.request("suspended", status="accepted", by=supervisor, until=until),
            one.request("resumed", status="accepted", by=None, limits=limits),
            one.request("extended", status="accepted", by=supervisor, limit="finish", due_at=until, was_due_at=until),
        )
    rows = await notifications.told(order, "request-extended", "finish-extended")
    for template in ("request-with-town", "request-suspended", "request-resumed", "request-extended"):
        assert people_of(rows, template) == [resident], template
    for template in ("desk-sent-back", "desk-suspended", "desk-resumed", "finish-extended"):
        assert (template, place.clerk) in {(row["template"], row["person"]) for row in rows}
    rows = await notifications.told(by_call, "request-extended")
    calls = {row["template"]: (row["state"], row["reason"]) for row in rows if row["channel"] == "call"}
    assert calls == {"request-suspended": ("suppressed", "superseded"), "request-extended": ("due", None)}


async def test_everyone_hears_in_their_language(notifications: Any) -> None:
    place = await notifications.place(locale="en")
    chinese, unsaid = new_id(), new_id()
    answer = await notifications.http.put(
        "/v1/preferences", headers=bearer("resident", place.code, chinese), json={"locale": "zh-CN"}
    )
    assert answer.json().items() >= {"locale": "zh-CN", "chosen": True}.items()
    order = place.order()
    await notifications.bus.send(order.submitted(resident=chinese, reporter=unsaid), order.completed())
    await notifications.told(order, "confirm-work", "request-done")
    (message,) = (await notifications.inbox(chinese, "resident", place.code))["items"]
    assert message["title"] == f"请确认：{order.number}"
    assert "家电维修" in message["body"]
    (message,) = (await notifications.inbox(unsaid, "resident", place.code))["items"]
    assert message["title"] == f"Done: {order.number}"


async def test_old_events_reach_inboxes_and_call_nobody(notifications: Any) -> None:
    place = await notifications.place()
    resident = new_id()
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with_account, without = place.order(), place.order()
    await notifications.bus.send(
        with_account.submitted(resident=resident, time=long_ago),
        with_account.request("rejected", status="rejected", by=place.clerk, time=long_ago),
        without.submitted(time=long_ago),
        without.request("rejected", status="rejected", by=place.clerk, time=long_ago),
    )
    await notifications.told(with_account, "request-rejected")
    rows = await notifications.told(without, "request-rejected")
    assert (rows[-1]["state"], rows[-1]["reason"]) == ("suppressed", "too-late")
    assert await notifications.calls(place) == [] or all(
        call["state"] == "suppressed" for call in await notifications.calls(place)
    )
    assert (await notifications.inbox(resident, "resident", place.code))["unread"] == 1


async def test_offices_follow_the_directory(notifications: Any) -> None:
    place = await notifications.place()
    grid = place.code + "001"
    leader, supervisor, gone = new_id(), new_id(), new_id()
    await notifications.bus.send(
        place.unit(grid, "grid", "东网格"),
        place.person(leader, "grid_leader", grid),
        place.person(supervisor, "supervisor", place.code[:9]),
        place.person(gone, "clerk", place.code),
        place.person(gone, "clerk", place.code, active=False),
    )

    async def known() -> bool:
        found = await notifications.rows(
            "SELECT person FROM person_roles WHERE person = ANY(:people)", "", people=[leader, supervisor, gone]
        )
        return {row["person"] for row in found} == {leader, supervisor}

    await eventually(known)
    order = place.order()
    await notifications.bus.send(
        order.submitted(grid=grid),
        order.dispatch("escalated", grid=grid, to="leader", wave=3),
        order.dispatch("escalated", grid=grid, to="town", wave=3),
        order.limit("limit-passed", "finish"),
    )
    rows = await notifications.told(order, "task-unclaimed", "finish-passed")
    rows = await eventually(lambda: _at_least(notifications, order, 5))
    assert people_of(rows, "task-unclaimed") == sorted([leader, supervisor])
    assert people_of(rows, "finish-passed") == sorted([place.clerk, leader])
    (message, *_) = (await notifications.inbox(leader, "grid_leader", grid))["items"]
    assert "东网格" in message["body"]
    await notifications.bus.send(notifications.bus.event("volunteer.upserted", str(leader), place.code, None))

    async def left() -> bool:
        return not await notifications.rows("SELECT 1 FROM person_roles WHERE person = :who", "", who=leader)

    assert await eventually(left), "a deletion takes the offices away"


async def _at_least(notifications: Any, order: Any, count: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await notifications.deliveries(order)
    return rows if len(rows) >= count else []


async def test_hundreds_are_offered_work_and_each_hears_once(notifications: Any) -> None:
    place = await notifications.place()
    people = [new_id() for _ in range(40)]
    orders = [place.order() for _ in range(25)]
    for order in orders:
        await notifications.bus.send(order.submitted(), order.offered(*people))

    async def all_told() -> bool:
        found = await notifications.rows(
            "SELECT count(*) AS messages, count(DISTINCT (person, request_id)) AS pairs FROM messages "
            "WHERE tenant = :tenant AND template = 'task-open'", place.code, tenant=place.code,
        )  # fmt: skip
        return bool(found == [{"messages": 1000, "pairs": 1000}])

    assert await eventually(all_told, timeout=60)

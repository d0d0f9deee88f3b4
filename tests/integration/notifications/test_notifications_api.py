"""The API: inbox, stream, preferences, calls and deliveries; who sees what, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from lianhu_kit.identifiers import new_id
from lianhu_kit.migrations import PERSON
from notifications_service.settings import Settings
from support.conditions import eventually
from support.people import bearer


async def told_once(notifications: Any) -> tuple[Any, Any]:
    """A resident with one message; the place and the resident."""
    place = await notifications.place()
    resident = new_id()
    order = place.order()
    await notifications.bus.send(order.submitted(resident=resident), order.completed())
    await notifications.told(order, "confirm-work")
    return place, resident


async def test_an_inbox_is_paged_counted_and_read(notifications: Any) -> None:
    place = await notifications.place()
    person = new_id()
    orders = [place.order() for _ in range(5)]
    for order in orders:
        await notifications.bus.send(order.submitted(), order.offered(person))
    for order in orders:
        await notifications.told(order, "task-open")
    first = await notifications.inbox(person, "volunteer", place.code, limit=2)
    second = await notifications.inbox(person, "volunteer", place.code, limit=2, after=first["next"])
    third = await notifications.inbox(person, "volunteer", place.code, limit=2, after=second["next"])
    items = [*first["items"], *second["items"], *third["items"]]
    assert {item["number"] for item in items} == {order.number for order in orders}
    assert [item["id"] for item in items] == sorted((item["id"] for item in items), reverse=True)
    assert "next" not in third
    assert first["unread"] == 5
    headers = bearer("volunteer", place.code, person)
    read = await notifications.http.post(f"/v1/inbox/{items[0]['id']}/read", headers=headers)
    again = await notifications.http.post(f"/v1/inbox/{items[0]['id']}/read", headers=headers)
    assert read.json() == again.json()
    assert read.json()["unread"] == 4
    left = await notifications.inbox(person, "volunteer", place.code, unread=True)
    assert len(left["items"]) == 4


async def test_an_inbox_opens_to_its_person_only(notifications: Any) -> None:
    place, resident = await told_once(notifications)
    (message,) = (await notifications.inbox(resident, "resident", place.code))["items"]
    for role in ("resident", "clerk", "supervisor", "operator", "admin"):
        other = await notifications.inbox(new_id(), role, place.code)
        assert other == {"items": [], "unread": 0}
        headers = bearer(role, place.code, new_id())
        refused = await notifications.http.post(f"/v1/inbox/{message['id']}/read", headers=headers)
        assert refused.status_code == 404


async def test_the_database_itself_keeps_inboxes_apart(
    notifications: Any, notifications_settings: dict[str, Settings]
) -> None:
    from lianhu_kit.database import Database, enter_scope

    place, resident = await told_once(notifications)
    database = Database(notifications_settings["api"].database_url, application_name="tests", pool_size=2)
    try:
        for person, expected in ((resident, 1), (new_id(), 0), (None, 0)):
            async with database.transaction() as session:
                await enter_scope(session, place.code, person)
                count = (await session.execute(text("SELECT count(*) FROM messages"))).scalar_one()
                assert count == expected, f"as {PERSON}"
                reached = await session.execute(text("UPDATE messages SET read_at = NULL RETURNING id"))
                assert len(reached.all()) == expected
        async with database.transaction() as session:
            await enter_scope(session, "9" * 12, resident)
            assert (await session.execute(text("SELECT count(*) FROM deliveries WHERE tenant = :code"),
                                          {"code": place.code})).scalar_one() == 0  # fmt: skip
    finally:
        await database.close()


@pytest.mark.parametrize("role", ["integrator", "service"])
async def test_machines_have_no_inbox(notifications: Any, role: str) -> None:
    headers = bearer(role, "900000000001")
    for path in ("/v1/inbox", "/v1/inbox/stream", "/v1/preferences", "/v1/calls", "/v1/deliveries"):
        assert (await notifications.http.get(path, headers=headers)).status_code == 403
        assert (await notifications.http.get(path)).status_code == 401


async def test_bad_input_says_what_would_be_right(notifications: Any) -> None:
    place, resident = await told_once(notifications)
    http, person, clerk = notifications.http, bearer("resident", place.code, resident), bearer("clerk", place.code)
    put = await http.put("/v1/preferences", headers=person, json={"locale": "fr"})
    assert (put.status_code, put.json()["errors"][0]["field"]) == (422, "locale")
    put = await http.put("/v1/preferences", headers=person, json={"locale": "en", "colour": "red"})
    assert (put.status_code, put.json()["errors"][0]["field"]) == (422, "colour")
    for answer in (
        await http.get("/v1/inbox?after=nonsense", headers=person),
        await http.get("/v1/inbox?limit=201", headers=person),
        await http.post("/v1/inbox/nonsense/read", headers=person),
        await http.get("/v1/calls?tenant=12345678901a", headers=clerk),
        await http.get("/v1/calls?state=unheard-of", headers=clerk),
        await http.get("/v1/deliveries?request=nonsense", headers=clerk),
        await http.post(f"/v1/calls/{new_id()}", headers=clerk, json={"outcome": "maybe"}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["detail"]
    for answer in (
        await http.get("/v1/calls?tenant=110101001001", headers=clerk),
        await http.get("/v1/deliveries?tenant=110101001001", headers=clerk),
        await http.post(f"/v1/calls/{new_id()}", headers=clerk, json={"outcome": "reached"}),
        await http.post(f"/v1/inbox/{new_id()}/read", headers=person),
    ):
        assert answer.status_code == 404, answer.text
    assert (await http.post(f"/v1/calls/{new_id()}", headers=person, json={"outcome": "reached"})).status_code == 403


async def test_deliveries_say_what_became_of_them(notifications: Any) -> None:
    place = await notifications.place()
    order = place.order()
    await notifications.bus.send(order.submitted(), order.completed())
    await notifications.told(order, "confirm-work")
    for role, at in (("clerk", place.code), ("operator", place.code[:4]), ("supervisor", place.code[:9])):
        answer = await notifications.http.get(
            "/v1/deliveries", headers=bearer(role, at), params={"tenant": place.code, "request": str(order.id)}
        )
        items = answer.json()["items"]
        assert [(item["template"], item["state"]) for item in items] == [
            ("confirm-work", "due"),
            ("request-new", "sent"),
        ]
        assert not {"title", "body", "words"} & set(items[0])
    answer = await notifications.http.get(
        "/v1/deliveries", headers=bearer("clerk", place.code), params={"state": "due"}
    )
    assert [item["template"] for item in answer.json()["items"]] == ["confirm-work"]


async def stream(url: httpx.URL, headers: dict[str, str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The events of an inbox stream as they come."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=30) as http,
        http.stream("GET", "/v1/inbox/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


async def test_a_stream_says_when_something_comes(notifications: Any) -> None:
    place, resident = await told_once(notifications)
    heard: list[tuple[str, dict[str, Any]]] = []
    other: list[tuple[str, dict[str, Any]]] = []

    async def listen(person: Any, into: list[tuple[str, dict[str, Any]]]) -> None:
        async for event in stream(notifications.http.base_url, bearer("resident", place.code, person)):
            into.append(event)

    listening = [asyncio.create_task(listen(*one)) for one in ((resident, heard), (new_id(), other))]
    try:
        await eventually(lambda: _value(heard and other))
        assert heard[0] == ("unread", {"unread": 1})
        assert other[0] == ("unread", {"unread": 0})
        order = place.order()
        await notifications.bus.send(
            order.submitted(resident=resident), order.request("rejected", status="rejected", by=place.clerk)
        )
        await eventually(lambda: _value(len(heard) >= 3))
        assert [name for name, _ in heard[-2:]] == ["message", "unread"]
        assert heard[-2][1]["number"] == order.number
        assert heard[-1][1] == {"unread": 2}
        assert all(name == "unread" and data == {"unread": 0} for name, data in other)
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def _value(value: Any) -> Any:
    return value


async def test_a_stream_ends_when_the_service_stops(
    notifications: Any, notifications_settings: dict[str, Settings], running_api: Any
) -> None:
    async with running_api(notifications_settings["api"]) as (server, url):
        heard: list[Any] = []

        async def listen() -> None:
            async for event in stream(httpx.URL(url), bearer("resident", "900000000001")):
                heard.append(event)

        listening = asyncio.create_task(listen())
        await eventually(lambda: _value(heard))
        server.config.app.state.doorbells.stop()
        await asyncio.wait_for(listening, 5)


async def test_a_stream_lasts_as_long_as_a_token(
    notifications: Any, notifications_settings: dict[str, Settings], running_api: Any
) -> None:
    short = notifications_settings["api"].model_copy(update={"stream_seconds": 1})
    async with running_api(short) as (_, url):
        events = [event async for event in stream(httpx.URL(url), bearer("resident", "900000000001"))]
        assert events == [("unread", {"unread": 0})]


async def test_what_the_village_does_not_see_stands_in_none_of_its_lists(notifications: Any) -> None:
    place, resident = await notifications.place(), new_id()
    order, usual = place.order(), place.order()
    await notifications.bus.send(usual.submitted(), order.submitted(unseen=True, resident=resident), order.completed())
    await notifications.told(usual, "request-new")
    assert any(row["person"] == resident for row in await notifications.told(order, "confirm-work"))
    for role, at, seen in (("clerk", place.code, False), ("supervisor", place.code, False),
                           ("supervisor", place.code[:9], True), ("operator", place.code[:4], True)):  # fmt: skip
        for more in ({}, {"request": str(order.id)}):
            answer = await notifications.http.get(
                "/v1/deliveries", headers=bearer(role, at), params={"tenant": place.code, **more}
            )
            assert answer.status_code == 200, answer.text
            found = {item["request_id"] for item in answer.json()["items"]}
            assert (str(order.id) in found) == seen, (role, at)
            assert more or str(usual.id) in found

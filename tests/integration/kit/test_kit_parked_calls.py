"""`/v1/parked`: operators see what is parked under their codes, and decide on it; nobody else does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from integration.kit.station import Station
from integration.kit.ward import Ward
from lianhu_kit.application import create_application
from lianhu_kit.envelope import Record
from lianhu_kit.inbound import Poison
from support import bearer, village
from support.people import person_of


@asynccontextmanager
async def serving(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    """An API without calls of its own, as the api role."""
    settings = station.settings.model_copy(update={"database_url": station.api.url})
    app = create_application(settings, title="Desk", routers=[], required_revision="0001")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://desk", timeout=30) as client,
    ):
        yield client


@pytest_asyncio.fixture(scope="module")
async def desk(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with serving(station) as client:
        yield client


@pytest_asyncio.fixture
async def ward(station: Station) -> Ward:
    """A village where a2 is parked, with a3 behind it."""
    made = Ward(station)
    made.bad["a2"] = Poison("never")
    await made.inbound.receive([made.event("a", n) for n in (1, 2, 3)])
    return made


async def listed(desk: httpx.AsyncClient, at: str, **query: Any) -> list[dict[str, Any]]:
    """What an operator at a place is shown."""
    answer = await desk.get("/v1/parked", params=query, headers=bearer("operator", at))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_operator_sees_what_is_parked_under_their_code_page_by_page(
    desk: httpx.AsyncClient, ward: Ward
) -> None:
    items = await listed(desk, ward.tenant[:6], topic=ward.topic)
    assert [(each["key"], each["sequence"], each["state"]) for each in items] == [
        ("a", 3, "parked"),
        ("a", 2, "parked"),
    ]
    assert items[1]["reason"] == "never"
    assert (items[1]["tenant"], items[1]["decision"]) == (ward.tenant, None)
    operator = bearer("operator", ward.tenant)
    first = (await desk.get("/v1/parked", params={"topic": ward.topic, "limit": 1}, headers=operator)).json()
    rest = await desk.get("/v1/parked", params={"topic": ward.topic, "after": first["next"]}, headers=operator)
    assert [each["id"] for each in [*first["items"], *rest.json()["items"]]] == [each["id"] for each in items]
    assert "next" not in rest.json()
    assert await listed(desk, ward.tenant, topic=ward.topic, key="b") == []


async def test_one_event_with_all_that_is_known_of_it(desk: httpx.AsyncClient, ward: Ward) -> None:
    broken = Record(ward.topic, 3, 77, b"b", b"\xff{no", ward.event("b", 1).headers)
    await ward.inbound.receive([broken])
    operator = bearer("operator", ward.tenant)
    stored, unread = [
        (await desk.get(f"/v1/parked/{(await ward.ids(key))[0]}", headers=operator)).json() for key in ("a", "b")
    ]
    assert (stored["event"]["data"], stored["record"]) == ({"words": "good"}, None)
    assert (unread["event"], unread["partition"], unread["offset"]) == (None, 3, 77)
    assert unread["record"]["value"] == {"size": 4, "text": None, "base64": "/3tubw=="}
    assert unread["record"]["key"]["text"] == "b"
    assert {"ce_sequence", "ce_tenant"} <= {each["name"]["text"] for each in unread["record"]["headers"]}


async def test_a_drop_is_recorded_with_who_and_why_and_carried_out(desk: httpx.AsyncClient, ward: Ward) -> None:
    path, operator = f"/v1/parked/{(await ward.ids())[0]}", bearer("operator", ward.tenant)
    answer = await desk.post(f"{path}/drop", json={"reason": "测试：从来没有发生"}, headers=operator)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "decided"
    again = await desk.post(f"{path}/drop", json={"reason": "测试：从来没有发生"}, headers=operator)
    assert (again.status_code, again.json()["decision"]) == (202, answer.json()["decision"])
    await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 3)]
    told = (await desk.get(path, headers=operator)).json()
    made = told["decision"]
    assert (told["state"], made["verdict"], made["reason"]) == ("dropped", "drop", "测试：从来没有发生")
    assert made["by"] == str(person_of("operator", ward.tenant))
    assert told["event"]["sequence"] == 2
    assert await listed(desk, ward.tenant, topic=ward.topic) == []


async def test_who_decides_second_and_otherwise_hears_409(desk: httpx.AsyncClient, ward: Ward) -> None:
    path = f"/v1/parked/{(await ward.ids())[0]}"
    ward.bad.clear()
    first = await desk.post(f"{path}/retry", json={"reason": "mended"}, headers=bearer("operator", ward.tenant))
    assert first.status_code == 202, first.text
    for _ in range(2):
        other = await desk.post(f"{path}/drop", json={"reason": "no"}, headers=bearer("operator", ward.tenant[:4]))
        assert (other.status_code, other.json()["type"]) == (409, "urn:lianhu:problem:already-decided")
        assert (other.json()["verdict"], other.json()["detail"][-1]) == ("retry", ".")
        await ward.inbound.retry_waiting()
    assert await ward.effects() == [("a", 1), ("a", 2), ("a", 3)]
    assert (await desk.get(path, headers=bearer("operator", ward.tenant))).json()["state"] == "retried"


async def test_only_operators_and_only_under_their_code(desk: httpx.AsyncClient, ward: Ward) -> None:
    one, elsewhere = (await ward.ids())[0], bearer("operator", village())
    reason = {"reason": "because"}
    calls = [("GET", f"/v1/parked/{one}", None), ("POST", f"/v1/parked/{one}/retry", reason),
             ("POST", f"/v1/parked/{one}/drop", reason)]  # fmt: skip
    for method, path, body in [("GET", "/v1/parked", None), *calls]:
        assert (await desk.request(method, path, json=body)).status_code == 401
        for role in ("clerk", "supervisor", "admin", "volunteer"):
            refused = await desk.request(method, path, json=body, headers=bearer(role, ward.tenant))
            assert refused.status_code == 403, (role, path, refused.text)
    for method, path, body in [("GET", f"/v1/parked?tenant={ward.tenant}", None), *calls]:
        answer = await desk.request(method, path, json=body, headers=elsewhere)
        assert answer.status_code == 404, answer.text
    assert (await desk.get("/v1/parked", params={"topic": ward.topic}, headers=elsewhere)).json()["items"] == []
    assert await ward.station.rows("SELECT 1 FROM parked_decisions WHERE parked_id = :id", id=one) == []


async def test_what_names_no_village_is_every_operators(desk: httpx.AsyncClient, ward: Ward) -> None:
    await ward.inbound.receive([Record(ward.topic, 1, 5, None, b"?", [("ce_tenant", b"x" * 300)])])
    (one,) = await ward.ids("")
    somewhere = bearer("operator", village())
    assert [each["id"] for each in await listed(desk, village(), topic=ward.topic)] == [one]
    answer = await desk.post(f"/v1/parked/{one}/drop", json={"reason": "garbage"}, headers=somewhere)
    assert answer.status_code == 202, answer.text
    await ward.inbound.retry_waiting()
    assert (await desk.get(f"/v1/parked/{one}", headers=somewhere)).json()["state"] == "dropped"


@pytest.mark.parametrize(
    ("query", "status"),
    [({"after": "WzFd"}, 200), ({"after": "Wy05XQ"}, 200), ({"after": "WzFlOTld"}, 422),
     ({"after": "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0"}, 422), ({"tenant": "4"}, 422)],
)  # fmt: skip
async def test_cursors_and_places_that_nobody_gave_out(
    desk: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    answer = await desk.get("/v1/parked", params=query, headers=bearer("operator", "44"))
    assert answer.status_code == status, answer.text


async def test_ids_and_reasons_that_cannot_be(desk: httpx.AsyncClient, ward: Ward) -> None:
    operator = bearer("operator", ward.tenant)
    for wrong in ("0", "x", str(2**63)):
        assert (await desk.get(f"/v1/parked/{wrong}", headers=operator)).status_code == 422
    assert (await desk.get(f"/v1/parked/{2**63 - 1}", headers=operator)).status_code == 404
    path = f"/v1/parked/{(await ward.ids())[0]}/drop"
    for body in ({}, {"reason": " "}, {"reason": "x" * 2001}, {"reason": "a\x00b"}, {"reason": "good", "by": "me"}):
        assert (await desk.post(path, json=body, headers=operator)).status_code == 422, body

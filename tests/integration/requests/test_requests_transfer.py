"""A request is passed to the village that it belongs to: it ends here, is placed there, its slip goes on being good."""

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest

from support import bearer
from support.browsing import Person
from support.pictures import photo
from support.requests_rig import Place, Rig


async def passed(rig: Rig, place: Place, there: Place, slip: Any, **more: Any) -> Any:
    return await rig.move(place, slip, "transfer", {"to": there.code, "reason": "住在那边", **more})


async def test_it_ends_here_and_is_placed_there_with_all_that_was_said(rig: Rig, place: Place) -> None:
    there, resident = await rig.village(), uuid4()
    slip = await rig.order(place, bearer("resident", "", resident), contact={"name": "测试甲", "phone": "13900000001"})
    state = await passed(rig, place, there, slip)
    assert (state["status"], state["allowed"]) == ("transferred", [])
    assert await rig.timers(slip) == set()
    into = state["into"]
    assert into["tenant"] == there.code
    await rig.refused(404, "GET", f"/v1/requests/{into['id']}", rig.clerk(place))
    new = await rig.get(there, into)
    assert (new["status"], new["text"], new["number"]) == ("submitted", "厨房水龙头漏水", into["number"])
    assert new["limits"]["contact"]
    assert await rig.timers(into) == {"contact-near", "finish-near"}
    contact = await rig.good("GET", f"/v1/requests/{into['id']}/contact", rig.clerk(there))
    assert (contact["name"], contact["phone"]) == ("测试甲", "13900000001")
    told = await rig.last(slip, "transferred")
    assert (told["into"], told["tenant_into"], told["number_into"]) == (into["id"], there.code, into["number"])
    [event] = [event for event in await rig.events(into["id"]) if event.type.endswith("submitted.v1")]
    assert event.tenant == there.code
    assert event.data is not None
    assert event.data["number"] == into["number"]
    [cause] = [event for event in await rig.events(slip["id"]) if event.type.endswith("transferred.v1")]
    rows = await rig.rows_as("worker", "SELECT causationid FROM outbox WHERE id = $1", event.id)
    rows = rows or await rig.rows_as("worker", "SELECT causationid FROM published WHERE id = $1", event.id)
    assert rows[0]["causationid"] == str(cause.id)
    everything = str([event.data for key in (slip, into) for event in await rig.events(key["id"])])
    assert "住在那边" not in everything
    assert "13900000001" not in everything
    # It goes on there, as any other.
    assert (await rig.move(there, into, "accept", {"summary": "水龙头漏水"}))["status"] == "dispatched"


async def test_the_slip_leads_there(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    into = (await passed(rig, place, there, slip))["into"]
    person = Person(rig.client)
    await person.get("/track")
    page = await person.send("/track", village=place.code, number=slip["number"], code=slip["tracking_code"])
    assert into["number"] in page.text
    assert "示例村" in page.text
    page = await person.send("/track", number=into["number"])
    assert page.status == 200
    assert f"<h1>{into['number']}</h1>" in page.html


async def test_from_accepted_too_but_not_once_it_is_out(rig: Rig, place: Place) -> None:
    there = await rig.village()
    kept = await rig.accepted(place, accept={"route": "none"})
    assert (await passed(rig, place, there, kept))["status"] == "transferred"
    out = await rig.accepted(place)
    body = {"to": there.code, "reason": "住在那边"}
    problem = await rig.refused(409, "POST", f"/v1/requests/{out['id']}/transfer", rig.clerk(place), body)
    assert problem["state"] == "dispatched"
    again = await rig.refused(409, "POST", f"/v1/requests/{kept['id']}/transfer", rig.clerk(place), body)
    assert (again["state"], again["allowed"]) == ("transferred", [])


async def test_where_it_cannot_go_is_said_at_its_field_and_nothing_is_stored(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    path = f"/v1/requests/{slip['id']}/transfer"
    for body, field in (
        ({"to": place.code, "reason": "同村"}, "to"),
        ({"to": "999999999999", "reason": "没有这个村"}, "to"),
        ({"to": there.code, "reason": "没有这项", "service": "no-such"}, "service"),
        ({"to": "12", "reason": "短"}, "to"),
        ({"to": there.code}, "reason"),
    ):
        problem = await rig.refused(422, "POST", path, rig.clerk(place), body)
        assert [error["field"] for error in problem["errors"]] == [field]
    assert (await rig.get(place, slip))["status"] == "submitted"
    assert await rig.timers(slip) == {"contact-near", "finish-near"}


async def test_who_may(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    path, body = f"/v1/requests/{slip['id']}/transfer", {"to": there.code, "reason": "住在那边"}
    await rig.refused(404, "POST", path, rig.clerk(there), body)
    for role in ("grid_leader", "grid_worker", "volunteer", "resident", "admin"):
        await rig.refused(403, "POST", path, bearer(role, place.code), body)
    await rig.refused(401, "POST", path, None, body)
    town = bearer("supervisor", place.code[:9])
    assert (await rig.good("POST", path, town, body))["status"] == "transferred"


@pytest.mark.parametrize("other", ["accept", "withdraw"])
async def test_of_two_at_once_one_comes_first_and_the_other_is_told(rig: Rig, place: Place, other: str) -> None:
    there = await rig.village()
    for _ in range(4):
        slip = await rig.order(place)
        body: dict[str, Any] = {"summary": "水龙头漏水"} if other == "accept" else {"reason": "不用了"}
        answers = await asyncio.gather(
            rig.call("POST", f"/v1/requests/{slip['id']}/transfer", rig.clerk(place),
                     {"to": there.code, "reason": "住在那边"}),
            rig.call("POST", f"/v1/requests/{slip['id']}/{other}", rig.clerk(place), body),
        )  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        status = (await rig.get(place, slip))["status"]
        assert (status == "transferred") == (answers[0].status_code == 200)


async def test_by_page_with_the_villages_of_the_town_to_choose_from(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    page = await clerk.get(f"/desk/{slip['id']}")
    assert f'action="/desk/{slip["id"]}/transfer"' in page.html
    page = await clerk.send(f"/desk/{slip['id']}/transfer", to="12", reason="住在那边")
    assert page.status == 422
    page = await clerk.send(f"/desk/{slip['id']}/transfer", to=there.code, reason="住在那边")
    assert page.status == 200
    assert (await rig.get(place, slip))["status"] == "transferred"


async def test_photos_go_with_it(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    path = f"/v1/requests/{slip['id']}/attachments"
    answer = await rig.client.post(path, headers=rig.clerk(place), files={"photo": ("a.jpg", photo(), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    into = (await passed(rig, place, there, slip))["into"]
    listed = await rig.good("GET", f"/v1/requests/{into['id']}/attachments", rig.clerk(there))
    assert [item["purpose"] for item in listed["items"]] == ["order"]
    assert listed["items"][0]["id"] != answer.json()["id"]
    count = "SELECT count(*) FROM attachments WHERE request_id = $1"
    assert (await rig.rows_as("owner", count, UUID(slip["id"])))[0]["count"] == 0


async def test_tracking_by_program_says_where_it_goes_on(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.order(place)
    code = slip["tracking_code"]
    before = await rig.good("GET", f"/v1/track/{slip['number']}?tenant={place.code}&code={code}")
    assert "into" not in before
    into = (await passed(rig, place, there, slip))["into"]
    old = await rig.good("GET", f"/v1/track/{slip['number']}?tenant={place.code}&code={code}")
    assert (old["status"], old["into"]) == (
        "transferred", {"tenant": there.code, "village": "示例村", "number": into["number"]}
    )  # fmt: skip
    new = await rig.good("GET", f"/v1/track/{into['number']}?tenant={there.code}&code={code}")
    assert new["status"] == "submitted"
    await rig.refused(404, "GET", f"/v1/track/{slip['number']}?tenant={place.code}&code=AAAAAA")


async def test_by_page_a_village_is_found_by_its_name(rig: Rig, place: Place) -> None:
    there, name = await rig.village(), f"移交村{secrets.token_hex(5)}"
    admin = bearer("admin", there.code)
    await rig.good("PUT", "/v1/org-units", admin, {"items": [{"code": there.code, "name": name, "settings": {}}]})
    slip = await rig.order(place)
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    path = f"/desk/{slip['id']}"
    await clerk.get(path)
    page = await clerk.send(f"{path}/transfer", to="没有这样的村", reason="住在那边")
    assert (page.status, "No village has this name." in page.text) == (422, True)
    page = await clerk.send(f"{path}/transfer", to="示例村", reason="住在那边")
    assert (page.status, "Several villages have this name:" in page.text) == (422, True)
    assert (await rig.get(place, slip))["status"] == "submitted"
    page = await clerk.send(f"{path}/transfer", to=name, reason="住在那边")
    assert page.status == 200
    assert (await rig.last(slip, "transferred"))["tenant_into"] == there.code


async def test_accepted_with_volunteers_asked_or_passed_on_one_rules_out_the_other(rig: Rig, place: Place) -> None:
    there = await rig.village()
    slip = await rig.accepted(place, accept={"route": "none"})
    await passed(rig, place, there, slip)
    problem = await rig.refused(
        409, "POST", f"/v1/requests/{slip['id']}/dispatch", rig.clerk(place), {"route": "volunteers"}
    )
    assert (problem["state"], problem["allowed"]) == ("transferred", [])
    assert (await rig.told(slip))[-1] == "transferred"

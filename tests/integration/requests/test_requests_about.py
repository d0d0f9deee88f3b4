"""What is about staff or volunteers: with the town at once, and as if it were not there for all of the village."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from requests_service.handlers.complaining import TO_TOWN
from support import bearer
from support.browsing import Person
from support.pictures import photo
from support.requests_rig import Place, Rig

OF_VILLAGE = ("clerk", "branch_secretary", "grid_leader", "grid_worker", "volunteer")


async def complaint(rig: Rig, place: Place, about: str = "staff", **more: Any) -> Any:
    return await rig.order(place, about=about, grid=place.grid, **more)


def town(place: Place) -> dict[str, str]:
    return bearer("supervisor", place.code[:9], uuid4())


@pytest.mark.parametrize("about", ["staff", "volunteer"])
async def test_it_is_with_the_town_by_itself(rig: Rig, place: Place, about: str) -> None:
    slip = await complaint(rig, place, about)
    assert slip["status"] == "submitted"
    assert TO_TOWN in await rig.timers(slip)
    await rig.fire(slip, TO_TOWN)
    seen = await rig.good("GET", f"/v1/requests/{slip['id']}", town(place))
    assert (seen["status"], seen["about"], seen["text"]) == ("with_town", about, "厨房水龙头漏水")
    told = await rig.last(slip, "reported-up")
    assert (told["to"], told["status"], told["by"]) == (place.code[:9], "with_town", None)
    [submitted] = [event for event in await rig.events(slip["id"]) if event.type.endswith("submitted.v1")]
    assert submitted.data is not None
    assert submitted.data["unseen"] is True
    assert about not in str(submitted.data)


async def test_nobody_of_the_village_sees_it_before_nor_after(rig: Rig, place: Place) -> None:
    slip, usual = await complaint(rig, place), await rig.order(place, grid=place.grid)
    for _ in range(2):
        for role in OF_VILLAGE:
            at = place.grid if role in ("grid_leader", "grid_worker", "branch_secretary") else place.code
            headers = bearer(role, at, place.clerk if role == "clerk" else uuid4())
            for path in ("", "/timeline", "/contact"):
                await rig.refused(404, "GET", f"/v1/requests/{slip['id']}{path}", headers)
        clerk = rig.clerk(place)
        listed = await rig.good("GET", f"/v1/requests?tenant={place.code}", clerk)
        assert [row["id"] for row in listed["items"]] == [usual["id"]]
        listed = await rig.good("GET", f"/v1/requests?tenant={place.code}&number={slip['number']}", clerk)
        assert listed["items"] == []
        for move, body in (("accept", {"summary": "水龙头"}), ("withdraw", {}), ("merge", {"into": usual["id"]}),
                           ("reject", {"reason": "不受理"}), ("report-up", {"reason": "上报"})):  # fmt: skip
            await rig.refused(404, "POST", f"/v1/requests/{slip['id']}/{move}", clerk, body)
        await rig.refused(422, "POST", f"/v1/requests/{usual['id']}/merge", clerk, {"into": slip["id"]})
        alike = await rig.good("GET", f"/v1/requests/{usual['id']}/duplicates", clerk)
        assert alike["items"] == []
        page = await Person(rig.client, [("clerk", place.code)], place.clerk).get("/desk")
        assert slip["number"] not in page.html
        if TO_TOWN in await rig.timers(slip):
            await rig.fire(slip, TO_TOWN)


async def test_counts_hold_it_and_name_nobody(rig: Rig, place: Place) -> None:
    slip = await complaint(rig, place)
    await rig.fire(slip, TO_TOWN)
    counted = await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place))
    assert counted["by_status"]["with_town"] == 1


async def test_whoever_placed_it_follows_it_with_slip_or_account(rig: Rig, place: Place) -> None:
    resident = uuid4()
    slip = await complaint(rig, place, contact={"name": "测试甲", "phone": "13900000001"})
    await rig.fire(slip, TO_TOWN)
    found = await rig.good("GET", f"/v1/track/{slip['number']}?tenant={place.code}&code={slip['tracking_code']}")
    assert found["status"] == "with_town"
    person = Person(rig.client)
    await person.get("/track")
    page = await person.send("/track", village=place.code, number=slip["number"], code=slip["tracking_code"])
    assert page.status == 200
    mine = await rig.order(place, bearer("resident", "", resident), about="staff",
                           contact={"name": "测试乙", "phone": "13900000002", "relation": "self"})  # fmt: skip
    seen = await rig.good("GET", f"/v1/requests/{mine['id']}", bearer("resident", "", resident))
    assert seen["id"] == mine["id"]
    await rig.refused(404, "GET", f"/v1/requests/{mine['id']}", bearer("resident", "", uuid4()))


async def test_the_town_answers_or_refers_and_never_brings_it_before_the_village(rig: Rig, place: Place) -> None:
    slip, supervisor = await complaint(rig, place), town(place)
    await rig.fire(slip, TO_TOWN)
    path = f"/v1/requests/{slip['id']}"
    for move, body in (("send-back", {"reason": "请村里办"}),
                       ("dispatch", {"route": "volunteers", "summary": "水龙头漏水"})):  # fmt: skip
        problem = await rig.refused(409, "POST", f"{path}/{move}", supervisor, body)
        assert problem["type"].endswith("unseen-by-village")
    state = await rig.good("POST", f"{path}/refer", supervisor, {"agency": "纪检", "reference": "1"})
    assert state["status"] == "referred"
    state = await rig.good("POST", f"{path}/agency-reply", supervisor, {"text": "不归这里", "outcome": "bounced"})
    assert state["status"] == "with_town"
    assert (await rig.told(slip))[-2:] == ["agency-replied", "reported-up"]
    await rig.good("POST", f"{path}/refer", supervisor, {"agency": "纪检", "reference": "2"})
    state = await rig.good("POST", f"{path}/agency-reply", supervisor, {"text": "已处理", "outcome": "done"})
    assert state["status"] == "completed"
    await rig.refused(404, "POST", f"{path}/confirm", rig.clerk(place), {"solved": "yes", "grade": 5, "by": "callback"})
    await rig.good("POST", f"{path}/reopen", supervisor, {"reason": "没有解决"})
    assert (await rig.good("GET", path, supervisor))["status"] == "with_town"


async def test_it_is_passed_to_no_other_village(rig: Rig, place: Place) -> None:
    slip, there = await complaint(rig, place), await rig.village()
    path, body = f"/v1/requests/{slip['id']}/transfer", {"to": there.code, "reason": "住在那边"}
    await rig.refused(404, "POST", path, rig.clerk(place), body)
    for _ in range(2):
        problem = await rig.refused(409, "POST", path, town(place), body)
        assert problem["type"].endswith("unseen-by-village")
        if TO_TOWN in await rig.timers(slip):
            await rig.fire(slip, TO_TOWN)
    assert (await rig.good("GET", f"/v1/requests/{slip['id']}", town(place)))["status"] == "with_town"


async def test_the_town_speaks_with_the_resident_where_it_has_the_request(rig: Rig, place: Place) -> None:
    slip, usual = await complaint(rig, place), await rig.order(place)
    await rig.fire(slip, TO_TOWN)
    path = f"/v1/requests/{slip['id']}/contacted"
    for role, at in (("clerk", place.code), ("supervisor", place.code)):
        await rig.refused(404, "POST", path, bearer(role, at, uuid4()), {"how": "phone"})
    assert (await rig.good("POST", path, town(place), {"how": "phone"}))["contacted_at"]
    assert "contact-near" not in await rig.timers(slip)
    problem = await rig.refused(403, "POST", f"/v1/requests/{usual['id']}/contacted", town(place), {"how": "phone"})
    assert problem["type"].endswith("with-village")


async def test_a_photo_goes_with_it_by_its_slip(rig: Rig, place: Place) -> None:
    slip = await complaint(rig, place)
    person = Person(rig.client)
    await person.get("/track")
    await person.send("/track", village=place.code, number=slip["number"], code=slip["tracking_code"])
    page = await person.send("/track/photos", files={"photo": ("a.jpg", photo(), "image/jpeg")})
    assert page.status == 200, page.text
    count = "SELECT count(*) FROM attachments WHERE request_id = $1"
    assert (await rig.rows_as("owner", count, UUID(slip["id"])))[0]["count"] == 1


async def test_withdrawn_before_it_was_passed_on_it_stays_withdrawn(rig: Rig, place: Place) -> None:
    resident = uuid4()
    own = bearer("resident", "", resident)
    slip = await rig.order(place, own, about="staff", contact={"name": "测试甲", "phone": "13900000001",
                                                             "relation": "self"})  # fmt: skip
    assert (await rig.good("POST", f"/v1/requests/{slip['id']}/withdraw", own, {}))["status"] == "withdrawn"
    assert TO_TOWN not in await rig.timers(slip)


async def test_the_database_itself_hides_it(rig: Rig, place: Place) -> None:
    slip = await complaint(rig, place)
    connection = await asyncpg.connect(rig.urls.api)
    try:
        for scope, person, count in (
            (place.code, "", 0), (place.code, str(uuid4()), 0), (place.code[:9], "", 1), (place.code[:4], "", 1),
            ("", "", 0),
        ):  # fmt: skip
            async with connection.transaction():
                await connection.execute(
                    "SELECT set_config('lianhu.scope', $1, true), set_config('lianhu.person', $2, true)", scope, person
                )
                found = await connection.fetchval("SELECT count(*) FROM requests WHERE id = $1", UUID(slip["id"]))
                assert found == count, scope
    finally:
        await connection.close()


async def test_by_page_it_is_a_choice_and_said_before_it_is_sent(rig: Rig, place: Place) -> None:
    person = Person(rig.client)
    address = f"/order/{place.code}/tap"
    await person.get(address)
    page = await person.send(address, text="态度不好", name="测试甲", phone="13900000001", about="staff", notice="yes",
                             who="self")  # fmt: skip
    assert page.status == 200
    assert "nobody in your village sees it" in page.text
    assert "About somebody of the staff" in page.text
    wrong = await Person(rig.client).get(address)
    assert wrong.status == 200

"""The desk by pages: queues, a call in one screen, one request and its moves, the town; and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from requests_service.domain.suggesting import suggested_summary
from support.browsing import Page, Person
from support.requests_rig import Place, Rig


def clerk(rig: Rig, place: Place) -> Person:
    return Person(rig.client, [("clerk", place.code)], place.clerk)


def supervisor(rig: Rig, place: Place) -> Person:
    return Person(rig.client, [("supervisor", place.code[:9])], uuid4())


def soon() -> str:
    """A local time in a form, a week from now."""
    return (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")


async def moved(rig: Rig, place: Place, order: Any, move: str, who: Person | None = None, **fields: Any) -> Page:
    """Makes a move on the request's page."""
    person = who or clerk(rig, place)
    page = await person.get(f"/desk/{order['id']}")
    assert page.has_form(f"/{move}"), f"{move} is not offered: {[form.action for form in page.forms]}"
    return await person.send(f"/desk/{order['id']}/{move}", **fields)


async def test_queues_count_and_list_what_waits(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    page = await person.get("/desk")
    assert 'class="empty"' in page.html
    order = await rig.order(place)
    page = await person.get("/desk")
    assert order["number"] in page.text
    await rig.move(place, order, "accept", {"summary": "水龙头漏水", "route": "none"})
    assert order["number"] not in (await person.get("/desk")).text
    assert order["number"] in (await person.get("/desk", queue="to-dispatch")).text
    found = await person.get("/desk", number=order["number"])
    assert found.location == f"/desk/{order['id']}"
    assert (await person.get("/desk", number="00000000")).status == 200


async def test_a_call_is_placed_and_accepted_on_one_screen(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    await person.get("/desk/new", service="tap")
    page = await person.send(
        "/desk/new",
        text="屋顶漏雨",
        name="测试乙",
        phone="13900000003",
        grid=place.grid,
        accept="yes",
        summary="屋顶漏雨",
    )
    assert page.status == 200, page.text
    [row] = (await rig.good("GET", f"/v1/requests?tenant={place.code}", rig.clerk(place)))["items"]
    assert row["number"] in page.text
    assert row["status"] == "dispatched"
    read = await rig.get(place, row)
    assert read["channel"] == "phone"


async def test_a_summary_with_a_name_leaves_the_order_among_the_new(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    await person.get("/desk/new", service="tap")
    page = await person.send(
        "/desk/new", text="屋顶漏雨", name="测试乙", phone="13900000003", accept="yes", summary="测试乙家屋顶漏雨"
    )
    assert page.status == 200
    [row] = (await rig.good("GET", f"/v1/requests?tenant={place.code}", rig.clerk(place)))["items"]
    assert row["status"] == "submitted"


async def test_the_same_call_sent_twice_is_one_order(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    page = await person.get("/desk/new", service="tap")
    fields = {**page.form("/desk/new").fields, "text": "屋顶漏雨", "name": "测试乙", "phone": "13900000003"}
    for _ in range(2):
        assert (await person.post("/desk/new", **fields)).status == 303
    assert len((await rig.good("GET", f"/v1/requests?tenant={place.code}", rig.clerk(place)))["items"]) == 1


@pytest.mark.parametrize(
    ("move", "fields", "status"),
    [
        ("ask", {"missing": "户口簿\n身份证号"}, "awaiting_resident"),
        ("accept", {"summary": "水龙头漏水", "route": "none"}, "accepted"),
        ("accept", {"summary": "水龙头漏水", "route": "volunteers", "places": "2"}, "dispatched"),
        ("reject", {"reason": "不归村里管"}, "rejected"),
        ("report-up", {"reason": "村里办不了"}, "with_town"),
        ("withdraw", {}, "withdrawn"),
        ("contacted", {"how": "phone"}, "submitted"),
    ],
)
async def test_moves_of_a_new_request(rig: Rig, place: Place, move: str, fields: dict[str, Any], status: str) -> None:
    order = await rig.order(place)
    page = await moved(rig, place, order, move, **fields)
    assert page.status == 200, page.text
    assert (await rig.get(place, order))["status"] == status


async def test_moves_of_an_accepted_request(rig: Rig, place: Place) -> None:
    made: list[tuple[str, dict[str, Any], str]] = [
        ("answer", {"text": "每周三上午办", "source": "办事指南"}, "completed"),
        ("refer", {"agency": "供水公司", "reference": "A-1"}, "referred"),
        ("dispatch", {"route": "staff", "staff": str(place.worker)}, "dispatched"),
        ("suspend", {"until": soon(), "reason": "等配件"}, "accepted"),
    ]
    for move, fields, status in made:
        order = await rig.accepted(place, accept={"route": "none"})
        page = await moved(rig, place, order, move, **fields)
        assert page.status == 200, f"{move}: {page.text}"
        assert (await rig.get(place, order))["status"] == status, move


@pytest.mark.parametrize(
    ("move", "fields", "wrong"),
    [
        ("ask", {"missing": ""}, "missing"),
        ("accept", {"summary": ""}, "summary"),
        ("accept", {"summary": "测试甲家漏水"}, "summary"),
        ("accept", {"summary": "漏水", "places": "many"}, "places"),
        ("accept", {"summary": "漏水", "route": "dragons"}, "route"),
        ("reject", {"reason": "x" * 3000}, "reason"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    rig: Rig, place: Place, move: str, fields: dict[str, Any], wrong: str
) -> None:
    order = await rig.order(place)
    page = await moved(rig, place, order, move, **fields)
    assert page.status == 422
    assert f'id="e-{move}-{wrong}"' in page.html
    assert (await rig.get(place, order))["status"] == "submitted"


@pytest.mark.parametrize(("given", "wrong"), [({"grade": "5"}, "solved"), ({"solved": "yes"}, "grade")])
async def test_nobody_grades_without_choosing(rig: Rig, place: Place, given: dict[str, Any], wrong: str) -> None:
    order = await rig.accepted(place, accept={"route": "none"})
    await rig.move(place, order, "answer", {"text": "每周三上午办", "source": "办事指南"})
    page = await moved(rig, place, order, "confirm", supervisor(rig, place), **given)
    assert page.status == 422
    assert f'id="e-confirm-{wrong}"' in page.html
    assert (await rig.get(place, order))["status"] == "completed"


async def test_two_tabs_the_second_is_told_what_is_allowed_now(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    first, second = clerk(rig, place), clerk(rig, place)
    await second.get(f"/desk/{order['id']}")
    await moved(rig, place, order, "reject", first, reason="不归村里管")
    page = await second.send("/reject", reason="不归村里管")
    assert page.status == 422
    assert "moved on" in page.text
    assert not page.has_form("/reject")


async def test_looking_at_the_contact_is_in_the_audit_log(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    person = clerk(rig, place)
    page = await person.get(f"/desk/{order['id']}")
    assert "13900000001" not in page.text
    page = await person.send("/contact")
    assert "13900000001" in page.text
    api = await asyncpg.connect(rig.urls.api)
    try:
        async with api.transaction():
            await api.execute("SELECT set_config('lianhu.scope', $1, true)", place.code)
            read = await api.fetchval("SELECT count(*) FROM contact_reads WHERE request_id = $1", UUID(order["id"]))
    finally:
        await api.close()
    assert read == 1


async def test_several_at_once_and_one_that_cannot_go(rig: Rig, place: Place) -> None:
    orders = [await rig.order(place) for _ in range(3)]
    person = clerk(rig, place)
    page = await person.get("/desk")
    fields = page.form("/desk/bulk/new").fields
    await rig.move(place, orders[0], "reject", {"reason": "不归村里管"})
    sent = await rig.client.post(
        "/desk/bulk/new",
        data={**fields, "id": [order["id"] for order in orders]},
        headers={"Cookie": "; ".join(f"{name}={value}" for name, value in person.cookies.items())},
    )
    assert sent.headers["location"] == "/desk?queue=new&done=2&failed=1"
    assert [(await rig.get(place, order))["status"] for order in orders] == ["rejected", "dispatched", "dispatched"]


async def test_what_was_sent_out_leads_to_the_board(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    address = f'href="/board/requests/{order["id"]}"'
    assert address not in (await clerk(rig, place).get(f"/desk/{order['id']}")).html
    await rig.move(place, order, "accept", {"summary": "水龙头漏水", "route": "volunteers"})
    assert address in (await clerk(rig, place).get(f"/desk/{order['id']}")).html


async def test_duplicates_stand_side_by_side_and_merge(rig: Rig, place: Place) -> None:
    one = await rig.order(place, grid=place.grid)
    other = await rig.order(place, grid=place.grid)
    person = clerk(rig, place)
    page = await person.get(f"/desk/{other['id']}")
    assert one["number"] in page.text
    page = await person.send("/merge")
    assert (await rig.get(place, other))["status"] == "merged"


async def test_the_town_sees_its_lists_and_decides(rig: Rig, place: Place) -> None:
    order = await rig.accepted(place, accept={"route": "none"})
    await moved(rig, place, order, "report-up", reason="村里办不了")
    town = supervisor(rig, place)
    assert order["number"] in (await town.get("/desk/town", shown="with-town")).text
    page = await town.get("/desk/town")
    assert order["number"] in page.text
    assert 'href="/board/supervised"' in page.html
    page = await moved(rig, place, order, "send-back", town, reason="请村里先上门看")
    assert page.status == 200
    assert (await rig.get(place, order))["status"] == "accepted"
    await moved(rig, place, order, "extend", reason="等配件", due_at=soon(), limit="finish")
    assert order["number"] in (await town.get("/desk/town", shown="to-decide")).text
    refused = await rig.order(place)
    await moved(rig, place, refused, "reject", reason="不归村里管")
    assert refused["number"] in (await town.get("/desk/town", shown="refused")).text
    page = await moved(rig, place, refused, "review", town, outcome="overturned", reason="村里要办", summary="漏水")
    assert (await rig.get(place, refused))["status"] == "accepted"


async def test_who_may_not_is_not_let_in(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    elsewhere = await rig.village()
    assert (await clerk(rig, elsewhere).get(f"/desk/{order['id']}")).status == 404
    volunteer = Person(rig.client, [("volunteer", place.code)], uuid4())
    assert (await volunteer.get("/desk")).status == 403
    assert (await Person(rig.client).get("/desk")).status == 303
    person = clerk(rig, place)
    assert (await person.post(f"/desk/{order['id']}/reject", reason="x")).status == 403
    assert (await rig.get(place, order))["status"] == "submitted"


async def test_hostile_words_are_only_words(rig: Rig, place: Place) -> None:
    order = await rig.order(place, text="<img src=x onerror=alert(1)>")
    page = await clerk(rig, place).get(f"/desk/{order['id']}")
    assert "<img src=x" not in page.html
    assert (await clerk(rig, place).get("/desk")).html.count("<img") == 0


def test_a_draft_summary_holds_choices_alone() -> None:
    questions: list[dict[str, Any]] = [
        {"code": "where", "type": "choice", "label": "哪里", "choices": [{"code": "kitchen", "label": "厨房"}]},
        {"code": "words", "type": "text", "label": "说明", "choices": []},
    ]
    assert suggested_summary("水电维修", questions, {"where": "kitchen", "words": "找张三"}) == "水电维修：厨房"
    assert suggested_summary("水电维修", [], {}) == "水电维修"

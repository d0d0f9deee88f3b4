"""Placing an order by pages: the way through, every field wrong, twice, hostile, without JavaScript."""

from typing import Any
from uuid import uuid4

import pytest

from support import bearer
from support.browsing import Page, Person
from support.requests_rig import Place, Rig

GOOD = {
    "text": "厨房水龙头漏水", "who": "self", "name": "测试甲", "phone": "13900000001", "address": "示例路一号",
    "notice": "yes",
}  # fmt: skip


async def at_form(rig: Rig, place: Place, service: str = "tap") -> Person:
    person = Person(rig.client)
    page = await person.get(f"/order/{place.code}/{service}")
    assert page.status == 200, page.text
    return person


async def placed(rig: Rig, place: Place, service: str = "tap", **fields: str) -> Page:
    person = await at_form(rig, place, service)
    page = await person.send(f"/{service}", **{**GOOD, **fields})
    assert page.status == 200, page.text
    return await person.send(f"/{service}", stage="place")


async def of_village(rig: Rig, place: Place) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await rig.good("GET", f"/v1/requests?tenant={place.code}", rig.clerk(place)))[
        "items"
    ]
    return listed


async def test_the_way_from_the_first_page_to_the_slip(rig: Rig, place: Place) -> None:
    person = Person(rig.client)
    page = await person.get("/order", q=place.code)
    assert f"/order/services?tenant={place.code}" in page.html
    page = await person.get("/order/services", tenant=place.code)
    assert f"/order/{place.code}/tap" in page.html
    page = await placed(rig, place)
    assert page.status == 201
    [row] = await of_village(rig, place)
    assert row["number"] in page.text
    read = await rig.get(place, row)
    assert read["text"] == GOOD["text"]
    assert read["channel"] == "web"
    assert read["notice"] == "2026-01"


async def test_villages_are_found_by_name_pinyin_and_initials(rig: Rig) -> None:
    code = (await rig.village()).code
    name = f"对岸{uuid4().hex[:6]}村"
    admin = bearer("admin", code)
    await rig.good("PUT", "/v1/org-units", admin, {"items": [{"code": code, "name": name, "settings": {}}]})
    for words in (name[:8], f"duian{name[2:8]}", f"da{name[2:8]}", name[:4] + " " + name[4:8]):
        page = await Person(rig.client).get("/order", q=words)
        assert f"tenant={code}" in page.html, words
    page = await Person(rig.client).get("/order", q="%")
    assert "tenant=" not in page.html


async def test_the_same_form_twice_is_one_order(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place)
    page = await person.send("/tap", **GOOD)
    fields = {**page.form("/tap").fields, "stage": "place"}
    first = await person.post(f"/order/{place.code}/tap", **fields)
    second = await person.post(f"/order/{place.code}/tap", **fields)
    assert first.status == second.status == 201
    [row] = await of_village(rig, place)
    assert row["number"] in first.text
    assert row["number"] in second.text


async def test_what_was_typed_comes_back_when_something_is_changed(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place)
    await person.send("/tap", **GOOD)
    page = await person.send("/tap", stage="change")
    assert page.form("/tap").fields["text"] == GOOD["text"]
    assert await of_village(rig, place) == []


@pytest.mark.parametrize(
    ("field", "given", "wrong"),
    [
        ("text", "", "text"),
        ("text", "x" * 2001, "text"),
        ("phone", "no phone", "phone"),
        ("name", "", "name"),
        ("name", "x" * 101, "name"),
        ("address", "x" * 201, "address"),
        ("wanted_from", "yesterday", "wanted_from"),
        ("who", "dragon", "who"),
        ("notice", "", "notice"),
    ],
)
async def test_each_field_that_is_wrong_is_said_at_the_field(
    rig: Rig, place: Place, field: str, given: str, wrong: str
) -> None:
    person = await at_form(rig, place)
    page = await person.send("/tap", **{**GOOD, field: given})
    assert page.status == 422
    assert f'id="e-{wrong}"' in page.html
    assert await of_village(rig, place) == []


async def test_without_a_way_to_be_reached_nothing_is_placed(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place)
    await person.send("/tap", **{**GOOD, "phone": ""})
    page = await person.send("/tap", stage="place")
    assert page.status == 422
    assert 'id="e-phone"' in page.html
    page = await person.send("/tap", reach="通过红色小管家")
    page = await person.send("/tap", stage="place")
    assert page.status == 201, page.text


async def test_a_childs_order_needs_guardian_and_a_tick_of_its_own(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place)
    page = await person.send("/tap", **{**GOOD, "who": "child"})
    assert page.status == 422
    assert 'id="e-sensitive"' in page.html
    assert 'id="e-guardian"' in page.html
    page = await person.send(
        "/tap", who="child", sensitive="yes", guardian="yes", guardian_name="监护人", guardian_phone="13900000002"
    )
    assert page.status == 200, page.text
    page = await person.send("/tap", stage="place")
    assert page.status == 201, page.text
    [row] = await of_village(rig, place)
    assert (await rig.get(place, row))["notice"] == "2026-01+sensitive"


async def test_a_services_questions_are_asked(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place, "errand")
    await person.send("/errand", **GOOD)
    page = await person.send("/errand", stage="place")
    assert page.status == 422
    assert 'id="e-a.matter"' in page.html
    await person.send("/errand", **{"a.matter": "join"})
    page = await person.send("/errand", stage="place")
    assert page.status == 201, page.text


async def test_hostile_words_stay_words(rig: Rig, place: Place) -> None:
    text = "<script>alert(1)</script>{{ 7 * 7 }}"
    person = await at_form(rig, place)
    page = await person.send("/tap", **{**GOOD, "text": text})
    assert "<script>alert" not in page.html
    assert "49" not in page.text
    page = await person.send("/tap", stage="place")
    [row] = await of_village(rig, place)
    assert (await rig.get(place, row))["text"] == text


async def test_nul_is_refused_at_the_field(rig: Rig, place: Place) -> None:
    person = await at_form(rig, place)
    page = await person.send("/tap", **{**GOOD, "text": "a\x00b"})
    assert page.status == 422
    assert 'id="e-text"' in page.html


async def test_what_is_not_there_is_not_there(rig: Rig, place: Place) -> None:
    person = Person(rig.client)
    assert (await person.get(f"/order/{place.code}/dragons")).status == 404
    assert (await person.get("/order/999999999999/tap")).status == 404
    assert (await person.get(f"/door/{place.code}/{uuid4()}")).status == 404
    page = await person.get("/order/services", tenant="999999999999")
    assert page.location == "/order"


async def test_a_plate_fills_the_household_in(rig: Rig, place: Place) -> None:
    home = str(uuid4())
    body = {"items": [{"id": home, "tenant": place.code, "grid": place.grid, "address": "示例路二号"}]}
    await rig.good("PUT", "/v1/households", bearer("admin", place.code), body)
    person = Person(rig.client)
    page = await person.get(f"/door/{place.code}/{home}")
    assert page.location is not None
    page = await person.get(page.location)
    assert f"door={home}" in page.html
    await person.get(f"/order/{place.code}/tap", door=home)
    await person.send("/tap", **GOOD)
    page = await person.send("/tap", stage="place")
    assert page.status == 201, page.text
    [row] = await of_village(rig, place)
    read = await rig.get(place, row)
    assert (read["channel"], read["grid"]) == ("door", place.grid)


async def test_a_village_without_a_catalogue_says_what_to_do(rig: Rig) -> None:
    code = (await rig.village()).code
    bare = code[:11] + ("1" if code[-1] != "1" else "2")
    body = {"items": [{"code": bare, "name": "空村", "settings": {}}]}
    await rig.good("PUT", "/v1/org-units", bearer("admin", bare), body)
    page = await Person(rig.client).get("/order/services", tenant=bare)
    assert 'class="empty"' in page.html

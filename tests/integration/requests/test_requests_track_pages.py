"""Following an order by pages, and the resident's word: with slip and code, or signed in."""

import secrets
from typing import Any
from uuid import uuid4

import pytest

from requests_service.domain.known_by import known_by
from support import bearer
from support.browsing import Page, Person
from support.requests_rig import Place, Rig


def phone() -> str:
    return f"19{secrets.randbelow(10**9):09}"


async def followed(rig: Rig, place: Place, order: Any) -> Person:
    """Somebody who looks at an order with its slip."""
    person = Person(rig.client)
    await person.get("/track")
    slip = {"village": place.code, "number": order["number"], "code": order["tracking_code"]}
    page = await person.send("/track", **slip)
    assert page.status == 200, page.text
    assert order["number"] in page.text
    return person


async def proven(rig: Rig, person: Person, number: str, act: str, **fields: str) -> Page:
    """Asks for a code and sends the resident's word with it."""
    page = await person.send("/track/code")
    assert page.status == 200, page.text
    rows = await rig.rows_as(
        "api", "SELECT code FROM local_codes WHERE phone = $1 ORDER BY sent_at DESC LIMIT 1", number
    )
    form = next(form for form in page.forms if form.fields.get("act") == act)
    return await person.post("/track/act", **{**form.fields, "one_time": rows[0]["code"], **fields})


async def completed(rig: Rig, place: Place, **more: Any) -> Any:
    order = await rig.accepted(place, **more)
    doer = uuid4()
    await rig.claimed(place, order, doer)
    await rig.done(place, order, doer)
    return order


async def test_the_code_is_never_in_an_address(rig: Rig, place: Place) -> None:
    person = await followed(rig, place, await rig.order(place))
    assert person.page is not None
    assert all("code=" not in form.action for form in person.page.forms)


@pytest.mark.parametrize("wrong", ["number", "code", "village"])
async def test_every_miss_gets_the_same_answer(rig: Rig, place: Place, wrong: str) -> None:
    order = await rig.order(place)
    slip = {"village": place.code, "number": order["number"], "code": order["tracking_code"]}
    other = {"number": "00000000", "code": "ZZZZZZ", "village": "999999999999"}
    person = Person(rig.client)
    await person.get("/track")
    page = await person.send("/track", **{**slip, wrong: other[wrong]})
    assert page.status == 404
    assert order["tracking_code"] not in page.text


async def test_who_comes_is_known_by_four_digits(rig: Rig, place: Place) -> None:
    order = await rig.accepted(place)
    doer = uuid4()
    await rig.claimed(place, order, doer)
    person = await followed(rig, place, order)
    assert person.page is not None
    assert "义*" in person.page.text
    shown = await rig.good("GET", f"/v1/requests/{order['id']}/contact", bearer("volunteer", place.code, doer))
    assert shown["known_by"] in person.page.text
    assert len(shown["known_by"]) == 4


def test_the_digits_are_of_one_person_and_one_order() -> None:
    key, order, person = b"k" * 32, uuid4(), uuid4()
    assert known_by(key, order, person) == known_by(key, order, person)
    others = {known_by(key, uuid4(), person) for _ in range(40)} | {known_by(b"x" * 32, order, person)}
    assert len(others) > 20


async def test_a_resident_confirms_with_faces_and_a_code(rig: Rig, place: Place) -> None:
    number = phone()
    order = await completed(rig, place, contact={"name": "测试乙", "phone": number})
    person = await followed(rig, place, order)
    page = await proven(rig, person, number, "confirm", solved="yes", grade="5", comment="谢谢")
    assert page.status == 200, page.text
    read = await rig.get(place, order)
    assert (read["status"], read["first_grade"], read["solved"]) == ("closed_confirmed", 5, "yes")


async def test_without_or_with_a_wrong_code_nothing_happens(rig: Rig, place: Place) -> None:
    number = phone()
    order = await completed(rig, place, contact={"name": "测试乙", "phone": number})
    for given in ("", "12", "000000"):
        person = await followed(rig, place, order)
        assert person.page is not None
        slip = person.page.form("/track/code").fields
        page = await person.post("/track/act", **slip, act="confirm", solved="yes", grade="5", one_time=given)
        assert page.status == 422
        assert (await rig.get(place, order))["status"] == "completed"


async def test_half_a_word_is_said_at_the_field(rig: Rig, place: Place) -> None:
    number = phone()
    order = await completed(rig, place, contact={"name": "测试乙", "phone": number})
    person = await followed(rig, place, order)
    page = await proven(rig, person, number, "confirm", solved="yes")
    assert page.status == 422
    assert (await rig.get(place, order))["status"] == "completed"
    # The code still counts: only a whole word uses it up.
    newest = "SELECT code FROM local_codes WHERE phone = $1 ORDER BY sent_at DESC LIMIT 1"
    code = (await rig.rows_as("api", newest, number))[0]["code"]
    form = next(form for form in page.forms if form.fields.get("act") == "confirm")
    page = await person.post("/track/act", **{**form.fields, "one_time": code, "solved": "yes", "grade": "4"})
    assert page.status == 200, page.text
    assert (await rig.get(place, order))["status"] == "closed_confirmed"


async def test_taking_back_and_opening_again(rig: Rig, place: Place) -> None:
    number = phone()
    order = await rig.order(place, contact={"name": "测试乙", "phone": number})
    person = await followed(rig, place, order)
    page = await proven(rig, person, number, "withdraw")
    assert page.status == 200, page.text
    assert (await rig.get(place, order))["status"] == "withdrawn"
    number = phone()
    order = await completed(rig, place, contact={"name": "测试乙", "phone": number})
    person = await followed(rig, place, order)
    page = await proven(rig, person, number, "reopen", reason="又漏水了")
    assert page.status == 200, page.text
    assert (await rig.get(place, order))["reopened"] == 1


async def test_an_order_without_a_phone_says_who_will_ask(rig: Rig, place: Place) -> None:
    order = await rig.order(place, reach="通过红色小管家")
    person = await followed(rig, place, order)
    assert person.page is not None
    assert not person.page.has_form("/track/code")


async def test_who_is_signed_in_sees_their_own_and_needs_no_code(rig: Rig, place: Place) -> None:
    me = uuid4()
    order = await rig.order(
        place, bearer("resident", "", me), contact={"name": "测试丙", "phone": phone(), "relation": "self"}
    )
    person = Person(rig.client, [("resident", "")], me)
    page = await person.get("/track/mine")
    assert order["number"] in page.text
    page = await person.get(f"/track/{order['id']}")
    form = next(form for form in page.forms if form.fields.get("act") == "withdraw")
    page = await person.post(f"/track/{order['id']}", **form.fields)
    assert page.status == 303
    assert (await rig.get(place, order))["status"] == "withdrawn"
    stranger = Person(rig.client, [("resident", "")], uuid4())
    assert (await stranger.get(f"/track/{order['id']}")).status == 404
    assert 'class="empty"' in (await stranger.get("/track/mine")).html


async def test_what_has_moved_on_is_said(rig: Rig, place: Place) -> None:
    me = uuid4()
    order = await rig.order(
        place, bearer("resident", "", me), contact={"name": "测试丙", "phone": phone(), "relation": "self"}
    )
    person = Person(rig.client, [("resident", "")], me)
    page = await person.get(f"/track/{order['id']}")
    form = next(form for form in page.forms if form.fields.get("act") == "withdraw")
    await rig.move(place, order, "reject", {"reason": "不归村里管"})
    page = await person.post(f"/track/{order['id']}", **form.fields)
    assert page.status == 422
    assert (await rig.get(place, order))["status"] == "rejected"

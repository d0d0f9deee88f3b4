"""Signing in: by API and by pages, wrong codes, too many, sessions that end."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from support import bearer
from support.browsing import Person
from support.requests_rig import Place, Rig


def phone() -> str:
    return f"19{secrets.randbelow(10**9):09}"


async def account(rig: Rig, place: Place, *roles: tuple[str, str]) -> tuple[UUID, str]:
    """Somebody with a phone and roles."""
    person, number = uuid4(), phone()
    body = {
        "id": str(person), "tenant": place.code, "name": "示例人", "phone": number,
        "roles": [{"role": role, "at": at} for role, at in roles],
    }  # fmt: skip
    await rig.good("POST", "/v1/people/batch", bearer("admin", place.code), {"items": [body]})
    return person, number


async def code_of(rig: Rig, number: str) -> str:
    found = await rig.rows_as(
        "api", "SELECT code FROM local_codes WHERE phone = $1 ORDER BY sent_at DESC LIMIT 1", number
    )
    return str(found[0]["code"])


async def opened(rig: Rig, number: str) -> Any:
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    return await rig.good("POST", "/auth/sessions", None, {"phone": number, "code": await code_of(rig, number)})


async def test_a_clerk_signs_in_for_a_working_day(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, ("clerk", place.code))
    session = await opened(rig, number)
    assert session["person"] == str(person)
    assert session["name"] == "示*"
    renewed = await rig.good("POST", "/internal/sessions/renew", None, {"secret": session["secret"]})
    assert {role["role"] for role in renewed["roles"]} == {"clerk", "resident"}
    assert 11 * 3600 < renewed["seconds"] <= 12 * 3600


async def test_a_code_counts_once_and_of_two_at_once_one_gets_in(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, ("volunteer", place.code))
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    body = {"phone": number, "code": await code_of(rig, number)}
    answers = await asyncio.gather(*(rig.call("POST", "/auth/sessions", None, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 5


async def test_five_wrong_tries_lock_the_code(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, ("volunteer", place.code))
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    right = await code_of(rig, number)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        await rig.refused(401, "POST", "/auth/sessions", None, {"phone": number, "code": wrong})
    await rig.refused(401, "POST", "/auth/sessions", None, {"phone": number, "code": right})


async def test_a_code_ends_after_five_minutes(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, ("volunteer", place.code))
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    await rig.rows_as("api", "UPDATE codes SET expires_at = sent_at - interval '1 second' WHERE used_at IS NULL")
    body = {"phone": number, "code": await code_of(rig, number)}
    await rig.refused(401, "POST", "/auth/sessions", None, body)


async def test_one_code_a_minute_whether_anybody_is_known_or_not(rig: Rig, place: Place) -> None:
    _, known = await account(rig, place, ("volunteer", place.code))
    for number in (known, phone()):
        first = await rig.call("POST", "/auth/codes", None, {"phone": number})
        second = await rig.call("POST", "/auth/codes", None, {"phone": number})
        assert (first.status_code, second.status_code) == (202, 429)
        assert 0 < int(second.headers["retry-after"]) <= 60


async def test_whoever_ordered_with_the_phone_is_its_resident(rig: Rig, place: Place) -> None:
    number = phone()
    order = await rig.order(place, contact={"name": "测试乙", "phone": number})
    session = await opened(rig, number)
    mine = await rig.rows_as("owner", "SELECT resident FROM requests WHERE id = $1", UUID(order["id"]))
    assert str(mine[0]["resident"]) == session["person"]
    assert session["roles"] == [{"role": "resident", "at": ""}]


async def test_nobody_has_this_phone_yet(rig: Rig) -> None:
    number = phone()
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    body = {"phone": number, "code": await code_of(rig, number)}
    problem = await rig.refused(403, "POST", "/auth/sessions", None, body)
    assert problem["type"].endswith("nobody-yet")


async def test_roles_that_were_taken_away_are_gone_with_the_next_token(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, ("clerk", place.code))
    session = await opened(rig, number)
    body = {"id": str(person), "tenant": place.code, "name": "示例人", "phone": number, "roles": []}
    await rig.good("POST", "/v1/people/batch", bearer("admin", place.code), {"items": [body]})
    renewed = await rig.good("POST", "/auth/renew", None, {"secret": session["secret"]})
    assert renewed["roles"] == [{"role": "resident", "at": ""}]
    await rig.good("POST", "/v1/people/batch", bearer("admin", place.code), {"items": [{**body, "active": False}]})
    await rig.refused(401, "POST", "/auth/renew", None, {"secret": session["secret"]})


async def test_a_volunteer_stays_signed_in_and_a_session_that_ended_does_not_come_back(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, ("volunteer", place.code))
    session = await opened(rig, number)
    await rig.rows_as(
        "api",
        "UPDATE web_sessions SET expires_at = expires_at - interval '20 days' WHERE person = $1",
        UUID(session["person"]),
    )
    renewed = await rig.good("POST", "/auth/renew", None, {"secret": session["secret"]})
    assert renewed["seconds"] == timedelta(days=30).total_seconds()
    await rig.good("POST", "/auth/end", None, {"secret": session["secret"]})
    await rig.refused(401, "POST", "/auth/renew", None, {"secret": session["secret"]})


async def signed_in(rig: Rig, number: str) -> Person:
    """Somebody who went through the pages."""
    person = Person(rig.client)
    await person.get("/sign-in", next="/sign-in/devices")
    page = await person.send("/sign-in", phone=number)
    assert page.status == 200
    page = await person.get("/sign-in/codes")
    assert number in page.text
    await person.get("/sign-in", next="/sign-in/devices")
    page = await person.send("/sign-in", phone=number)
    assert page.status == 429  # one is on its way; the page still asks for it
    await person.send("/sign-in/code", code=await code_of(rig, number))
    return person


async def test_the_pages_lead_to_where_one_wanted_to_go(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, ("clerk", place.code), ("grid_leader", place.grid))
    person = await signed_in(rig, number)
    assert any(name.endswith("session") for name in person.cookies)


@pytest.mark.parametrize("given", ["", "not a phone", "<script>alert(1)</script>", "1" * 500])
async def test_a_phone_that_is_none_is_said_at_the_field(rig: Rig, given: str) -> None:
    person = Person(rig.client)
    await person.get("/sign-in")
    page = await person.send("/sign-in", phone=given)
    assert page.status == 422
    assert 'class="fault"' in page.html
    assert "<script>alert" not in page.html


async def test_a_form_without_our_token_is_refused(rig: Rig) -> None:
    person = Person(rig.client)
    assert (await person.post("/sign-in", phone=phone())).status == 403
    await person.get("/sign-in")
    assert (await person.post("/sign-in", phone=phone(), form_token="0" * 32)).status == 403


async def test_pages_for_others_ask_to_sign_in_first(rig: Rig) -> None:
    page = await Person(rig.client).get("/sign-in/devices")
    assert page.status == 303
    assert page.location == "/sign-in?next=%2Fsign-in%2Fdevices"


async def test_devices_are_listed_and_ended(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, ("volunteer", place.code))
    await opened(rig, number)
    looking = Person(rig.client, [("volunteer", place.code)], person)
    page = await looking.get("/sign-in/devices")
    assert page.has_form("/sign-in/devices/end")
    page = await looking.send("/sign-in/devices/end")
    assert not page.has_form("/sign-in/devices/end")
    await opened_again(rig, number)
    page = await looking.get("/sign-in/devices")
    await looking.send("/sign-in/out")
    assert not any(name.endswith("session") for name in looking.cookies)


async def opened_again(rig: Rig, number: str) -> None:
    """A second sign-in, as if the first code were some minutes ago."""
    await rig.rows_as("api", "UPDATE codes SET sent_at = sent_at - interval '10 minutes'")
    await opened(rig, number)

"""One's own mail address: given, changed, taken away, refused with words; and what notifications is told of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.browsing import Person
from support.people import bearer
from support.requests_rig import Place, Rig

AS_SERVICE = bearer("service", "", UUID(int=0))
MAIL = "li.si@village.example"


@dataclass(frozen=True)
class Somebody:
    """A person of a test, and their browser."""

    id: UUID
    browser: Person


@pytest.fixture
async def somebody(rig: Rig, place: Place) -> Somebody:
    """A clerk with an account."""
    person = uuid4()
    body = {
        "id": str(person), "tenant": place.code, "name": "测试甲", "phone": "19000000001",
        "roles": [{"role": "clerk", "at": place.code}],
    }  # fmt: skip
    await rig.good("POST", "/v1/people", bearer("admin", place.code), body)
    return Somebody(person, Person(rig.client, [("clerk", place.code)], person))


async def mail_known(rig: Rig, somebody: Somebody) -> Any:
    """What notifications is told."""
    found = await rig.good("GET", f"/internal/people/{somebody.id}/contact-points", AS_SERVICE)
    return found["mail"]


async def test_an_address_is_given_and_taken_away(rig: Rig, somebody: Somebody) -> None:
    assert await mail_known(rig, somebody) is None
    await somebody.browser.get("/sign-in/mail")
    page = await somebody.browser.send("/sign-in/mail", mail=f" {MAIL} ")
    assert "Kept." in page.text
    assert await mail_known(rig, somebody) == MAIL
    await somebody.browser.send("/sign-in/mail", mail="")
    assert await mail_known(rig, somebody) is None


@pytest.mark.parametrize(
    "wrong", ["li", "li@", "@village.example", "li@village", "a b@village.example", "Li <li@village.example>",
              "li@village.example, other@village.example", "x" * 250 + "@village.example", "<script>@a.b"],
)  # fmt: skip
async def test_what_is_no_address_is_said_and_kept_out(rig: Rig, somebody: Somebody, wrong: str) -> None:
    await somebody.browser.get("/sign-in/mail")
    page = await somebody.browser.send("/sign-in/mail", mail=wrong)
    assert page.status == 422
    assert "This is no mail address" in page.text
    assert "<script>@" not in page.html
    assert await mail_known(rig, somebody) is None


async def test_a_list_that_says_nothing_of_mail_leaves_it(rig: Rig, place: Place, somebody: Somebody) -> None:
    await somebody.browser.get("/sign-in/mail")
    await somebody.browser.send("/sign-in/mail", mail=MAIL)
    body = {"id": str(somebody.id), "tenant": place.code, "name": "测试乙", "phone": "19000000002", "roles": []}
    await rig.good("POST", "/v1/people", bearer("admin", place.code), body)
    assert await mail_known(rig, somebody) == MAIL


async def test_who_is_gone_is_told_by_nobody(rig: Rig, place: Place, somebody: Somebody) -> None:
    await somebody.browser.get("/sign-in/mail")
    await somebody.browser.send("/sign-in/mail", mail=MAIL)
    await rig.good("POST", f"/v1/people/{somebody.id}/erase", bearer("admin", place.code), {})
    assert await mail_known(rig, somebody) is None
    # Nor does it come back with the person.
    body = {"id": str(somebody.id), "tenant": place.code, "name": "测试甲", "phone": "19000000001", "active": True}
    await rig.good("POST", "/v1/people", bearer("admin", place.code), body)
    assert await mail_known(rig, somebody) is None


async def test_a_sign_in_without_an_account_has_no_address_to_keep(rig: Rig) -> None:
    nobody = Person(rig.client, [("resident", "")], uuid4())
    await nobody.get("/sign-in/mail")
    page = await nobody.send("/sign-in/mail", mail=MAIL)
    assert page.status == 404

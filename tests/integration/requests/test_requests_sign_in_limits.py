"""Signing in where it is refused: codes that were not sent, too many, signed out everywhere, whose rows who reads."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from lianhu_kit.database import Database
from lianhu_kit.problems import TooMany, Unavailable
from requests_service.handlers.codes import Codes, of_order, of_phone
from support import bearer
from support.requests_rig import Place, Rig


def phone() -> str:
    return f"18{secrets.randbelow(10**9):09}"


class Phone:
    """A sender that keeps what it is given, or is away."""

    def __init__(self, away: bool = False) -> None:
        self.away = away
        self.codes: list[str] = []

    async def send(self, phone: str, code: str, language: str) -> None:
        if self.away:
            raise Unavailable("away")
        self.codes.append(code)


@pytest.fixture
async def database(rig: Rig) -> Any:
    database = Database(rig.urls.api, application_name="sign-in-limits", pool_size=2)
    yield database
    await database.close()


async def earlier(rig: Rig, span: timedelta) -> None:
    """As if every code was sent that much earlier."""
    await rig.rows_as("api", "UPDATE codes SET sent_at = sent_at - $1::interval", span)


async def account(rig: Rig, place: Place, role: str, active: bool = True) -> tuple[UUID, str]:
    person, number = uuid4(), phone()
    body = {
        "id": str(person), "tenant": place.code, "name": "示例人", "phone": number, "active": active, "locale": "en",
        "roles": [{"role": role, "at": place.code}],
    }  # fmt: skip
    await rig.good("POST", "/v1/people/batch", bearer("admin", place.code), {"items": [body]})
    return person, number


async def opened(rig: Rig, number: str) -> Any:
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    (row,) = await rig.rows_as(
        "api", "SELECT code FROM local_codes WHERE phone = $1 ORDER BY sent_at DESC LIMIT 1", number
    )
    answer = await rig.good("POST", "/auth/sessions", None, {"phone": number, "code": row["code"]})
    await earlier(rig, timedelta(minutes=2))
    return answer


async def test_a_code_that_was_not_sent_counts_neither_for_the_rate_nor_for_signing_in(
    rig: Rig, database: Database
) -> None:
    number, brings = phone(), Phone(away=True)
    codes = Codes(database, b"k" * 32, brings)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await codes.send(of_phone(number), number, "en")
    brings.away = False
    await codes.send(of_phone(number), number, "en")
    assert await codes.check(of_phone(number), brings.codes[0])
    with pytest.raises(TooMany):
        await codes.send(of_phone(number), number, "en")


async def test_five_codes_an_hour_and_ten_a_day(rig: Rig, database: Database) -> None:
    number, brings = phone(), Phone()
    codes = Codes(database, b"k" * 32, brings)
    for _ in range(2):
        for _ in range(5):
            await codes.send(of_phone(number), number, "en")
            await earlier(rig, timedelta(minutes=2))
        with pytest.raises(TooMany):
            await codes.send(of_phone(number), number, "en")
        await earlier(rig, timedelta(hours=1))
    with pytest.raises(TooMany):
        await codes.send(of_phone(number), number, "en")
    await earlier(rig, timedelta(days=1))
    await codes.send(of_phone(number), number, "en")
    assert len(brings.codes) == 11


async def test_a_newer_code_takes_the_place_of_the_one_before_and_is_no_proof_of_another(
    rig: Rig, database: Database
) -> None:
    number, brings = phone(), Phone()
    codes = Codes(database, b"k" * 32, brings)
    while len(set(brings.codes)) < 2:
        await codes.send(of_phone(number), number, "en")
        await earlier(rig, timedelta(days=1))
    first, last = brings.codes[-2:]
    assert not await codes.check(of_phone(phone()), last)
    assert not await codes.check(of_phone(number), first)
    assert await codes.check(of_phone(number), last)


async def test_the_code_of_an_order_proves_that_order_alone_and_once(database: Database) -> None:
    number, order, another, brings = phone(), uuid4(), uuid4(), Phone()
    codes = Codes(database, b"k" * 32, brings)
    await codes.send(of_order(order), number, "en")
    (code,) = brings.codes
    assert not await codes.check(of_order(another), code)
    assert not await codes.check(of_phone(number), code)
    assert await codes.check(of_order(order), code)
    assert not await codes.check(of_order(order), code)


async def test_signing_out_everywhere_ends_every_session_of_ones_own_and_nobody_elses(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, "volunteer")
    _, other = await account(rig, place, "volunteer")
    mine = [await opened(rig, number) for _ in range(2)]
    theirs = await opened(rig, other)
    me = bearer("volunteer", place.code, person)
    assert len((await rig.good("GET", "/auth/sessions", me))["items"]) == 2
    await rig.good("POST", "/auth/end-all", me, {})
    for session in mine:
        await rig.refused(401, "POST", "/auth/renew", None, {"secret": session["secret"]})
    await rig.good("POST", "/auth/renew", None, {"secret": theirs["secret"]})


async def test_another_persons_session_is_not_ended_by_its_id(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, "volunteer")
    session = await opened(rig, number)
    (row,) = (await rig.good("GET", "/auth/sessions", bearer("volunteer", place.code, person)))["items"]
    await rig.good("POST", "/auth/end-all", bearer("volunteer", place.code, uuid4()), {"id": row["id"]})
    await rig.good("POST", "/auth/renew", None, {"secret": session["secret"]})


async def test_whoever_is_not_active_does_not_sign_in(rig: Rig, place: Place) -> None:
    _, number = await account(rig, place, "clerk", active=False)
    await rig.good("POST", "/auth/codes", None, {"phone": number})
    (row,) = await rig.rows_as("api", "SELECT code FROM local_codes WHERE phone = $1", number)
    await rig.refused(403, "POST", "/auth/sessions", None, {"phone": number, "code": row["code"]})


async def test_the_worker_reads_no_codes_and_no_sessions(rig: Rig) -> None:
    for table in ("codes", "web_sessions", "local_codes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rig.rows.fetch(f"SELECT * FROM {table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rig.rows.fetch("SELECT person_of_phone('13900000001')")


async def test_secrets_and_codes_are_kept_as_hashes_alone(rig: Rig, place: Place, database: Database) -> None:
    _, number = await account(rig, place, "volunteer")
    session = await opened(rig, number)
    brings = Phone()
    await Codes(database, b"k" * 32, brings).send(of_phone(number), number, "en")
    rows = await rig.rows_as("api", "SELECT s::text AS row FROM web_sessions s UNION ALL SELECT c::text FROM codes c")
    kept = "".join(row["row"] for row in rows)
    for secret in (session["secret"], number):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    assert brings.codes[0].encode().hex() not in kept


async def test_a_service_reads_how_somebody_is_reached_and_nobody_else_does(rig: Rig, place: Place) -> None:
    person, number = await account(rig, place, "volunteer")
    path = f"/internal/people/{person}/contact-points"
    service = bearer("service", "")
    expected = {"phone": number, "mail": None, "locale": "en", "active": True}
    assert await rig.good("GET", path, service) == expected
    await rig.refused(401, "GET", path)
    for role in ("clerk", "admin", "volunteer"):
        await rig.refused(403, "GET", path, bearer(role, place.code, person))
    await rig.refused(404, "GET", path, bearer("service", "110101001001"))
    await rig.refused(404, "GET", f"/internal/people/{uuid4()}/contact-points", service)


async def test_no_phone_is_given_of_whoever_is_not_active(rig: Rig, place: Place) -> None:
    person, _ = await account(rig, place, "clerk", active=False)
    given = await rig.good("GET", f"/internal/people/{person}/contact-points", bearer("service", ""))
    assert given == {"phone": None, "mail": None, "locale": "en", "active": False}

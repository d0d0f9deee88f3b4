"""Samples to call back: drawn so that nobody can choose, opened to the town alone, noted by who did not do it."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from requests_service.domain.sampling import SHARE
from support import bearer
from support.browsing import Person
from support.requests_rig import Place, Rig

COPIES = """
    INSERT INTO requests (id, tenant, number, tracking_code, sequence, version, status, service, kind, places, round,
        text, answers, channel, public, urgent, served_kind, guardian, confirm_seconds, confirm_passed, tries, reopened,
        submitted_at, completed_at)
    SELECT gen_random_uuid(), tenant, lpad(n::text, 8, '0'), tracking_code, 1, 1, status, service, kind, 1, 0, text,
           answers, channel, public, urgent, served_kind, guardian, confirm_seconds, false, 0, 0, submitted_at,
           completed_at
    FROM requests, generate_series(1, $2::int) AS n WHERE id = $1
"""


def town(rig: Rig, place: Place, person: UUID | None = None) -> Person:
    return Person(rig.client, [("supervisor", place.code)], person or uuid4())


async def in_village(rig: Rig, place: Place, statement: str, *values: Any) -> list[asyncpg.Record]:
    """What the service's own role reads or writes of a village."""
    api = await asyncpg.connect(rig.urls.api)
    try:
        async with api.transaction():
            await api.execute("SELECT set_config('lianhu.scope', $1, true)", place.code)
            return list(await api.fetch(statement, *values))
    finally:
        await api.close()


async def completed(rig: Rig, place: Place, **more: Any) -> Any:
    order = await rig.accepted(place, accept={"route": "none"}, **more)
    await rig.move(place, order, "answer", {"text": "每周三上午办", "source": "办事指南"})
    return order


async def confirmed(rig: Rig, place: Place, grade: int = 5) -> Any:
    """Completed, with the resident's own word."""
    resident = bearer("resident", "", uuid4())
    order = await completed(rig, place, headers=resident)
    await rig.move(place, order, "confirm", {"solved": "yes", "grade": grade}, resident)
    return order


async def listed(rig: Rig, place: Place, orders: list[Any], month: str = "") -> set[str]:
    page = await town(rig, place).get("/desk/town/samples", month=month)
    assert page.status == 200, page.text
    return {order["number"] for order in orders if order["number"] in page.text}


async def test_one_at_least_is_drawn_and_it_stays_drawn(rig: Rig, place: Place) -> None:
    page = await town(rig, place).get("/desk/town/samples")
    assert 'class="empty"' in page.html
    first = await completed(rig, place)
    assert await listed(rig, place, [first]) == {first["number"]}
    orders = [first, *[await completed(rig, place) for _ in range(7)]]
    drawn = await listed(rig, place, orders)
    assert drawn  # one at least
    assert len(drawn) < len(orders)  # and not all: eight low draws of a hundred by twenty are not to be expected
    assert await listed(rig, place, orders) == drawn


async def test_the_draw_is_of_its_share(rig: Rig, place: Place) -> None:
    order = await completed(rig, place)
    await in_village(rig, place, COPIES, UUID(order["id"]), 2000)
    page = await town(rig, place).get("/desk/town/samples")
    drawn = page.html.count('<li><div class="line"><a href="/desk/')
    assert 0.5 * SHARE < drawn / 2001 < 2 * SHARE


async def test_what_was_badly_graded_is_called_back_while_it_is_done_again(rig: Rig, place: Place) -> None:
    order = await confirmed(rig, place, grade=1)
    assert (await rig.get(place, order))["status"] == "accepted"  # it is done again
    page = await town(rig, place).get("/desk/town/samples")
    assert order["number"] in page.text
    assert "badly graded" in page.text
    person = town(rig, place)
    await person.get("/desk/town/samples")
    page = await person.send(f"/desk/{order['id']}/contact")
    assert page.status == 200, page.text
    page = await person.send(f"/samples/{order['id']}", outcome="not-reached")
    assert page.status == 200, page.text
    assert not page.has_form("/contact")  # called back, as far as it went
    assert (await rig.get(place, order))["status"] == "accepted"


async def test_contact_of_the_sample_alone_is_open_to_the_town(rig: Rig, place: Place) -> None:
    orders = [await completed(rig, place) for _ in range(8)]
    drawn = await listed(rig, place, orders)
    supervisor = bearer("supervisor", place.code, uuid4())
    for order in orders:
        answer = await rig.call("GET", f"/v1/requests/{order['id']}/contact", supervisor)
        assert answer.status_code == (200 if order["number"] in drawn else 403), answer.text
    ids = [UUID(order["id"]) for order in orders]
    reads = await in_village(rig, place, "SELECT role FROM contact_reads WHERE request_id = ANY($1)", ids)
    assert [row["role"] for row in reads] == ["supervisor"] * len(drawn)


async def test_a_completed_one_is_confirmed_by_the_call(rig: Rig, place: Place) -> None:
    order = await completed(rig, place)
    person = town(rig, place)
    await person.get("/desk/town/samples")
    page = await person.send(f"/desk/{order['id']}/contact")
    assert "13900000001" in page.text
    assert not page.has_form(f"/samples/{order['id']}")  # what waits for a word is confirmed
    page = await person.send("/confirm", solved="yes", grade="4")
    assert page.status == 200, page.text
    assert (await rig.get(place, order))["status"] == "closed_confirmed"
    page = await person.get("/desk/town/samples")
    assert not page.has_form("/contact")  # called back: it stays in the list, and is not opened again from there


async def test_what_is_confirmed_already_keeps_its_word_and_the_calls_beside_it(rig: Rig, place: Place) -> None:
    order = await confirmed(rig, place)
    person = town(rig, place)
    assert (await person.get("/desk/town/samples")).has_form("/contact")
    before = await rig.told(order)
    await person.get(f"/desk/{order['id']}")
    page = await person.send(f"/samples/{order['id']}", outcome="differs", words="<b>还在漏</b>")
    assert page.status == 200, page.text
    assert "It is noted" in page.text
    assert not page.has_form("/contact")
    shown = await person.get(f"/desk/{order['id']}")
    assert "The town asked how it was" in shown.text
    assert "<b>还在漏" not in shown.html
    assert (await rig.get(place, order))["status"] == "closed_confirmed"
    assert await rig.told(order) == before  # nothing travels


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"outcome": ""}, "outcome"), ({"outcome": "dragons"}, "outcome"), ({"words": "字" * 2001}, "words")],
)
async def test_what_is_wrong_is_said_at_its_field(rig: Rig, place: Place, fields: dict[str, str], wrong: str) -> None:
    order = await confirmed(rig, place)
    person = town(rig, place)
    await person.get(f"/desk/{order['id']}")
    page = await person.send(f"/samples/{order['id']}", **{"outcome": "stands", **fields})
    assert page.status == 422
    assert f'id="e-{wrong}"' in page.html


async def test_who_did_it_or_was_not_drawn_is_refused(rig: Rig, place: Place) -> None:
    order = await confirmed(rig, place)
    answerer = town(rig, place, place.clerk)  # the clerk who answered it, as a supervisor
    await answerer.get(f"/desk/{order['id']}")
    page = await answerer.send(f"/samples/{order['id']}", outcome="stands")
    assert page.status == 403
    more = [await confirmed(rig, place) for _ in range(8)]
    drawn = await listed(rig, place, [order, *more])
    other = next(each for each in more if each["number"] not in drawn)
    person = town(rig, place)
    assert not (await person.get(f"/desk/{other['id']}")).has_form(f"/samples/{other['id']}")
    own = next(each for each in [order, *more] if each["number"] in drawn)
    fields = (await person.get(f"/desk/{own['id']}")).form(f"/samples/{own['id']}").fields
    page = await person.post(f"/desk/town/samples/{other['id']}", **{**fields, "outcome": "stands"})
    assert page.status == 409


async def test_it_is_the_towns_alone(rig: Rig, place: Place) -> None:
    order = await completed(rig, place)
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    assert (await clerk.get("/desk/town/samples")).status == 403
    assert (await Person(rig.client).get("/desk/town/samples")).status == 303
    elsewhere = await rig.village()
    assert await listed(rig, elsewhere, [order]) == set()
    page = await town(rig, place).get("/desk/town/samples", month="1999-01")
    assert order["number"] in page.text  # a month that is not open is this one

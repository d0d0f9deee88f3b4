"""Roles of somebody known by page: given, taken away, told on; the last administrator; what is wrong or hostile."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from integration.requests.lists import scoped
from support.browsing import Person
from support.people import bearer
from support.requests_rig import Place, Rig


def path_of(place: Place, person: UUID) -> str:
    return f"/desk/admin/people/{place.code}/{person}/roles"


async def admin_of(rig: Rig, place: Place) -> tuple[Person, UUID]:
    """An administrator of the village who stands in its directory."""
    person = uuid4()
    item = {
        "id": str(person),
        "tenant": place.code,
        "name": "示例管理员",
        "roles": [{"role": "admin", "at": place.code}],
    }
    await rig.good("POST", "/v1/people/batch", bearer("admin", place.code), {"items": [item]})
    return Person(rig.client, [("admin", place.code)], person), person


async def held(rig: Rig, place: Place, person: UUID) -> set[tuple[str, str]]:
    query = "SELECT string_agg(role || ' ' || at, ',') FROM person_roles WHERE person = $1"
    said = await scoped(rig, place.code, query, person)
    return {(role, at) for role, at in (each.split() for each in (said or "").split(",") if each)}


async def told(rig: Rig, person: UUID) -> int:
    """How often the directory told of somebody."""
    return int(await rig.rows.fetchval("SELECT count(*) FROM outbox WHERE aggregateid = $1", str(person)))


async def test_a_role_is_given_once_taken_away_once_and_told_on(rig: Rig, place: Place) -> None:
    admin, _ = await admin_of(rig, place)
    path, before = path_of(place, place.clerk), await told(rig, place.clerk)
    page = await admin.get(f"/desk/admin/people/{place.code}")
    assert f'href="{path}"' in page.html
    for _ in range(2):
        await admin.get(path)
        page = await admin.send("/roles", role="grid_leader", at=place.grid)
        assert "Saved." in page.text
        assert f"Grid leader {place.grid}" in page.text
    assert await held(rig, place, place.clerk) == {("clerk", place.code), ("grid_leader", place.grid)}
    assert await told(rig, place.clerk) == before + 1
    page = await admin.get(path)
    assert "data-ask=" in page.html
    away = page.form("/roles/away").fields | {"role": "grid_leader", "at": place.grid}
    for _ in range(2):
        assert (await admin.post(f"{path}/away", **away)).status == 303
    assert await held(rig, place, place.clerk) == {("clerk", place.code)}
    assert await told(rig, place.clerk) == before + 2


async def test_the_last_administrator_keeps_the_role_and_stays_in(rig: Rig, place: Place) -> None:
    admin, person = await admin_of(rig, place)
    path = path_of(place, person)
    await admin.get(path)
    page = await admin.send("/roles/away")
    assert page.status == 422
    assert "You are the last administrator here" in page.text
    fields = (await admin.get(f"/desk/admin/people/{place.code}")).form(str(person)).fields
    page = await admin.post(f"/desk/admin/people/{place.code}/{person}", **fields)
    assert page.status == 422
    assert "You are the last administrator here" in page.text
    assert await held(rig, place, person) == {("admin", place.code)}
    await admin_of(rig, place)
    await admin.get(path)
    assert "Saved." in (await admin.send("/roles/away")).text
    assert await held(rig, place, person) == set()


async def test_two_who_leave_at_once_do_not_both_leave(rig: Rig, place: Place) -> None:
    both = [await admin_of(rig, place) for _ in range(2)]
    for admin, person in both:
        await admin.get(path_of(place, person))
    await asyncio.gather(*(admin.send("/roles/away") for admin, _ in both))
    left = [await held(rig, place, person) for _, person in both]
    assert sorted(len(roles) for roles in left) == [0, 1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("role", ""), ("role", "king"), ("role", "service"), ("role", "integrator"), ("at", ""), ("at", "x"),
     ("at", "'; DROP TABLE people"), ("at", "999999999999")],
)  # fmt: skip
async def test_a_wrong_field_is_marked_and_nothing_is_given(rig: Rig, place: Place, field: str, value: str) -> None:
    admin, _ = await admin_of(rig, place)
    await admin.get(path_of(place, place.clerk))
    fields: dict[str, Any] = {"role": "volunteer", "at": place.code, field: value}
    page = await admin.send("/roles", **fields)
    assert page.status == 422
    assert 'class="fault"' in page.html
    assert await held(rig, place, place.clerk) == {("clerk", place.code)}


async def test_it_ends_where_the_administrators_reach_ends(rig: Rig, place: Place) -> None:
    admin, _ = await admin_of(rig, place)
    other = await rig.village()
    page = await admin.get(path_of(place, place.clerk))
    token = page.form("/roles").fields
    assert (await admin.post(path_of(place, place.clerk), **token | {"at": other.code})).status == 422
    assert (await admin.post(path_of(place, place.clerk), **token | {"at": place.code[:9]})).status == 422
    for path in (path_of(other, other.clerk), path_of(place, other.clerk), path_of(place, uuid4())):
        assert (await admin.get(path)).status == 404
        assert (await admin.post(path, **token)).status == 404
        assert (await admin.post(f"{path}/away", **token | {"role": "clerk", "at": other.code})).status == 404
    assert await held(rig, other, other.clerk) == {("clerk", other.code)}
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    assert (await clerk.get(path_of(place, place.clerk))).status == 403
    assert (await clerk.post(path_of(place, place.clerk), role="admin", at=place.code)).status == 403

"""Org units, catalogues, households and people: written by admins, inherited, published as they stand."""

from typing import Any
from uuid import uuid4

import pytest

from support import bearer, village
from support.requests_rig import LIMITS, Place, Rig


async def test_units_are_listed_and_published_with_their_settings(rig: Rig) -> None:
    code = village()
    admin = bearer("admin", code)
    settings = {"wave_seconds": {"grid": 5}, "working_hours": [["08:00", "12:00"]], "colour": "red"}
    items: list[dict[str, Any]] = [
        {"code": code, "name": "示例村", "settings": settings},
        {"code": code + "001", "name": "网格"},
    ]
    assert await rig.good("PUT", "/v1/org-units", admin, {"items": items}) == {"changed": 2}
    listed = await rig.good("GET", f"/v1/org-units?under={code}")
    assert listed["items"] == [
        {"code": code, "level": "village", "name": "示例村"},
        {"code": code + "001", "level": "grid", "name": "网格"},
    ]
    [told] = await rig.events(code)
    assert told.tenant == code
    assert (told.data or {})["settings"] == settings
    assert (told.data or {})["parent"] == code[:9]
    # The same again is no change, and no event; another name is.
    assert await rig.good("PUT", "/v1/org-units", admin, {"items": items}) == {"changed": 0}
    renamed = [{**items[0], "name": "新示例村"}]
    assert await rig.good("PUT", "/v1/org-units", admin, {"items": renamed}) == {"changed": 1}
    assert [event.sequence for event in await rig.events(code)] == [1, 2]
    pages = await rig.good("GET", f"/v1/org-units?under={code}&limit=1")
    rest = await rig.good("GET", f"/v1/org-units?under={code}&limit=1&after={pages['next']}")
    assert [item["code"] for item in (*pages["items"], *rest["items"])] == [code, code + "001"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"code": "44170"},
        {"code": "x"},
        {"level": "city"},
        {"settings": {"working_hours": [["12:00", "08:00"]]}},
        {"settings": {"working_days": [8]}},
        {"settings": {"confirm_seconds": 0}},
        {"settings": {"default_grid": "441702008205001"}},
        {"settings": {"wave_seconds": {"moon": 5}}},
        {"surprise": 1},
    ],
)
async def test_a_bad_unit_is_refused(rig: Rig, change: dict[str, Any]) -> None:
    code = village()
    body = {"items": [{"code": code, "name": "示例村", **change}]}
    assert (await rig.refused(422, "PUT", "/v1/org-units", bearer("admin", code), body))["errors"]
    assert (await rig.good("GET", f"/v1/org-units?under={code}"))["items"] == []


async def test_a_grid_needs_its_village(rig: Rig) -> None:
    code = village()
    body = {"items": [{"code": code + "001", "name": "网格"}]}
    problem = await rig.refused(422, "PUT", "/v1/org-units", bearer("admin", code), body)
    assert problem["errors"][0]["field"] == "items.0.code"


async def test_only_admins_write_and_only_under_their_code(rig: Rig, place: Place) -> None:
    other = village()
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/v1/org-units", {"items": [{"code": place.code, "name": "改名"}]}),
        ("PUT", "/v1/services", {"items": [service(place.code, "tap")]}),
        ("PUT", "/v1/services/defaults", {"at": place.code}),
        ("PUT", "/v1/households", {"items": [{"id": str(uuid4()), "tenant": place.code}]}),
        ("POST", "/v1/people", {"tenant": place.code, "name": "测试甲"}),
        ("POST", "/v1/people/batch", {"items": [{"tenant": place.code, "name": "测试甲"}]}),
    ]
    for method, path, body in calls:
        await rig.refused(401, method, path, None, body)
        await rig.refused(403, method, path, rig.clerk(place), body)
        await rig.refused(404, method, path, bearer("admin", other), body)
    # A role beyond the admin's own code cannot be given.
    body = {"tenant": place.code, "name": "测试甲", "roles": [{"role": "clerk", "at": other}]}
    await rig.refused(404, "POST", "/v1/people", bearer("admin", place.code), body)


def service(tenant: str, code: str, **more: Any) -> dict[str, Any]:
    return {"tenant": tenant, "code": code, "name": code, "kind": "convenience", "limits": LIMITS, **more}


async def test_a_village_inherits_and_the_nearest_wins(rig: Rig) -> None:
    code = village()
    town = code[:9]
    admin = bearer("admin", town)
    await rig.good(
        "PUT", "/v1/org-units", admin, {"items": [{"code": town, "name": "镇"}, {"code": code, "name": "村"}]}
    )
    assert (await rig.good("PUT", "/v1/services/defaults", admin, {"at": town}))["changed"] == 21
    listed = (await rig.good("GET", f"/v1/services?tenant={code}"))["items"]
    first = listed[0]
    assert first["code"] == "neighbourly-help"
    assert (first["questions"], first["guardian_consent"], first["skill"]) == ([], False, None)
    assert first["route_default"] == "volunteers"
    assert len([item for item in listed if item["kind"] == "convenience"]) == 12
    assert {item["kind"] for item in listed} == {
        "convenience", "consultation", "errand", "visit", "class", "public-issue",
    }  # fmt: skip
    own = [service(code, "haircut", name="本村理发", position=0), service(code, "meals", active=False)]
    await rig.good("PUT", "/v1/services", bearer("admin", code), {"items": own})
    listed = (await rig.good("GET", f"/v1/services?tenant={code}"))["items"]
    assert listed[0]["name"] == "本村理发"
    assert "meals" not in [item["code"] for item in listed]
    [told] = await rig.data(f"{code}/haircut")
    assert (told["tenant"], told["name"], told["active"]) == (code, "本村理发", True)
    slip = await rig.good("POST", "/v1/requests", None, order(code, "haircut"))
    assert slip["status"] == "submitted"
    await rig.refused(422, "POST", "/v1/requests", None, order(code, "meals"))
    neighbour = village(town)
    await rig.good("PUT", "/v1/org-units", admin, {"items": [{"code": neighbour, "name": "邻村"}]})
    await rig.good("POST", "/v1/requests", None, order(neighbour, "meals"))


def order(tenant: str, code: str) -> dict[str, Any]:
    return {"tenant": tenant, "service": code, "text": "请帮忙", "reach": "敲门"}


@pytest.mark.parametrize(
    "change",
    [
        {"questions": [{"code": "a", "label": "a", "type": "choice"}]},
        {"questions": [{"code": "a", "label": "a", "type": "rune"}]},
        {"kind": "magic"},
        {"limits": {"contact": {"seconds": 1}}},
        {"limits": {**LIMITS, "finish": {"seconds": -1}}},
        {"code": "Bad Code"},
        {"places_default": 0},
    ],
)
async def test_a_bad_service_is_refused(rig: Rig, place: Place, change: dict[str, Any]) -> None:
    body = {"items": [service(place.code, "new") | change]}
    await rig.refused(422, "PUT", "/v1/services", bearer("admin", place.code), body)


async def test_settings_shape_an_order(rig: Rig, place: Place) -> None:
    admin = bearer("admin", place.code)
    settings = {"always_working": True, "confirm_seconds": 7}
    await rig.good("PUT", "/v1/org-units", admin, {"items": [{"code": place.code, "name": "村", "settings": settings}]})
    assert (await rig.last(await rig.order(place), "submitted"))["confirm_seconds"] == 7


async def test_whoever_works_is_published_masked_and_whoever_does_not_is_not(rig: Rig, place: Place) -> None:
    worker, resident = str(uuid4()), str(uuid4())
    profile = {"grid": place.grid, "skills": ["haircut"], "capacity": 5, "checked_until": "2030-01-01"}
    people: list[dict[str, Any]] = [
        {"id": worker, "tenant": place.code, "name": "示例志愿者", "phone": "13900000021", "volunteer": profile,
         "roles": [{"role": "volunteer", "at": place.code}, {"role": "resident", "at": ""}]},
        {"id": resident, "tenant": place.code, "name": "示例居民", "roles": [{"role": "resident"}]},
    ]  # fmt: skip
    admin = bearer("admin", place.code)
    added = await rig.good("POST", "/v1/people/batch", admin, {"items": people})
    assert [item["added"] for item in added["items"]] == [True, True]
    assert await rig.events(resident) == []
    [told] = await rig.data(worker)
    assert told == {
        "id": worker, "name": "示*", "tenant": place.code, "grid": place.grid, "staff": False, "skills": ["haircut"],
        "roles": [{"role": "volunteer", "at": place.code}], "capacity": 5, "away_until": None,
        "checked_until": "2030-01-01", "linking_households": [], "active": True,
    }  # fmt: skip
    answer = await rig.call("POST", "/v1/people", admin, {**people[0], "roles": []})
    assert answer.status_code == 200
    _, gone = await rig.data(worker)
    assert (gone["active"], gone["roles"]) == (False, [])
    # Somebody of another village cannot be taken over.
    there = await rig.village()
    body = {"id": worker, "tenant": there.code, "name": "冒名"}
    problem = await rig.refused(409, "POST", "/v1/people", bearer("admin", there.code), body)
    assert problem["type"].endswith("id-in-use")


async def test_a_linking_household_is_told_with_whom_it_looks_after(rig: Rig, place: Place) -> None:
    admin, linking, next_one, home = bearer("admin", place.code), str(uuid4()), str(uuid4()), str(uuid4())
    people = [
        {"id": person, "tenant": place.code, "name": "示例中心户", "roles": [{"role": "volunteer", "at": place.code}]}
        for person in (linking, next_one)
    ]
    await rig.good("POST", "/v1/people/batch", admin, {"items": people})
    household = {
        "id": home,
        "tenant": place.code,
        "grid": place.grid,
        "address": "示例村3巷12号",
        "linking_person": linking,
    }
    await rig.good("PUT", "/v1/households", admin, {"items": [household]})
    assert (await rig.data(linking))[-1]["linking_households"] == [home]
    [told] = await rig.data(home)
    assert told == {"id": home, "tenant": place.code, "grid": place.grid, "group": None, "linking_person": linking}
    await rig.good("PUT", "/v1/households", admin, {"items": [{**household, "linking_person": next_one}]})
    assert (await rig.data(linking))[-1]["linking_households"] == []
    assert (await rig.data(next_one))[-1]["linking_households"] == [home]
    bad = {"items": [{**household, "grid": "441702008205001"}]}
    await rig.refused(422, "PUT", "/v1/households", admin, bad)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"phone": "1"},
        {"roles": [{"role": "king", "at": "4417"}]},
        {"roles": [{"role": "clerk"}]},
        {"roles": [{"role": "clerk", "at": "44170"}]},
        {"id": "me"},
        {"volunteer": {"capacity": -1}},
        {"volunteer": {"grid": "441702008205001"}},
        {"volunteer": {"away_until": "tomorrow"}},
    ],
)
async def test_bad_people_are_refused(rig: Rig, place: Place, change: dict[str, Any]) -> None:
    body = {"tenant": place.code, "name": "测试甲", **change}
    problem = await rig.refused(422, "POST", "/v1/people", bearer("admin", place.code), body)
    assert problem["errors"]


async def test_the_same_key_adds_one_person(rig: Rig, place: Place) -> None:
    headers = bearer("admin", place.code) | {"Idempotency-Key": str(uuid4())}
    body = {"tenant": place.code, "name": "测试甲"}
    first = await rig.call("POST", "/v1/people", headers, body)
    again = await rig.call("POST", "/v1/people", headers, body)
    assert (first.status_code, first.json()) == (201, again.json())

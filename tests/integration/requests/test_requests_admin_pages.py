"""Administration by pages: units and their settings, the catalogue and where it comes from, people; who may."""

from typing import Any
from uuid import uuid4

import pytest

from support.browsing import Person
from support.people import bearer
from support.requests_rig import Place, Rig


@pytest.fixture
def admin(rig: Rig, place: Place) -> Person:
    return Person(rig.client, [("admin", place.code)], uuid4())


async def test_units_lead_to_all_that_is_kept_of_them(place: Place, admin: Person) -> None:
    page = await admin.get("/desk/admin")
    assert page.status == 200
    for address in (f"units/{place.grid}", f"catalogue/{place.code}", f"people/{place.code}"):
        assert f'href="/desk/admin/{address}"' in page.html
        assert (await admin.get(f"/desk/admin/{address}")).status == 200


async def test_settings_are_saved_and_those_without_a_field_are_kept(rig: Rig, place: Place, admin: Person) -> None:
    item = {"code": place.code, "name": "示例村", "settings": {"always_working": True, "confirm_seconds": 30, "own": 7}}
    await rig.good("PUT", "/v1/org-units", bearer("admin", place.code), {"items": [item]})
    path = f"/desk/admin/units/{place.code}"
    await admin.get(path)
    page = await admin.send(path, name="改名村", urgent_contact_seconds="20", working_hours="08:30-12:00 14:00-18:00")
    assert "Saved." in page.text
    assert "改名村" in page.text
    kept = await rig.rows.fetchval("SELECT settings::text FROM org_units WHERE code = $1", place.code)
    for said in ('"own": 7', '"confirm_seconds": 30', '"urgent_contact_seconds": 1200', '"always_working": true'):
        assert said in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", ""), ("confirm_seconds", "soon"), ("confirm_seconds", "0"), ("working_hours", "8-12"),
     ("working_days", "9"), ("default_grid", "x")],
)  # fmt: skip
async def test_a_wrong_field_is_marked_and_nothing_is_saved(place: Place, admin: Person, name: str, value: str) -> None:
    path = f"/desk/admin/units/{place.code}"
    await admin.get(path)
    fields: dict[str, Any] = {"name": "不该保存", name: value}
    page = await admin.send(path, None, **fields)
    assert page.status == 422
    assert f'id="e-{name}"' in page.html
    assert "不该保存" not in (await admin.get("/desk/admin")).text


async def test_a_service_is_switched_off_and_on_again(rig: Rig, place: Place, admin: Person) -> None:
    path = f"/desk/admin/catalogue/{place.code}"
    for said in ("no", "yes"):
        await admin.get(path)
        page = await admin.send(f"{path}/tap")
        assert "Saved." in page.text
        offered = (await rig.good("GET", f"/v1/services?tenant={place.code}"))["items"]
        assert ("tap" in [each["code"] for each in offered]) == (said == "yes")


async def test_what_is_inherited_says_from_where_and_is_switched_off_here_alone(rig: Rig) -> None:
    place, beside = await rig.village(), await rig.village()
    town = place.code[:9]
    limits = {name: {"seconds": 60} for name in ("contact", "finish", "confirm")}
    service = {"tenant": town, "code": "haircut", "name": "理发", "kind": "convenience", "limits": limits}
    await rig.good("PUT", "/v1/org-units", bearer("admin", town), {"items": [{"code": town, "name": "示例镇"}]})
    await rig.good("PUT", "/v1/services", bearer("admin", town), {"items": [service]})
    admin = Person(rig.client, [("admin", place.code)], uuid4())
    path = f"/desk/admin/catalogue/{place.code}"
    page = await admin.get(path)
    assert f"理发 inherited from {town}" in page.text
    page = await admin.send(f"{path}/haircut", active="no")
    assert "理发 this unit No" in page.text
    codes = [each["code"] for each in (await rig.good("GET", f"/v1/services?tenant={town}"))["items"]]
    assert "haircut" in codes
    fields = page.form("/haircut").fields
    assert (await admin.post(f"/desk/admin/catalogue/{beside.code}/haircut", **fields)).status == 404


async def test_somebody_is_added_once_masked_kept_out_and_let_in(rig: Rig, place: Place, admin: Person) -> None:
    path = f"/desk/admin/people/{place.code}"
    page = await admin.get(path)
    fields = page.form(path).fields | {"name": "<b>示例丙</b>", "phone": "13900000009", "role": "volunteer"}
    for _ in range(2):
        assert (await admin.post(path, **fields)).status == 303
    page = await admin.get(path)
    assert page.html.count("<td>&lt;b&gt;示例丙") == 1
    assert "<b>示例丙" not in page.html
    assert "13900000009" not in page.html
    clerk = f"{path}/{place.clerk}"
    assert "Let in again" in (await admin.send(clerk)).text
    page = await admin.send(clerk)
    assert "Let in again" not in page.text
    assert f"Village clerk {place.code}" in page.text


async def test_administration_is_for_admins_within_their_reach(rig: Rig, place: Place, admin: Person) -> None:
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    other = (await rig.village()).code
    for kind in ("units", "catalogue", "people"):
        assert (await clerk.get(f"/desk/admin/{kind}/{place.code}")).status == 403
        page = await admin.get(f"/desk/admin/{kind}/{other}")
        assert page.status == 404
    assert (await clerk.get("/desk/admin")).status == 403
    assert (await admin.post(f"/desk/admin/units/{place.code}", name="x")).status == 403  # not from a page of ours


async def test_quiet_hours_are_said_in_words_and_none_is_a_choice(rig: Rig, place: Place, admin: Person) -> None:
    path = f"/desk/admin/units/{place.code}"

    async def kept(value: str) -> str:
        await admin.get(path)
        page = await admin.send(path, name="示例村", quiet_hours=value)
        assert page.status == 200, page.text
        return str(
            await rig.rows.fetchval("SELECT settings -> 'quiet_hours' FROM org_units WHERE code = $1", place.code)
        )

    assert await kept("21:30-06:30") == '["21:30", "06:30"]'
    assert await kept("none") == "[]"
    for wrong in ("21:30", "25:00-07:00", "late", "21:30-21:30", "21:30-06:30-07:00"):
        await admin.get(path)
        page = await admin.send(path, name="示例村", quiet_hours=wrong)
        assert page.status == 422, wrong

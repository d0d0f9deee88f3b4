"""Services by page: one added, its questions and limits changed, one inherited made one's own; every field wrong."""

from typing import Any
from uuid import uuid4

import pytest

from support.browsing import Page, Person
from support.people import bearer
from support.requests_rig import LIMITS, Place, Rig

GOOD = {
    "code": "well-digging", "name": "打井", "name_en": "Wells", "description": "院里打一口井。", "kind": "convenience",
    "route_default": "staff", "skill": "digging", "places_default": "2", "contact": "3.5", "finish": "48",
    "confirm": "168", "q0.code": "depth", "q0.label": "多深", "q0.label_en": "How deep", "q0.type": "choice",
    "q0.required": "yes", "q0.choices": "ten = 十米 = ten metres\ntwenty ＝ 二十米",
}  # fmt: skip


@pytest.fixture
def admin(rig: Rig, place: Place) -> Person:
    return Person(rig.client, [("admin", place.code)], uuid4())


async def offered(rig: Rig, place: Place) -> dict[str, Any]:
    items = (await rig.good("GET", f"/v1/services?tenant={place.code}"))["items"]
    return {item["code"]: item for item in items}


async def added(admin: Person, place: Place, **fields: Any) -> Page:
    """Fills the empty form with what is good but for these fields, and sends it."""
    path = f"/desk/admin/services/{place.code}"
    await admin.get(path)
    return await admin.send(path, **{**GOOD, **fields})


async def test_a_service_is_added_once_with_its_questions_and_limits(rig: Rig, place: Place, admin: Person) -> None:
    assert f'href="/desk/admin/services/{place.code}"' in (await admin.get(f"/desk/admin/catalogue/{place.code}")).html
    for _ in range(2):  # sent twice, as by a double click
        page = await added(admin, place, contact_working="yes")
        assert page.status == 200, page.text
        assert "Saved." in page.text
    made = (await offered(rig, place))["well-digging"]
    assert made["limits"] == {
        "contact": {"seconds": 12_600, "working": True}, "finish": {"seconds": 172_800, "working": True},
        "confirm": {"seconds": 604_800},
    }  # fmt: skip
    assert made["questions"] == [
        {"code": "depth", "label": "多深", "label_en": "How deep", "type": "choice", "required": True, "choices": [
            {"code": "ten", "label": "十米", "label_en": "ten metres"},
            {"code": "twenty", "label": "二十米", "label_en": None},
        ]}
    ]  # fmt: skip
    assert (made["route_default"], made["skill"], made["places_default"]) == ("staff", "digging", 2)
    told = await rig.rows.fetchval(
        "SELECT sequence FROM services WHERE tenant = $1 AND code = $2", place.code, "well-digging"
    )
    assert told == 1


async def test_what_is_changed_is_changed_and_all_else_stays(rig: Rig, place: Place, admin: Person) -> None:
    await admin.get(f"/desk/admin/catalogue/{place.code}")
    await admin.send(f"/desk/admin/catalogue/{place.code}/errand", active="no")
    path = f"/desk/admin/services/{place.code}/errand"
    before = await rig.rows.fetchrow("SELECT * FROM services WHERE tenant = $1 AND code = 'errand'", place.code)
    await admin.get(path)
    await admin.send(path)
    after = await rig.rows.fetchrow("SELECT * FROM services WHERE tenant = $1 AND code = 'errand'", place.code)
    assert after == before  # opened and saved: nothing has moved, and nothing is told
    page = await admin.get(path)
    assert page.form(path).fields["q0.choices"].strip() == "join = 参保"
    await admin.send(path, **{"finish": "72", "q1.code": "when", "q1.label": "哪天", "q1.type": "date"})
    row = await rig.rows.fetchrow(
        "SELECT active, position, limits::text AS limits, questions::text AS questions FROM services"
        " WHERE tenant = $1 AND code = 'errand'", place.code
    )  # fmt: skip
    assert before is not None
    assert row is not None
    assert (row["active"], row["position"]) == (False, before["position"])
    assert '"seconds": 259200' in row["limits"]
    assert '"join"' in row["questions"]
    assert '"when"' in row["questions"]
    await admin.get(path)
    await admin.send(path, **{"q0.code": "", "q0.label": "", "q0.choices": ""})
    left = await rig.rows.fetchval(
        "SELECT questions::text FROM services WHERE tenant = $1 AND code = 'errand'", place.code
    )
    assert '"matter"' not in left
    assert '"when"' in left


async def test_an_inherited_one_becomes_the_units_own(rig: Rig) -> None:
    place = await rig.village()
    town = place.code[:9]
    service = {"tenant": town, "code": "roof", "name": "修屋顶", "kind": "convenience", "limits": {
        name: {"seconds": 3600} for name in LIMITS
    }}  # fmt: skip
    await rig.good("PUT", "/v1/org-units", bearer("admin", town), {"items": [{"code": town, "name": "示例镇"}]})
    await rig.good("PUT", "/v1/services", bearer("admin", town), {"items": [service]})
    admin = Person(rig.client, [("admin", place.code)], uuid4())
    path = f"/desk/admin/services/{place.code}/roof"
    assert "It is inherited" in (await admin.get(path)).text
    await admin.send(path, name="修房顶")
    assert (await offered(rig, place))["roof"]["name"] == "修房顶"
    above = (await rig.good("GET", f"/v1/services?tenant={town}"))["items"]
    assert [each["name"] for each in above if each["code"] == "roof"] == ["修屋顶"]
    page = await added(admin, place, code="roof")
    assert page.status == 422
    assert "A service has this key already" in page.text


@pytest.mark.parametrize(
    ("field", "value", "marked"),
    [
        ("code", "", "code"), ("code", "Wells!", "code"), ("code", "x" * 65, "code"), ("code", "tap", "code"),
        ("name", "", "name"), ("name", "长" * 101, "name"), ("name", "a\nb", "name"), ("name_en", "\x00", "name_en"),
        ("description", "长" * 501, "description"), ("kind", "war", "kind"), ("kind", "", "kind"),
        ("route_default", "drones", "route_default"), ("skill", "s" * 101, "skill"),
        ("places_default", "0", "places_default"), ("places_default", "many", "places_default"),
        ("contact", "", "contact"), ("contact", "soon", "contact"), ("contact", "-1", "contact"),
        ("finish", "0", "finish"), ("finish", "999999", "finish"), ("confirm", "1e9", "confirm"),
        ("q0.code", "", "q0.code"), ("q0.code", "多深", "q0.code"), ("q0.label", "", "q0.label"),
        ("q0.type", "essay", "q0.type"), ("q0.type", "text", "q0.choices"), ("q0.choices", "", "q0.choices"),
        ("q0.choices", "just words", "q0.choices"), ("q0.choices", "ten = 十米\nten = 十米整", "form"),
        ("q1.code", "depth", "form"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_marked_what_was_typed_stays_and_nothing_is_saved(
    rig: Rig, place: Place, admin: Person, field: str, value: str, marked: str
) -> None:
    second = {"q1.label": "还有", "q1.type": "text"} if field == "q1.code" else {}
    page = await added(admin, place, **{**second, field: value})
    assert page.status == 422
    assert (f'id="e-{marked}"' if marked != "form" else "needs a key of its own") in page.html
    assert "院里打一口井" in page.html or field == "description"
    assert "打井" not in str(await offered(rig, place))


async def test_a_form_with_nothing_in_it_is_refused_and_hostile_words_stay_words(
    rig: Rig, place: Place, admin: Person
) -> None:
    path = f"/desk/admin/services/{place.code}"
    page = await admin.get(path)
    token = {name: value for name, value in page.form(path).fields.items() if "." not in name and name.islower()}
    kept = {name: token[name] for name in token if name not in GOOD and not name.endswith("_working")}
    assert (await admin.post(path, **kept)).status == 422
    page = await added(admin, place, name="<script>alert(1)</script>", **{"q0.label": '"><img src=x>'})
    assert "<script>alert" not in page.html
    page = await admin.get(f"{path}/well-digging")
    assert '"><img' not in page.html
    assert "<script>alert" not in page.html


async def test_services_are_for_admins_of_the_place(rig: Rig, place: Place, admin: Person) -> None:
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    assert (await clerk.get(f"/desk/admin/services/{place.code}")).status == 403
    other = await rig.village()
    page = await admin.get(f"/desk/admin/services/{place.code}")
    fields = page.form(place.code).fields | GOOD
    for path in (other.code, place.grid, "x", f"{place.code}/nothing"):
        assert (await admin.get(f"/desk/admin/services/{path}")).status == 404
        assert (await admin.post(f"/desk/admin/services/{path}", **fields)).status == 404
    assert (await admin.post(f"/desk/admin/services/{place.code}", **GOOD)).status == 403  # not from a page of ours

"""A village chooses its words for moves and states: set on its page, inherited, said on its pages in Chinese alone."""

from uuid import uuid4

import pytest

from support.browsing import Person
from support.people import bearer
from support.requests_rig import Place, Rig


async def choose(rig: Rig, place: Place, chosen: str) -> Person:
    """The village's admin chooses a set of labels on the page of the village."""
    admin = Person(rig.client, [("admin", place.code)], uuid4())
    path = f"/desk/admin/units/{place.code}"
    await admin.get(path)
    page = await admin.send(path, label_set=chosen)
    assert "Saved." in page.text
    return admin


async def test_the_desk_and_the_order_speak_as_the_village_does(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    path = f"/desk/{order['id']}"
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk, language="zh-CN")
    assert "受理</summary>" in (await clerk.get(path)).html
    await choose(rig, place, "xijing")
    page = await clerk.get(path)
    assert ">接单</summary>" in page.html
    assert ">受理</summary>" not in page.html
    assert "不予受理</summary>" in page.html  # a refusal keeps its name
    assert "接单并派给志愿者" in (await clerk.get("/desk")).text
    assert "立即接单" in (await clerk.get("/desk/new")).text
    await rig.move(place, order, "accept", {"summary": "水龙头漏水", "route": "none"})
    assert "已接单" in (await clerk.get(path)).text
    slip = {"tenant": place.code, "number": order["number"], "code": order["tracking_code"]}
    resident = Person(rig.client, language="zh-CN")
    await resident.get("/track")
    page = await resident.send("/track", **slip)
    assert "村里已接单" in page.text
    english = Person(rig.client, [("clerk", place.code)], place.clerk)
    assert ">Accepted</span>" in (await english.get(path)).html


async def test_a_village_inherits_the_words_of_its_town(rig: Rig) -> None:
    place = await rig.village()
    order = await rig.order(place)
    town = place.code[:9]
    item = {"code": town, "name": "示例镇", "settings": {"label_set": "yangjiang"}}
    await rig.good("PUT", "/v1/org-units", bearer("admin", town), {"items": [item]})
    await rig.move(place, order, "accept", {"summary": "水龙头漏水"})
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk, language="zh-CN")
    assert "已下单" in (await clerk.get(f"/desk/{order['id']}")).text
    supervisor = Person(rig.client, [("supervisor", town)], uuid4(), language="zh-CN")
    assert "已下单" in (await supervisor.get("/desk/town")).text
    admin = Person(rig.client, [("admin", place.code)], uuid4())
    page = await admin.get(f"/desk/admin/units/{place.code}")
    assert "Holds now: Yangjiang: other words for dispatch and claim" in page.text
    await choose(rig, place, "default")
    assert "已派单" in (await clerk.get(f"/desk/{order['id']}")).text


@pytest.mark.parametrize("wrong", ["beijing", "<script>", "XIJING"])
async def test_a_set_that_there_is_none_of_is_refused(rig: Rig, place: Place, wrong: str) -> None:
    admin = Person(rig.client, [("admin", place.code)], uuid4())
    path = f"/desk/admin/units/{place.code}"
    await admin.get(path)
    page = await admin.send(path, label_set=wrong)
    assert page.status == 422
    assert 'id="e-label_set"' in page.html
    item = {"code": place.code, "name": "示例村", "settings": {"label_set": wrong}}
    answer = await rig.client.put("/v1/org-units", headers=bearer("admin", place.code), json={"items": [item]})
    assert answer.status_code == 422

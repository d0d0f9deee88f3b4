"""Lists by pages, without a browser and without JavaScript: send in, look, apply, take back, take out."""

import re
from typing import Any
from uuid import uuid4

import pytest

from integration.requests.lists import Lists, scoped, table
from support.browsing import Page, Person
from support.requests_rig import Place, Rig


@pytest.fixture
def admin(rig: Rig, place: Place) -> Person:
    return Person(rig.client, [("admin", place.code)], uuid4())


def file(*rows: tuple[str, ...]) -> dict[str, Any]:
    """A list as a browser sends it."""
    return {"file": ("名单.csv", table(*rows), "text/csv")}


async def settled(rig: Rig, place: Place, admin: Person, page: Page) -> Page:
    """The page of an import once its work has ended."""
    found = re.search(r"/desk/imports/([0-9a-f-]{36})", page.html)
    assert found, page.html
    await Lists(rig, place.code).settled(found[1])
    return await admin.get(f"/desk/imports/{found[1]}")


async def test_a_list_goes_in_is_applied_and_taken_back(rig: Rig, place: Place, admin: Person) -> None:
    page = await admin.get("/desk/imports")
    assert "Check the list" in page.text
    rows = (("姓名", "电话"), ("示例甲", "13900000201"), ("示例乙", "12"))
    page = await settled(rig, place, admin, await admin.send("/desk/imports", file(*rows), kind="people"))
    assert "Checked" in page.text
    assert "This is no phone number" in page.text
    assert "phone" in page.text
    page = await admin.send("/apply")
    assert page.status == 409
    assert "Some lines are wrong" in page.text
    page = await settled(rig, place, admin, await admin.send("/apply", skip_errors="yes"))
    assert "Applied" in page.text
    page = await settled(rig, place, admin, await admin.send("/undo"))
    assert "Taken back" in page.text
    assert not page.has_form("/undo")
    page = await admin.get("/desk/imports")
    assert "Taken back" in page.text


async def test_what_stands_in_the_way_is_said_in_the_readers_language(rig: Rig, place: Place) -> None:
    admin = Person(rig.client, [("admin", place.code)], uuid4(), language="zh-CN")
    await admin.get("/desk/imports")
    rows = (("代码", "名称"), (place.code + "021", "示例网格"))
    await settled(rig, place, admin, await admin.send("/desk/imports", file(*rows), kind="units"))
    await settled(rig, place, admin, await admin.send("/apply"))
    items = [{"code": place.code + "021", "name": "改过"}]
    await rig.good("PUT", "/v1/org-units", Lists(rig, place.code).admin, {"items": items})
    await admin.send("/undo")
    assert admin.page is not None
    page = await settled(rig, place, admin, admin.page)
    assert "不能撤回" in page.text
    assert "第 2 行: 导入之后有过改动。" in page.text


@pytest.mark.parametrize(
    ("kind", "files", "said"),
    [
        (None, file(("姓名",), ("甲",)), "Choose what the list holds."),
        ("people", None, "Choose a file"),
        ("people", {"file": ("x.csv", b"", "text/csv")}, "Choose a file"),
        ("magic", file(("姓名",), ("甲",)), "Choose what the list holds."),
    ],
)
async def test_a_form_that_lacks_something_says_what(admin: Person, kind: str | None, files: Any, said: str) -> None:
    await admin.get("/desk/imports")
    page = await admin.send("/desk/imports", files, kind=kind)
    assert page.status == 422
    assert said in page.text


async def test_a_file_that_is_no_list_is_told_on_its_page(rig: Rig, place: Place, admin: Person) -> None:
    await admin.get("/desk/imports")
    files = {"file": ("x.png", b"\x89PNG\r\n\x1a\n\x00\x00\xff\xff\xff", "image/png")}
    page = await settled(rig, place, admin, await admin.send("/desk/imports", files, kind="people"))
    assert "Not applied" in page.text
    assert "neither UTF-8 nor GB18030" in page.text


async def test_a_running_import_looks_again_by_itself_with_and_without_scripts(
    rig: Rig, place: Place, admin: Person
) -> None:
    lists = Lists(rig, place.code)
    known = await lists.send("people", table(("姓名",), ("示例甲",)))
    slow = "UPDATE imports SET state = 'applying', total = 9, done = 4, beat_at = now() WHERE id = $1 RETURNING 1"
    assert await scoped(rig, place.code, slow, known["id"])
    page = await admin.get(f"/desk/imports/{known['id']}")
    assert 'http-equiv="refresh"' in page.html
    assert "hx-trigger" in page.html
    assert 'value="4"' in page.html
    assert not page.has_form("/apply")


async def test_lists_go_out_by_links(rig: Rig, place: Place, admin: Person) -> None:
    page = await admin.get("/desk/exports")
    links = re.findall(r'href="(/desk/exports/[^"]+)"', page.html)
    assert len(links) == 10
    for link in links:
        page = await admin.get(link)
        assert page.status == 200
        assert "attachment" in page.headers["content-disposition"]
    assert (await admin.get("/desk/exports/people.exe")).status == 404


async def test_pages_of_lists_are_for_admins_and_their_reach(rig: Rig, place: Place, admin: Person) -> None:
    known = await Lists(rig, place.code).send("people", table(("姓名",), ("示例甲",)))
    clerk = Person(rig.client, [("clerk", place.code)], uuid4())
    for path in ("/desk/imports", "/desk/exports", f"/desk/imports/{known['id']}", "/desk/exports/people.csv"):
        assert (await clerk.get(path)).status == 403
    other = Person(rig.client, [("admin", (await rig.village()).code)], uuid4())
    assert (await other.get(f"/desk/imports/{known['id']}")).status == 404
    assert (await admin.post(f"/desk/imports/{known['id']}/apply")).status == 403  # not from a page of ours

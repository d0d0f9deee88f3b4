"""The page of all parts: whatever parts.html offers is on it, in both languages, for staff; it changes nothing."""

import re
from importlib.resources import files
from uuid import uuid4

import pytest

from lianhu_web.showing import STATUSES
from support.browsing import Person
from support.requests_rig import Place, Rig

PARTS = files("lianhu_web").joinpath("templates/parts.html").read_text("utf-8")
SHOWN = files("lianhu_web").joinpath("templates/every_part.html").read_text("utf-8")
INNER = {"attributes", "guard"}  # of other parts, not on their own


def test_every_part_is_on_it() -> None:
    assert set(re.findall(r"macro (\w+)\(", PARTS)) - INNER == set(re.findall(r"parts\.(\w+)\(", SHOWN)) - INNER


@pytest.mark.parametrize("role", ["clerk", "grid_worker", "supervisor", "admin"])
async def test_staff_see_every_state_and_clock(rig: Rig, place: Place, role: str) -> None:
    person = Person(rig.client, [(role, place.code)], uuid4())
    page = await person.get("/desk/parts")
    assert page.status == 200
    for status in STATUSES:
        assert f's-{status}"' in page.html
    for said in ('clock calm"', 'clock near"', 'clock late"', 'id="e-wrong"', 'class="empty"', 'class="timeline"'):
        assert said in page.html
    page = await person.send("/desk/parts")
    assert "Nothing was changed" in page.text


async def test_it_is_in_chinese_too_and_not_for_residents(rig: Rig, place: Place) -> None:
    clerk = Person(rig.client, [("clerk", place.code)], uuid4(), language="zh-CN")
    text = (await clerk.get("/desk/parts")).text
    assert "时间线" in text
    assert not re.search(r"\b(Timeline|Figures|Chosen)\b", text)
    for roles in ([("resident", "")], [("volunteer", place.code)]):
        assert (await Person(rig.client, roles, uuid4()).get("/desk/parts")).status == 403
    assert (await Person(rig.client).get("/desk/parts")).location == "/sign-in?next=%2Fdesk%2Fparts"
    assert (await clerk.post("/desk/parts")).status == 403

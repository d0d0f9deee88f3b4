"""Photos by pages: with a slip, of one's own order, at the desk; what each of them shows, and what is refused."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from support import bearer
from support.browsing import Page, Person
from support.pictures import bomb, photo
from support.requests_rig import Place, Rig


def picked(content: bytes, name: str = "photo.jpg") -> dict[str, Any]:
    return {"photo": (name, content, "image/jpeg")}


async def kept(rig: Rig, order: Any) -> int:
    query = "SELECT count(*) AS n FROM attachments WHERE request_id = $1"
    return int((await rig.rows_as("owner", query, UUID(order["id"])))[0]["n"])


async def followed(rig: Rig, place: Place, order: Any) -> Person:
    person = Person(rig.client)
    await person.get("/track")
    page = await person.send("/track", village=place.code, number=order["number"], code=order["tracking_code"])
    assert page.status == 200, page.text
    return person


async def one_time(rig: Rig, phone: str) -> str:
    query = "SELECT code FROM local_codes WHERE phone = $1 ORDER BY sent_at DESC LIMIT 1"
    return str((await rig.rows_as("api", query, phone))[0]["code"])


async def own(rig: Rig, place: Place) -> tuple[Any, Person]:
    """An order of somebody who is signed in."""
    me = uuid4()
    contact = {"name": "测试丙", "phone": "13900000007", "relation": "self"}
    order = await rig.order(place, bearer("resident", "", me), contact=contact)
    return order, Person(rig.client, [("resident", "")], me)


async def test_from_the_slip_a_photo_goes_with_the_order(rig: Rig, place: Place) -> None:
    person = Person(rig.client)
    page = await person.get(f"/order/{place.code}/tap")
    page = await person.send(
        f"/order/{place.code}/tap", text="屋顶漏雨", name="测试乙", phone="13900000003", notice="yes", stage="check"
    )
    assert page.status == 200, page.text
    page = await person.send(f"/order/{place.code}/tap", stage="place")
    assert page.status == 201, page.text
    assert "Does a photo help?" in page.text
    page = await person.send("/track/photos", files=picked(photo()))
    assert page.status == 200, page.text
    assert "Photo 1: what it is about" in page.text
    assert "does not see the photos" in page.text
    assert "data:image/jpeg" not in page.html
    assert "/order/photos/" not in page.html
    again = await person.send("/track/photos", files=picked(photo()))  # reload after post, double click
    assert "Photo 2" not in again.text


async def test_a_slip_takes_one_away_with_a_code_alone(rig: Rig, place: Place) -> None:
    phone = "19100000015"
    order = await rig.order(place, contact={"name": "测试乙", "phone": phone})
    person = await followed(rig, place, order)
    page = await person.send("/track/photos", files=picked(photo()))
    slip = page.form("/track/photos").fields
    assert all(form.fields.get("act") != "remove-photo" for form in page.forms)
    listed = await rig.good("GET", f"/v1/requests/{order['id']}/attachments", rig.clerk(place))
    which = listed["items"][0]["id"]
    page = await person.post("/track/act", **slip, act="remove-photo", which=which, one_time="000000")
    assert page.status == 422
    assert await kept(rig, order) == 1
    page = await person.post("/track/code", **slip)
    form = next(form for form in page.forms if form.fields.get("act") == "remove-photo")
    code = await one_time(rig, phone)
    other = await rig.order(place)
    theirs = await rig.client.post(
        f"/v1/requests/{other['id']}/attachments", headers=rig.clerk(place), files=picked(photo())
    )
    for wrong in ("", "not-one"):
        page = await person.post("/track/act", **{**form.fields, "which": wrong, "one_time": code})
        assert page.status == 422
    page = await person.post("/track/act", **{**form.fields, "which": which, "one_time": code})
    assert page.status == 200, page.text
    assert (await kept(rig, order), await kept(rig, other)) == (0, 1)
    assert theirs.status_code == 201


@pytest.mark.parametrize("content", [b"", b"<html>", bomb(), photo()[:800]])
async def test_what_is_no_photo_is_said_at_the_field(rig: Rig, place: Place, content: bytes) -> None:
    order = await rig.order(place)
    person = await followed(rig, place, order)
    page = await person.send("/track/photos", files=picked(content))
    assert page.status == 422, page.text
    assert 'id="e-photo"' in page.html
    assert await kept(rig, order) == 0
    chinese = Person(rig.client, [("clerk", place.code)], place.clerk, language="zh-CN")
    await chinese.get(f"/desk/{order['id']}")
    page = await chinese.send(f"/desk/{order['id']}/photos", files=picked(content))
    assert page.status == 422
    assert "照片" in page.html.partition('id="e-photo"')[2].partition("</p>")[0]


async def test_a_wrong_slip_adds_nothing(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    person = await followed(rig, place, order)
    page = await person.send("/track/photos", files=picked(photo()), code="ZZZZZZ")
    assert page.status == 404
    assert await kept(rig, order) == 0
    stranger = Person(rig.client)
    await stranger.get("/track")
    page = await stranger.post("/track/photos", tenant=place.code, number=order["number"], code=order["tracking_code"])
    assert page.status == 403  # not our form


async def test_ones_own_are_shown_and_taken_away(rig: Rig, place: Place) -> None:
    order, person = await own(rig, place)
    await person.get(f"/track/{order['id']}")
    page = await person.send(f"/track/{order['id']}/photos", files=picked(photo()))
    assert page.status == 200, page.text
    assert "data:image/jpeg;base64," in page.html
    link = page.html.partition('href="/order/photos/')[2].partition('"')[0]
    looked = await person.get(f"/order/photos/{link}")
    assert (looked.status, looked.headers["content-type"]) == (200, "image/jpeg")
    assert "sandbox" in looked.headers["content-security-policy"]
    assert looked.headers["cache-control"] == "private, no-store"
    other = Person(rig.client, [("resident", "")], uuid4())
    assert (await other.get(f"/order/photos/{link}")).status == 404
    assert (await Person(rig.client).get(f"/order/photos/{link}")).status == 303  # to sign in
    await person.get(f"/track/{order['id']}")
    page = await person.send("/remove")
    assert page.status == 200, page.text
    assert await kept(rig, order) == 0


async def test_three_are_enough(rig: Rig, place: Place) -> None:
    order, person = await own(rig, place)
    form = (await person.get(f"/track/{order['id']}")).form("/photos")
    page: Page | None = None
    for grey in (10, 60, 110):
        page = await person.send(f"/track/{order['id']}/photos", files=picked(photo(colour=(grey, grey, grey))))
    assert page is not None
    assert not page.has_form(f"/track/{order['id']}/photos")
    answer = await person.again(form, files=picked(photo(colour=(9, 90, 9))))
    assert answer.status == 422
    assert "three photos already" in answer.text
    assert len(page.html) < 60_000


async def test_the_desk_sees_adds_and_takes_away(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    clerk = Person(rig.client, [("clerk", place.code)], place.clerk)
    await clerk.get(f"/desk/{order['id']}")
    page = await clerk.send(f"/desk/{order['id']}/photos", files=picked(photo()))
    assert page.status == 200, page.text
    assert "data:image/jpeg;base64," in page.html
    assert "A photo was added" in page.text
    leader = Person(rig.client, [("grid_leader", place.code)], uuid4())
    page = await leader.get(f"/desk/{order['id']}")  # nobody works on it yet: nothing opens to a leader
    assert "Photo 1" in page.text
    assert "data:image/jpeg;base64," not in page.html
    elsewhere = await rig.village()
    other = Person(rig.client, [("clerk", elsewhere.code)], elsewhere.clerk)
    assert (await other.get(f"/desk/{order['id']}")).status == 404
    token = (await other.get("/desk/new", service="tap")).form("/desk/new").fields["form_token"]
    assert (await other.post(f"/desk/{order['id']}/photos", form_token=token)).status == 404
    await clerk.get(f"/desk/{order['id']}")
    page = await clerk.send("/remove")
    assert page.status == 200, page.text
    assert await kept(rig, order) == 0


async def test_what_is_too_large_is_a_page_with_words(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    person = await followed(rig, place, order)
    page = await person.send("/track/photos", files=picked(bytes(9 * 1024 * 1024)))
    assert page.status == 413
    assert "A photo has 8 MB at most" in page.text
    assert await kept(rig, order) == 0

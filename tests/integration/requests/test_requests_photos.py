"""Photos of orders by calls: who adds, sees and takes away; what is refused; what is left of them, and until when."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from support import bearer
from support.pictures import HIDDEN, bomb, opened, photo
from support.requests_rig import Place, Rig

Headers = dict[str, str]


async def send(rig: Rig, order: Any, headers: Headers, content: bytes, name: str = "photo.jpg") -> httpx.Response:
    """Sends a photo in as a form does."""
    path = f"/v1/requests/{order['id']}/attachments"
    return await rig.client.post(path, headers=headers, files={"photo": (name, content, "image/jpeg")})


async def sent(rig: Rig, order: Any, headers: Headers, content: bytes | None = None) -> Any:
    answer = await send(rig, order, headers, content or photo())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(rig: Rig, order: Any, headers: Headers) -> list[Any]:
    return list((await rig.good("GET", f"/v1/requests/{order['id']}/attachments", headers))["items"])


async def kept(rig: Rig, order: Any) -> int:
    """How many photos the database has of an order, whoever may see them."""
    query = "SELECT count(*) AS n FROM attachments WHERE request_id = $1"
    return int((await rig.rows_as("owner", query, UUID(order["id"])))[0]["n"])


async def claimed(rig: Rig, place: Place) -> tuple[Any, UUID, Headers]:
    """An order that a volunteer holds."""
    order, doer = await rig.accepted(place), uuid4()
    await rig.claimed(place, order, doer)
    return order, doer, bearer("volunteer", place.code, doer)


async def test_a_photo_of_the_desk_is_saved_anew(rig: Rig, place: Place) -> None:
    order, clerk = await rig.order(place), rig.clerk(place)
    told = await sent(rig, order, clerk, photo((3200, 2000)))
    assert (told["purpose"], told["media_type"], told["by"]) == ("order", "image/jpeg", str(place.clerk))
    assert [each["id"] for each in await listed(rig, order, clerk)] == [told["id"]]
    answer = await rig.client.get(f"/v1/requests/{order['id']}/attachments/{told['id']}", headers=clerk)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert len(answer.content) == told["size"]
    assert HIDDEN not in answer.content
    picture = opened(answer.content)
    assert picture.size == (1600, 1000)
    assert not dict(picture.getexif())
    rows = await rig.rows_as("owner", "SELECT content FROM attachments WHERE id = $1", UUID(told["id"]))
    assert rows[0]["content"] == answer.content
    steps = await rig.good("GET", f"/v1/requests/{order['id']}/timeline", clerk)
    assert [step["step"] for step in steps["steps"]] == ["submitted", "photo-added"]


async def test_a_resident_shows_what_it_is_about_and_takes_it_away(rig: Rig, place: Place) -> None:
    me = bearer("resident", "", uuid4())
    order = await rig.order(place, me, contact={"name": "测试甲", "phone": "13900000001", "relation": "self"})
    told = await sent(rig, order, me)
    assert told["purpose"] == "order"
    path = f"/v1/requests/{order['id']}/attachments/{told['id']}"
    stranger = bearer("resident", "", uuid4())
    for method in ("GET", "DELETE"):
        await rig.refused(404, method, path, stranger)
    assert (await send(rig, order, stranger, photo())).status_code == 404
    assert (await rig.client.request("DELETE", path, headers=me)).status_code == 204
    assert await kept(rig, order) == 0
    await rig.refused(404, "GET", path, me)
    await rig.refused(404, "DELETE", path, me)
    assert await rig.rows.fetchval("SELECT count(*) FROM timers WHERE aggregate = $1", UUID(told["id"])) == 0


async def test_who_holds_it_shows_that_it_is_done(rig: Rig, place: Place) -> None:
    order, doer, volunteer = await claimed(rig, place)
    shown = await sent(rig, order, rig.clerk(place))
    done = await sent(rig, order, volunteer)  # the same picture for something else
    assert (shown["purpose"], done["purpose"]) == ("order", "completion")
    assert len(await listed(rig, order, volunteer)) == 2
    other = bearer("volunteer", place.code, uuid4())
    assert (await send(rig, order, other, photo())).status_code == 404
    await rig.done(place, order, doer)
    problem = await rig.refused(403, "GET", f"/v1/requests/{order['id']}/attachments", volunteer)
    assert problem["type"].endswith("contact-closed")
    # The one that could not be sent with the report comes later, until the resident has said how it was.
    assert (await sent(rig, order, volunteer, photo(colour=(9, 9, 9))))["purpose"] == "completion"
    town = bearer("supervisor", place.code[:9])
    await rig.refused(403, "GET", f"/v1/requests/{order['id']}/attachments", town)
    assert (await send(rig, order, town, photo())).status_code == 403


async def test_elsewhere_it_is_as_if_not_there(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    told = await sent(rig, order, rig.clerk(place))
    elsewhere = await rig.village()
    other = rig.clerk(elsewhere)
    path = f"/v1/requests/{order['id']}/attachments"
    assert (await send(rig, order, other, photo())).status_code == 404
    await rig.refused(404, "GET", path, other)
    await rig.refused(404, "GET", f"{path}/{told['id']}", other)
    await rig.refused(404, "DELETE", f"{path}/{told['id']}", other)
    # Nor by the number of a photo under an order of one's own.
    mine = await rig.order(elsewhere)
    await rig.refused(404, "GET", f"/v1/requests/{mine['id']}/attachments/{told['id']}", other)
    await rig.refused(404, "DELETE", f"/v1/requests/{mine['id']}/attachments/{told['id']}", other)
    second = await rig.order(place)
    await rig.refused(404, "DELETE", f"/v1/requests/{second['id']}/attachments/{told['id']}", rig.clerk(place))
    await rig.refused(401, "GET", path)
    assert await kept(rig, order) == 1
    for role in ("api", "worker"):
        connection = await asyncpg.connect(getattr(rig.urls, role))
        try:
            await connection.execute("SELECT set_config('lianhu.scope', $1, false)", elsewhere.code)
            query = "SELECT count(id) FROM attachments WHERE request_id = $1"
            assert await connection.fetchval(query, UUID(order["id"])) == 0
            await connection.execute("SELECT set_config('lianhu.scope', $1, false)", place.code)
            assert await connection.fetchval(query, UUID(order["id"])) == 1
            if role == "worker":
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch("SELECT content FROM attachments")
        finally:
            await connection.close()


@pytest.mark.parametrize(
    "content", [b"", b"<html>no photo</html>", photo()[:1000], bomb(), b"\0\0\0\x18ftypheic" + bytes(50)]
)
async def test_what_is_no_photo_is_told_at_its_field(rig: Rig, place: Place, content: bytes) -> None:
    order = await rig.order(place)
    answer = await send(rig, order, rig.clerk(place), content)
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["field"] == "photo"
    assert error["detail"].endswith(".")
    assert await kept(rig, order) == 0


async def test_a_form_without_the_field_and_what_is_no_form(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    path = f"/v1/requests/{order['id']}/attachments"
    clerk = rig.clerk(place)
    assert (await rig.client.post(path, headers=clerk, files={"other": b"x"})).status_code == 422
    assert (await rig.client.post(path, headers=clerk, content=photo())).status_code == 415
    assert (await rig.call("POST", path, clerk, {"photo": "x"})).status_code == 415
    two = [("photo", ("a.jpg", photo())), ("photo", ("b.jpg", photo()))]
    assert (await rig.client.post(path, headers=clerk, files=two)).status_code == 400
    assert await kept(rig, order) == 0


async def test_forty_megabytes_are_refused_before_they_are_read(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    path = f"/v1/requests/{order['id']}/attachments"
    headers = {**rig.clerk(place), "Content-Type": "multipart/form-data; boundary=edge"}
    given = 0

    async def parts() -> Any:
        nonlocal given
        yield b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        while given < 40 * 1024 * 1024:
            given += 64 * 1024
            yield bytes(64 * 1024)

    said = {"Content-Length": str(40 * 1024 * 1024)}
    answer = await rig.client.post(path, headers={**headers, **said}, content=parts())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:lianhu:problem:too-large")
    assert given == 0
    given = 0
    answer = await rig.client.post(path, headers=headers, content=parts())  # and where it does not say how long
    assert answer.status_code == 413, answer.text
    assert "8 MB" in answer.json()["detail"]
    assert given < 10 * 1024 * 1024
    assert await kept(rig, order) == 0


async def test_a_double_click_is_one_photo_and_a_fourth_is_refused(rig: Rig, place: Place) -> None:
    order, clerk = await rig.order(place), rig.clerk(place)
    twice = await asyncio.gather(*(sent(rig, order, clerk) for _ in range(2)))
    assert twice[0] == twice[1]
    for grey in (50, 100):
        await sent(rig, order, clerk, photo(colour=(grey, grey, grey)))
    assert await sent(rig, order, clerk) == twice[0]
    answer = await send(rig, order, clerk, photo(colour=(150, 150, 150)))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lianhu:problem:photos-full")
    assert await kept(rig, order) == 3


async def test_four_at_once_are_three(rig: Rig, place: Place) -> None:
    order, clerk = await rig.order(place), rig.clerk(place)
    answers = await asyncio.gather(*(send(rig, order, clerk, photo(colour=(n, n, n))) for n in (10, 60, 110, 160)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409]
    assert await kept(rig, order) == 3


async def test_nothing_is_added_to_what_has_ended(rig: Rig, place: Place) -> None:
    order = await rig.order(place)
    await rig.move(place, order, "withdraw")
    answer = await send(rig, order, rig.clerk(place), photo())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lianhu:problem:order-ended")


async def test_photos_go_when_their_time_is_over(rig: Rig, place: Place) -> None:
    admin = bearer("admin", place.code)
    unit = {"code": place.code, "name": "示例村", "settings": {"always_working": True, "photos_kept_days": 5}}
    await rig.good("PUT", "/v1/org-units", admin, {"items": [unit]})
    order = await rig.order(place)
    told = await sent(rig, order, rig.clerk(place))
    timer = {"id": told["id"]}
    await rig.fire(timer, "photo-over")  # still open: looked at again later
    assert await rig.timers(timer) == {"photo-over"}
    await rig.move(place, order, "withdraw")
    await rig.fire(timer, "photo-over")
    assert await kept(rig, order) == 1
    due = "SELECT due_at FROM timers WHERE aggregate = $1"
    closed = "SELECT closed_at FROM requests WHERE id = $1"
    at = (await rig.rows_as("owner", closed, UUID(order["id"])))[0]["closed_at"]
    assert (await rig.rows.fetchval(due, UUID(told["id"])) - at).days == 5
    await rig.rows_as(
        "owner", "UPDATE requests SET closed_at = closed_at - interval '6 days' WHERE id = $1", UUID(order["id"])
    )
    await rig.fire(timer, "photo-over")
    assert await kept(rig, order) == 0
    assert await rig.timers(timer) == set()


async def test_erasing_somebody_takes_their_photos_along(rig: Rig, place: Place) -> None:
    person = uuid4()
    me, admin = bearer("resident", "", person), bearer("admin", place.code)
    record = {"id": str(person), "tenant": place.code, "name": "测试丁", "roles": [{"role": "resident", "at": ""}]}
    await rig.good("POST", "/v1/people", admin, record)
    contact = {"name": "测试丁", "phone": "13900000004", "relation": "self"}
    elsewhere = await rig.village()
    orders = [await rig.order(where, me, contact=contact) for where in (place, elsewhere)]
    for order in orders:
        await sent(rig, order, me)
        assert await kept(rig, order) == 1
        await rig.good("POST", f"/v1/requests/{order['id']}/withdraw", me, {})
    await rig.good("POST", f"/v1/people/{person}/erase", admin)
    assert [await kept(rig, order) for order in orders] == [0, 0]

"""Orders as they come in: what is stored and told, what is refused with nothing stored."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from lianhu_kit.identifiers import number_is_valid
from support import bearer, village
from support.requests_rig import Place, Rig


async def test_an_anonymous_order_is_stored_and_told(rig: Rig, place: Place) -> None:
    slip = await rig.order(place, address="示例村3巷12号", grid=place.grid, notice="2026-01")
    assert slip["status"] == "submitted"
    assert number_is_valid(slip["number"])
    assert len(slip["tracking_code"]) == 6
    assert (slip["tenant"], slip["service"], slip["grid"], slip["version"]) == (place.code, "tap", place.grid, 1)
    [event] = await rig.events(slip["id"])
    assert event.type == "lianhu.request.submitted.v1"
    assert event.tenant == place.code
    [data] = await rig.data(slip["id"])
    assert data["channel"] == "web"
    assert (data["reporter"], data["resident"], data["by"]) == (None, None, None)
    assert data["limits"]["contact"] is not None
    assert data["served_id"] is not None
    for personal in ("测试甲", "13900000001", "3巷", "漏水"):
        assert personal not in str(data)
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    shown = await rig.get(place, slip)
    assert shown["text"] == "厨房水龙头漏水"
    assert shown["contact"] == {"name": "测*", "phone": "139****0001"}
    assert shown["notice"] == "2026-01"


async def test_whoever_is_served_twice_has_one_opaque_id(rig: Rig, place: Place) -> None:
    first, again, other = [
        await rig.order(place, contact={"name": name, "phone": "139 0000 0009"})
        for name in ("测试乙", "测试 乙", "测试丙")
    ]
    ids = [(await rig.last(slip, "submitted"))["served_id"] for slip in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]


async def test_a_resident_orders_for_themselves_and_finds_it(rig: Rig, place: Place) -> None:
    me = uuid4()
    await rig.good(
        "POST",
        "/v1/people",
        bearer("admin", place.code),
        {
            "id": str(me),
            "tenant": place.code,
            "name": "测试丁",
            "phone": "13900000004",
            "roles": [{"role": "resident"}],
        },
    )
    resident = bearer("resident", "", me)
    slip = await rig.order(place, resident)
    data = await rig.last(slip, "submitted")
    assert data["reporter"] == data["resident"] == str(me)
    contact = await rig.good("GET", f"/v1/requests/{slip['id']}/contact", resident)
    assert (contact["name"], contact["phone"]) == ("测试丁", "13900000004")
    # Somebody else orders for them: the phone tells whose it is.
    helped = await rig.order(place, contact={"name": "测试丁", "phone": "+86 139-0000-0004"})
    assert (await rig.last(helped, "submitted"))["resident"] == str(me)
    mine = await rig.good("GET", "/v1/requests", resident)
    assert [item["id"] for item in mine["items"]] == [helped["id"], slip["id"]]


async def test_a_residents_orders_in_two_villages_are_one_list_with_pages(rig: Rig, place: Place) -> None:
    other = await rig.village()
    resident = bearer("resident", "", uuid4())
    slips = [await rig.order(where, resident) for where in (place, other, place)]
    pages, after = [], ""
    for _ in slips:
        page = await rig.good("GET", f"/v1/requests?limit=1{after}", resident)
        pages += [item["id"] for item in page["items"]]
        after = f"&after={page['next']}" if "next" in page else ""
    assert pages == [slip["id"] for slip in reversed(slips)]
    assert after == ""


async def test_a_steward_orders_for_somebody_without_a_phone(rig: Rig, place: Place) -> None:
    steward = bearer("grid_worker", place.grid, place.worker)
    slip = await rig.order(
        place, steward, contact={"name": "测试戊"}, reach="通过小管家", served={"kind": "elderly", "name": "测试戊"}
    )
    data = await rig.last(slip, "submitted")
    assert data["channel"] == "field"
    assert data["reporter"] == str(place.worker)
    assert data["resident"] is None
    assert data["served_kind"] == "elderly"


async def test_a_household_and_a_door_fill_in_the_grid(rig: Rig, place: Place) -> None:
    home, plate = uuid4(), uuid4()
    households = [
        {"id": str(home), "tenant": place.code, "grid": place.grid},
        {"id": str(plate), "tenant": place.code, "grid": place.code + "002"},
    ]
    await rig.good("PUT", "/v1/households", bearer("admin", place.code), {"items": households})
    slip = await rig.order(place, bearer("clerk", place.code), household=str(home))
    assert slip["grid"] == place.grid
    assert (await rig.last(slip, "submitted"))["household"] == str(home)
    at_door = await rig.order(place, door=str(plate))
    assert at_door["grid"] == place.code + "002"
    assert (await rig.last(at_door, "submitted"))["channel"] == "door"


async def test_a_child_needs_consent_and_nothing_is_stored_without(rig: Rig, place: Place) -> None:
    lesson: dict[str, Any] = {
        "tenant": place.code,
        "service": "lesson",
        "text": "辅导功课",
        "contact": {"name": "测试己", "phone": "13900000006"},
    }
    child = {"kind": "child", "name": "测试小庚"}
    before = await _stored(rig, place)
    problem = await rig.refused(422, "POST", "/v1/requests", None, {**lesson, "served": child})
    assert problem["type"].endswith("consent-missing")
    assert problem["errors"][0]["field"] == "served.guardian_consent"
    assert await _stored(rig, place) == before
    consent = {"name": "测试己", "phone": "13900000006", "at": "2026-01-01T08:00:00+08:00"}
    late = {**consent, "at": "2099-01-01T08:00:00+08:00"}
    problem = await rig.refused(
        422, "POST", "/v1/requests", None, {**lesson, "served": {**child, "guardian_consent": late}}
    )
    assert [error["field"] for error in problem["errors"]] == ["served.guardian_consent.at"]
    now = (await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place)))["as_of"]
    slip = await rig.good(
        "POST", "/v1/requests", None, {**lesson, "served": {**child, "guardian_consent": {**consent, "at": now}}}
    )
    data = await rig.last(slip, "submitted")
    assert data["guardian"] is True
    assert data["minor"] is True


async def _stored(rig: Rig, place: Place) -> Any:
    counts = await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place))
    outbox = await rig.rows.fetchval("SELECT count(*) FROM outbox WHERE tenant = $1", place.code)
    kept = await rig.rows.fetchval("SELECT count(*) FROM timers WHERE tenant = $1", place.code)
    return sum(counts["by_status"].values()), outbox, kept


BAD = [
    ({"tenant": "x"}, 422, "tenant"),
    ({"tenant": "4417"}, 422, "tenant"),
    ({"service": "moon-trip"}, 422, "service"),
    ({"service": "月球"}, 422, "service"),
    ({"text": ""}, 422, "text"),
    ({"text": " \u3000\n"}, 422, "text"),
    ({"text": "水" * 2001}, 422, "text"),
    ({"text": 5}, 422, "text"),
    ({"text": None}, 422, "text"),
    ({"text": "a\x00b"}, 422, None),
    ({"answers": {"deep": {"er": "\x00"}}}, 422, None),
    ({"contact": {"name": "测试甲", "phone": "12345"}}, 422, "contact.phone"),
    ({"contact": {"name": "测试甲", "phone": "电话"}}, 422, "contact.phone"),
    ({"contact": {"name": "", "phone": "13900000001"}}, 422, "contact.name"),
    ({"contact": {"name": "甲" * 101, "phone": "13900000001"}}, 422, "contact.name"),
    ({"contact": {"name": "测试甲"}}, 422, "contact.phone"),
    ({"contact": None}, 422, "contact.phone"),
    ({"grid": "abc"}, 422, "grid"),
    ({"grid": "441702008205001"}, 422, "grid"),
    ({"household": "not an id"}, 422, "household"),
    ({"household": str(UUID(int=7))}, 422, "household"),
    ({"door": str(UUID(int=7))}, 422, "door"),
    ({"wanted": {"from": "2026-13-01T00:00:00Z"}}, 422, "wanted.from"),
    ({"wanted": {"from": "2026-01-01T00:00:00"}}, 422, "wanted.from"),
    ({"wanted": {"from": "2030-01-02T00:00:00Z", "to": "2030-01-01T00:00:00Z"}}, 422, "wanted"),
    ({"answers": {"colour": "red"}}, 422, "answers.colour"),
    ({"answers": []}, 422, "answers"),
    ({"served": {"kind": "dragon"}}, 422, "served.kind"),
    ({"channel": "owl"}, 422, "channel"),
    ({"public": "perhaps"}, 422, "public"),
    ({"extra": 1}, 422, "extra"),
]


@pytest.mark.parametrize(("change", "status", "field"), BAD)
async def test_bad_input_is_refused_by_name_and_nothing_is_stored(
    rig: Rig, place: Place, change: Any, status: Any, field: Any
) -> None:
    good = {
        "tenant": place.code,
        "service": "tap",
        "text": "漏水",
        "contact": {"name": "测试甲", "phone": "13900000001"},
    }
    before = await _stored(rig, place)
    problem = await rig.refused(status, "POST", "/v1/requests", None, {**good, **change})
    if field:
        assert field in [error["field"] for error in problem["errors"]]
    assert await _stored(rig, place) == before


async def test_an_unknown_village_is_refused_by_name(rig: Rig) -> None:
    body = {"tenant": village(), "service": "tap", "text": "漏水", "reach": "敲门"}
    problem = await rig.refused(422, "POST", "/v1/requests", None, body)
    assert problem["errors"][0]["field"] == "tenant"


async def test_required_answers_are_checked(rig: Rig, place: Place) -> None:
    order = {"tenant": place.code, "service": "errand", "text": "医保参保", "reach": "敲门"}
    problem = await rig.refused(422, "POST", "/v1/requests", None, order)
    assert [error["field"] for error in problem["errors"]] == ["answers.matter"]
    slip = await rig.good("POST", "/v1/requests", None, {**order, "answers": {"matter": "join"}})
    assert slip["status"] == "submitted"


async def test_bodies_that_are_no_json_too_large_or_of_another_type(rig: Rig) -> None:
    json_type = {"content-type": "application/json"}
    assert (await rig.client.post("/v1/requests", content=b"{", headers=json_type)).status_code == 400
    assert (await rig.client.post("/v1/requests", content=b'"x"', headers=json_type)).status_code == 422
    assert (
        await rig.client.post("/v1/requests", content=b"a=b", headers={"content-type": "text/plain"})
    ).status_code == 415
    large = b'{"text": "' + b"x" * 70_000 + b'"}'
    assert (await rig.client.post("/v1/requests", content=large, headers=json_type)).status_code == 413
    half = b'{"tenant": "441702008205", "service": "tap", "text": "\\ud800"}'
    answer = await rig.client.post("/v1/requests", content=half, headers=json_type)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "text", ["𠮷野家的水龙头", "الصنبور يسرب الماء", "🚰" * 10, "A\u202eB", "行一\n行二", "x" * 2000]
)
async def test_any_script_is_stored_whole(rig: Rig, place: Place, text: Any) -> None:
    name = text[:10].replace("\n", " ")
    slip = await rig.order(place, text=text, contact={"name": name, "phone": "13900000001"})
    assert (await rig.get(place, slip))["text"] == text
    contact = await rig.good("GET", f"/v1/requests/{slip['id']}/contact", rig.clerk(place))
    assert contact["name"] == name


async def test_staff_place_orders_under_their_code_only(rig: Rig, place: Place) -> None:
    body = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
    for role in ("clerk", "integrator", "grid_worker", "supervisor", "admin"):
        await rig.refused(404, "POST", "/v1/requests", bearer(role, village()), body)
    town = bearer("integrator", place.code[:9])
    slip = await rig.good("POST", "/v1/requests", town, body)
    assert (await rig.last(slip, "submitted"))["channel"] == "api"
    # A volunteer or resident of another village orders like anybody.
    await rig.good("POST", "/v1/requests", bearer("volunteer", village()), body)


async def test_the_same_key_is_one_order(rig: Rig, place: Place) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
    first = await rig.good("POST", "/v1/requests", key, body)
    assert await rig.good("POST", "/v1/requests", key, body) == first
    problem = await rig.refused(422, "POST", "/v1/requests", key, {**body, "text": "停电"})
    assert problem["type"].endswith("key-reused")
    await rig.refused(422, "POST", "/v1/requests", {"Idempotency-Key": "guessable"}, body)
    counts = await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place))
    assert sum(counts["by_status"].values()) == 1


async def test_a_taken_number_is_replaced(rig: Rig, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await rig.order(place)
    numbers = iter([first["number"], first["number"], "10000007"])
    monkeypatch.setattr("requests_service.handlers.order.new_number", lambda: next(numbers))
    monkeypatch.setattr("requests_service.handlers.intake.new_number", lambda: next(numbers))
    second = await rig.order(place)
    assert second["number"] == "10000007"
    assert (await rig.last(second, "submitted"))["number"] == "10000007"


async def test_a_failing_commit_is_no_success(rig: Rig, place: Place) -> None:
    """A deferred fault strikes at commit: the answer is no 201, and nothing is there."""
    # The owner alone may hang a trigger on a table.
    owner = await _connect(rig.urls.owner)
    await owner.execute(
        f"""
        CREATE FUNCTION fail_{place.code}() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'commit fails'; END $$;
        CREATE CONSTRAINT TRIGGER fail_{place.code} AFTER INSERT ON requests DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.tenant = '{place.code}') EXECUTE FUNCTION fail_{place.code}();
        """
    )
    try:
        body = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
        answer = await rig.call("POST", "/v1/requests", None, body)
        assert answer.status_code == 500
    finally:
        await owner.execute(f"DROP TRIGGER fail_{place.code} ON requests; DROP FUNCTION fail_{place.code}()")
        await owner.close()
    counts = await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place))
    assert sum(counts["by_status"].values()) == 0


async def _connect(url: str) -> Any:
    import asyncpg

    return await asyncpg.connect(url)


async def test_tracking_shows_where_it_stands_and_hides_every_miss(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    path = f"/v1/track/{slip['number']}?tenant={place.code}&code={slip['tracking_code'].lower()}"
    found = await rig.good("GET", path)
    assert found["status"] == "submitted"
    assert set(found) == {"number", "tenant", "status", "words", "submitted_at", "confirm_by"}
    other = await rig.village()
    misses = [
        f"/v1/track/{slip['number']}?tenant={place.code}&code=AAAAAA",
        f"/v1/track/{slip['number']}?tenant={other.code}&code={slip['tracking_code']}",
        f"/v1/track/10000007?tenant={place.code}&code={slip['tracking_code']}",
        f"/v1/track/{slip['number']}?tenant=nowhere&code={slip['tracking_code']}",
        f"/v1/track/abc?tenant={place.code}&code={slip['tracking_code']}",
    ]
    answers = [await rig.refused(404, "GET", miss) for miss in misses]
    assert len({(answer["type"], answer["title"], answer["detail"]) for answer in answers}) == 1

"""The skeleton of an API over a real database: every error a problem with a remedy, nothing half done."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from integration.kit.desk import NotToday, not_today, router, unguarded
from integration.kit.proxy import Gate
from integration.kit.station import Station
from lianhu_kit.application import create_application
from lianhu_kit.door import LARGEST_BODY
from lianhu_kit.retention import Retention
from support import bearer, eventually, village
from support.people import person_of, token_of

HERE = village()
CLERK = bearer("clerk", HERE)


@asynccontextmanager
async def serving(station: Station, url: str | None = None) -> AsyncIterator[tuple[httpx.AsyncClient, FastAPI]]:
    """The tiny API as the api role, and a client."""
    settings = station.settings.model_copy(update={"database_url": url or station.api.url})
    app = create_application(
        settings, title="Desk", routers=[router], required_revision="0001", problems={NotToday: not_today}
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://desk", timeout=30) as client,
    ):
        yield client, app


@pytest_asyncio.fixture(scope="module")
async def desk(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the tiny API."""
    async with serving(station) as (client, _):
        yield client


def note(at: str = HERE, **more: Any) -> dict[str, Any]:
    """A good body."""
    return {"at": at, "title": "title", **more}


def is_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Checks that an answer is this problem; its members."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:lianhu:problem:{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith((".", "…"))
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def count(station: Station, at: str = HERE) -> int:
    """How many notes a village has."""
    return len(await station.rows("SELECT id FROM notes WHERE tenant = :t", at, t=at))


async def test_a_good_call_is_answered_and_stored_with_headers_that_protect(
    desk: httpx.AsyncClient, station: Station
) -> None:
    at, words = village(), "𠮷野家 \u200fعربي 👩\u200d👩\u200d👧"
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {**bearer("clerk", at), "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = await desk.post("/v1/notes", json=note(at, words=words), headers=headers)
    assert answer.status_code == 201
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    (row,) = await station.rows("SELECT words FROM notes WHERE tenant = :t", at, t=at)
    assert row.words == words


BAD_BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "bad JSON": (b'{"at": ', 400, "bad-json", ""),
    "not UTF-8": (b'{"at": "\xff\xfe"}', 400, "bad-json", ""),
    "nothing": (b" ", 400, "bad-json", ""),
    "a list": (b"[]", 422, "invalid-input", "body"),
    "deep nesting": (b'{"more":' + b'{"a":' * 9000 + b"1" + b"}" * 9001, 400, "bad-json", ""),
    "unknown field": (json.dumps(note(extra=1)).encode(), 422, "invalid-input", "extra"),
    "half a pair as field": (b'{"at":"1","title":"x","\\ud800":1}', 422, "invalid-input", "body"),
    "NUL": (json.dumps(note(words="a\x00b")).encode(), 422, "invalid-input", "words"),
    "NUL deep inside": (json.dumps(note(more={"a": [{"b\x00": 1}]})).encode(), 422, "invalid-input", "more"),
    "half a surrogate pair": (json.dumps(note(words="a\ud800b")).encode(), 422, "invalid-input", "words"),
    "half a pair deep inside": (json.dumps(note(more={"a": ["\udfff"]})).encode(), 422, "invalid-input", "more"),
    "wrong type": (json.dumps(note(count="many")).encode(), 422, "invalid-input", "count"),
    "a number as text": (json.dumps(note(words=5)).encode(), 422, "invalid-input", "words"),
    "missing": (json.dumps({"at": HERE}).encode(), 422, "invalid-input", "title"),
    "blank": (json.dumps(note(title=" \u3000\u2003")).encode(), 422, "invalid-input", "title"),
    "two lines": (json.dumps(note(title="a\u2028b")).encode(), 422, "invalid-input", "title"),
    "too long": (json.dumps(note(title="长" * 201)).encode(), 422, "invalid-input", "title"),
    "a code of letters": (json.dumps(note(at="44170200820x")).encode(), 422, "invalid-input", "at"),
    "a code in other digits": (json.dumps(note(at="٤٤١٧٠٢٠٠٨٢٠٥")).encode(), 422, "invalid-input", "at"),
    "a code of no level": (json.dumps(note(area="44170")).encode(), 422, "invalid-input", "area"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_bad_bodies_are_told_which_field_and_nothing_is_stored(
    desk: httpx.AsyncClient, station: Station, name: str
) -> None:
    body, status, slug, field = BAD_BODIES[name]
    before = await count(station)
    answer = await desk.post("/v1/notes", content=body, headers={**CLERK, "content-type": "application/json"})
    problem = is_problem(answer, status, slug)
    if field:
        assert field in [error["field"].split(".")[0] for error in problem["errors"]]
        assert all(error["detail"] for error in problem["errors"])
        assert "many" not in answer.text  # what was given is not repeated
    assert await count(station) == before


async def test_bodies_that_are_too_long_are_refused_declared_or_not(desk: httpx.AsyncClient) -> None:
    large = json.dumps(note(words="x" * LARGEST_BODY)).encode()
    headers = {**CLERK, "content-type": "application/json"}
    is_problem(await desk.post("/v1/notes", content=large, headers=headers), 413, "too-large")
    lying = {**headers, "content-length": "10"}
    is_problem(await desk.post("/v1/notes", content=large, headers=lying), 413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 8192):
            yield large[start : start + 8192]

    is_problem(await desk.post("/v1/notes", content=chunks(), headers=headers), 413, "too-large")


async def test_other_content_types_methods_and_addresses(desk: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await desk.post("/v1/notes", content=b"{}", headers={**CLERK, "content-type": kind})
        is_problem(answer, 415, "unsupported-media-type")
    is_problem(await desk.get("/v1/nowhere", headers=CLERK), 404, "not-found")
    answer = await desk.delete("/v1/notes", headers=CLERK)
    is_problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]
    problem = is_problem(await desk.get("/v1/notes/not-an-id", headers=CLERK), 422, "invalid-input")
    assert problem["errors"][0]["field"] == "note"
    is_problem(await desk.get("/v1/problems/a%00b"), 422, "invalid-input")
    is_problem(await desk.get("/v1/notes?at=%00", headers=CLERK), 422, "invalid-input")


async def test_errors_of_the_domain_and_bugs(desk: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_problem(await desk.get("/v1/problems/conflict"), 409, "illegal-move")["status_now"] == "closed"
    often = await desk.get("/v1/problems/often")
    is_problem(often, 429, "too-many")
    assert often.headers["retry-after"] == "7"
    problem = is_problem(await desk.get("/v1/problems/fields"), 422, "invalid-input")
    assert problem["errors"] == [{"field": "a.b", "detail": "must be right"}]
    is_problem(await desk.get("/v1/problems/domain"), 409, "not-today")
    is_problem(await desk.get("/v1/problems/large"), 413, "too-large")
    bug = await desk.get("/v1/problems/bug")
    is_problem(bug, 500, "internal")
    assert "13800138000" not in bug.text
    assert "RuntimeError" not in bug.text


async def test_a_commit_that_fails_is_no_success(desk: httpx.AsyncClient, station: Station) -> None:
    at, twin = village(), secrets.token_hex(8)
    headers = bearer("clerk", at)
    assert (await desk.post("/v1/notes", json=note(at, twin=twin), headers=headers)).status_code == 201
    answer = await desk.post("/v1/notes", json=note(at, twin=twin), headers=headers)
    is_problem(answer, 500, "internal")  # the constraint is deferred: only COMMIT finds out
    assert twin not in answer.text
    assert await count(station, at) == 1


async def test_who_may_call(desk: httpx.AsyncClient) -> None:
    body = note()
    answer = await desk.post("/v1/notes", json=body)
    is_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for bad in ("Bearer", "Bearer ", "Basic eDp4", "Bearer x.y.z", "Bearer \xff", "bearer  "):
        answer = await desk.post("/v1/notes", json=body, headers=[(b"authorization", bad.encode("latin-1"))])
        is_problem(answer, 401, "unauthenticated")
    is_problem(await desk.post("/v1/notes", json=body, headers=bearer("volunteer", HERE)), 403, "forbidden")
    is_problem(await desk.post("/v1/notes", json=body, headers=bearer("clerk", village())), 404, "not-found")
    is_problem(await desk.post("/v1/notes", json=body, headers=bearer("clerk", "")), 404, "not-found")
    for at in (HERE[:9], HERE[:2], HERE + "001", HERE):  # a grid's clerk writes for their village
        assert (await desk.post("/v1/notes", json=body, headers=bearer("clerk", at))).status_code == 201
    assert (await desk.get("/v1/me")).json() == {"person": "None", "roles": []}
    assert (await desk.get("/v1/me", headers=CLERK)).json()["roles"] == ["clerk"]
    assert (await desk.get("/v1/me", headers=bearer("resident", HERE))).json()["roles"] == []
    is_problem(await desk.get("/v1/me", headers={"authorization": "Bearer no"}), 401, "unauthenticated")


async def test_a_row_is_found_under_the_grant_that_reaches_it(desk: httpx.AsyncClient) -> None:
    at, elsewhere = village(), village()
    made = (await desk.post("/v1/notes", json=note(at), headers=bearer("clerk", at))).json()["id"]
    both = token_of([("clerk", elsewhere), ("volunteer", at), ("supervisor", at[:9])], person_of("clerk", at))
    found = await desk.get(f"/v1/notes/{made}", headers={"authorization": f"Bearer {both}"})
    assert found.json() == {"tenant": at, "role": "supervisor", "at": at[:9]}
    is_problem(await desk.get(f"/v1/notes/{made}", headers=bearer("clerk", elsewhere)), 404, "not-found")


async def test_lists_come_in_pages(desk: httpx.AsyncClient) -> None:
    at = village()
    made = [(await desk.post("/v1/notes", json=note(at), headers=bearer("clerk", at))).json()["id"] for _ in range(5)]
    read: list[str] = []
    address = f"/v1/notes?at={at}&limit=2"
    for expected in (2, 2, 1):
        page = (await desk.get(address, headers=bearer("clerk", at))).json()
        assert len(page["items"]) == expected
        read += [item["id"] for item in page["items"]]
        address = f"/v1/notes?at={at}&limit=2&after={page.get('next')}"
    assert read == sorted(made)
    assert "next" not in page
    for bad in (
        "limit=0",
        "limit=201",
        "limit=x",
        "after=garbage",
        "after=e30",
        "after=W10",
        "after=WyJ4Il0",
        "after=WzEsMl0",
        f"after={'x' * 501}",
    ):
        answer = await desk.get(f"/v1/notes?at={at}&{bad}", headers=bearer("clerk", at))
        assert is_problem(answer, 422, "invalid-input")["errors"][0]["field"] == bad.split("=")[0]


async def test_the_same_key_and_body_have_one_effect_and_one_answer(desk: httpx.AsyncClient, station: Station) -> None:
    at = village()
    headers = {**bearer("clerk", at), "idempotency-key": secrets.token_hex(8)}
    first = await desk.post("/v1/notes", json=note(at), headers=headers)
    again = await desk.post("/v1/notes", json=note(at), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert await count(station, at) == 1
    is_problem(await desk.post("/v1/notes", json=note(at, words="other"), headers=headers), 422, "key-reused")
    stranger = {
        **bearer("clerk", at, "6c69616e-6875-4000-8000-00000000aaaa"),
        **{"idempotency-key": headers["idempotency-key"]},
    }
    assert (await desk.post("/v1/notes", json=note(at), headers=stranger)).json()["id"] != first.json()["id"]
    for bad in ("", "x" * 201, "with space"):
        answer = await desk.post("/v1/notes", json=note(at), headers={**headers, "idempotency-key": bad})
        is_problem(answer, 422, "invalid-input")


async def test_a_key_that_was_used_in_another_village_has_no_effect_here(
    desk: httpx.AsyncClient, station: Station
) -> None:
    one, two = village(), village()
    token = token_of([("clerk", one), ("clerk", two)], person_of("clerk", one))
    headers = {"authorization": f"Bearer {token}", "idempotency-key": secrets.token_hex(8)}
    assert (await desk.post("/v1/notes", json=note(one), headers=headers)).status_code == 201
    is_problem(await desk.post("/v1/notes", json=note(two), headers=headers), 422, "key-reused")
    assert await count(station, two) == 0


async def test_two_calls_at_once_with_one_key(station: Station) -> None:
    at = village()
    headers = {**bearer("clerk", at), "idempotency-key": secrets.token_hex(8)}
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        entered.set()
        await may_end.wait()

    async with serving(station) as (desk, app):
        app.state.entered = hold
        body = note(at, title="wait")
        first = asyncio.create_task(desk.post("/v1/notes", json=body, headers=headers))
        await entered.wait()
        is_problem(await desk.post("/v1/notes", json=body, headers=headers), 409, "in-progress")
        may_end.set()
        done = await first
        again = await desk.post("/v1/notes", json=body, headers=headers)
    assert again.json() == done.json()
    assert await count(station, at) == 1


async def test_a_call_that_broke_off_leaves_its_key_free(station: Station) -> None:
    at = village()
    headers = {**bearer("clerk", at), "idempotency-key": secrets.token_hex(8)}
    entered = asyncio.Event()

    async def hold() -> None:
        entered.set()
        await asyncio.sleep(30)

    async with serving(station) as (desk, app):
        app.state.entered = hold
        is_problem(await desk.post("/v1/notes", json=note(at, title="fail"), headers=headers), 500, "internal")
        broken = asyncio.create_task(desk.post("/v1/notes", json=note(at, title="wait"), headers=headers))
        await entered.wait()
        broken.cancel()  # the client went away, and its call with it
        await asyncio.gather(broken, return_exceptions=True)
        assert await count(station, at) == 0

        async def free() -> bool:
            return (await desk.post("/v1/notes", json=note(at), headers=headers)).status_code == 201

        await eventually(free)
    assert await count(station, at) == 1


async def test_keys_are_forgotten_after_a_week(desk: httpx.AsyncClient, station: Station) -> None:
    at = village()
    headers = {**bearer("clerk", at), "idempotency-key": secrets.token_hex(8)}
    young = {**bearer("clerk", at), "idempotency-key": secrets.token_hex(8)}
    for each in (headers, young):
        assert (await desk.post("/v1/notes", json=note(at), headers=each)).status_code == 201
    age = "UPDATE idempotency_keys SET created_at = created_at - interval '7 days 1 hour' WHERE key = :k RETURNING key"
    assert await station.rows(age, k=headers["idempotency-key"])
    await Retention(station.settings, station.worker).round()
    for each in (headers, young):
        await desk.post("/v1/notes", json=note(at), headers=each)
    assert await count(station, at) == 3  # the old key had a new effect, the young one not


async def test_a_database_that_is_away_or_silent_is_a_503_in_time_and_comes_back(station: Station) -> None:
    at = village()
    gate = Gate(station.api.url)
    await gate.open()
    try:
        async with serving(station, gate.url) as (desk, _):
            headers = bearer("clerk", at)
            assert (await desk.post("/v1/notes", json=note(at), headers=headers)).status_code == 201
            for close in (gate.shut, gate.freeze):
                done = close()
                if done is not None:
                    await done
                for _ in range(2):
                    began = time.monotonic()
                    answer = await desk.post("/v1/notes", json=note(at), headers=headers)
                    is_problem(answer, 503, "unavailable")
                    assert int(answer.headers["retry-after"]) > 0
                    assert time.monotonic() - began < 8
                    if close == gate.freeze:
                        break
                assert (await desk.get("/healthz")).status_code == 200
                await gate.open()

                async def back() -> bool:
                    return (await desk.post("/v1/notes", json=note(at), headers=headers)).status_code == 201

                await eventually(back)
            assert (await desk.get("/readyz")).status_code == 200
        assert await count(station, at) == 3
    finally:
        await gate.shut()


async def test_readiness_needs_the_revision_and_the_openapi_document_tells_roles_and_problems(
    desk: httpx.AsyncClient, station: Station
) -> None:
    assert (await desk.get("/healthz")).json() == {"status": "alive"}
    ready = (await desk.get("/readyz")).json()
    assert (ready["database"], ready["revision"]) == ("reached", "0001")
    app = create_application(station.settings, title="New", routers=[router], required_revision="0002")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://new") as client:
        answer = await client.get("/readyz")
    await app.state.database.close()
    assert answer.status_code == 503
    assert "run the migrations" in answer.json()["database"]
    document = (await desk.get("/openapi.json")).json()
    operations = {f"{verb} {path}": each for path, verbs in document["paths"].items() for verb, each in verbs.items()}
    assert operations["post /v1/notes"]["x-roles"] == ["clerk", "supervisor"]
    assert operations["get /v1/me"]["x-anonymous"] is True
    for operation in operations.values():
        schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert {"type", "status", "detail"} <= schema["properties"].keys()
        assert "422" not in operation["responses"]
    assert 'lianhu_call_seconds_count{method="POST",route="/v1/notes"' in (await desk.get("/metrics")).text


async def test_a_route_that_names_no_roles_is_refused_at_the_start(station: Station) -> None:
    with pytest.raises(RuntimeError, match="/v1/unguarded names no roles"):
        create_application(station.settings, title="Open", routers=[unguarded], required_revision="0001")

"""The gateway in front of small services: streams both ways, names who is away, closes what is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from lianhu_tools.local.gateway import create_app
from lianhu_tools.processes import free_port


@asynccontextmanager
async def served(app: ASGIApp, port: int) -> AsyncIterator[str]:
    """An application that listens while the block runs."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1, proxy_headers=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


def upstream(gate: asyncio.Event) -> Starlette:
    """A service that says what it was asked, and streams when `gate` opens."""

    async def echo(request: Request) -> Response:
        body = await request.body()
        said = {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "size": len(body),
        }
        answer = JSONResponse(said, status_code=201, headers={"X-Served-By": "requests", "Connection": "close"})
        if "sign-in" in request.url.path:
            answer.set_cookie("session", "of-the-first-caller")
        return answer

    async def stream(_request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            await gate.wait()
            yield b"data: second\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(routes=[Route("/inbox/stream", stream), Route("/{path:path}", echo, methods=methods)])


@pytest_asyncio.fixture
async def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest_asyncio.fixture
async def client(gate: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway whose requests and notifications are up and whose dispatch is away."""
    async with served(upstream(gate), free_port()) as up:
        addresses = {
            "requests": up,
            "notifications": up,
            "dispatch": f"http://127.0.0.1:{free_port()}",
            "reporting": up,
        }
        async with (
            served(create_app(addresses), free_port()) as address,
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=10) as client,
        ):
            yield client


async def test_the_prefix_is_taken_off_and_everything_else_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "/api/requests/v1/org%20units?under=441702&name=%E5%BC%A0", headers={"Authorization": "Bearer x", "X-Own": "1"}
    )
    said = answer.json()
    assert answer.status_code == 201
    assert said["path"] == "/v1/org%20units"
    assert said["query"] == "under=441702&name=%E5%BC%A0"
    assert said["headers"]["authorization"] == "Bearer x"
    assert said["headers"]["x-own"] == "1"
    assert said["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert answer.headers["x-served-by"] == "requests"


async def test_a_caller_cannot_say_where_they_come_from(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/requests/v1/x", headers={"X-Forwarded-For": "10.1.1.1"})
    assert answer.json()["headers"]["x-forwarded-for"] == "127.0.0.1"


async def test_a_page_keeps_its_path(client: httpx.AsyncClient) -> None:
    assert (await client.get("/reports/441702008")).json()["path"] == "/reports/441702008"


async def test_bodies_pass_with_and_without_a_length(client: httpx.AsyncClient) -> None:
    body = b"x" * 64 * 1024

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    whole = await client.post("/api/requests/v1/requests", content=body)
    streamed = await client.post("/api/requests/v1/requests", content=parts())
    assert whole.json()["size"] == streamed.json()["size"] == len(body)
    assert whole.json()["headers"]["content-length"] == str(len(body))
    assert "content-length" not in streamed.json()["headers"]


@pytest.mark.parametrize("accept", ["text/event-stream", "*/*"])
async def test_events_arrive_before_the_stream_ends(
    client: httpx.AsyncClient, gate: asyncio.Event, accept: str
) -> None:
    async with client.stream("GET", "/inbox/stream", headers={"Accept": accept}) as answer:
        parts = answer.aiter_raw()
        assert await asyncio.wait_for(anext(parts), 5) == b"data: first\n\n"
        gate.set()
        assert await asyncio.wait_for(anext(parts), 5) == b"data: second\n\n"
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_many_streams_leave_room_for_calls(client: httpx.AsyncClient, gate: asyncio.Event) -> None:
    async with AsyncExitStack() as streams:
        for _ in range(40):
            answer = await streams.enter_async_context(client.stream("GET", "/inbox/stream"))
            assert await asyncio.wait_for(anext(answer.aiter_raw()), 5) == b"data: first\n\n"
        called = await asyncio.wait_for(client.get("/api/notifications/v1/inbox"), 5)
        assert called.status_code == 201
        gate.set()


async def test_a_service_that_is_away_is_a_502_that_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/dispatch/v1/assignments")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.json() == {
        "type": "urn:lianhu:problem:service-away",
        "title": "Service away",
        "status": 502,
        "detail": "dispatch is away at the moment; try again in a few seconds.",
    }


async def test_metrics_and_internal_calls_are_not_passed_on(client: httpx.AsyncClient) -> None:
    for path in ("/api/requests/metrics", "/api/requests/internal/contacts", "/metrics", "/api/requests/%69nternal/x"):
        answer = await client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"


async def test_many_calls_at_once_all_get_their_own_answer(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get(f"/api/requests/v1/{number}") for number in range(200)))
    assert [answer.json()["path"] for answer in answers] == [f"/v1/{number}" for number in range(200)]


async def test_whoever_looks_at_pages_is_told_in_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/tasks", headers={"Accept": "text/html,application/xhtml+xml"})
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "暂时打不开" in answer.text
    program = await client.get("/api/dispatch/v1/assignments", headers={"Accept": "text/html"})
    assert program.headers["content-type"] == "application/problem+json"


async def test_no_caller_gets_the_cookies_of_another(client: httpx.AsyncClient) -> None:
    first = await client.get("/sign-in")
    assert "of-the-first-caller" in first.headers["set-cookie"]
    client.cookies.clear()
    second = (await client.get("/desk")).json()
    assert "cookie" not in second["headers"]
    own = (await client.get("/desk", headers={"Cookie": "session=my-own"})).json()
    assert own["headers"]["cookie"] == "session=my-own"

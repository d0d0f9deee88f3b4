"""A process that was told to end: not ready at once, still answering for a while, gone in time whatever it hangs at."""

import asyncio
import signal
import sys
import time
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from lianhu_kit import leaving as going
from lianhu_kit import worker as working
from lianhu_kit.application import create_application
from lianhu_kit.database import Database
from lianhu_kit.leaving import DrainingServer, Farewell, Leaving
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.worker import Work, Worker


class Settings(ServiceSettings, service="kit"):
    """Settings of a service that reaches nothing."""


def settings() -> Settings:
    """Nothing listens there."""
    return Settings(database_url="postgresql://kit@127.0.0.1:1/kit", auth_jwks="none.json")


async def _answering(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})
    await send({"type": "http.response.body", "body": b""})


async def test_whoever_leaves_sends_its_callers_elsewhere() -> None:
    leaving = Leaving()
    transport = httpx.ASGITransport(Farewell(_answering, leaving))
    async with httpx.AsyncClient(transport=transport, base_url="http://kit") as client:
        assert (await client.get("/")).headers.get_list("connection") == ["keep-alive"]
        leaving.begin()
        assert (await client.get("/")).headers.get_list("connection") == ["close"]


async def test_whoever_leaves_is_not_ready_and_alive() -> None:
    app = create_application(settings(), title="Kit", routers=[], required_revision="0001")
    app.state.leaving.begin()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kit") as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "leaving"})
        assert (await client.get("/healthz")).status_code == 200


async def test_a_worker_that_leaves_is_not_ready_and_alive() -> None:
    worker = Worker(settings(), Work("0001"))
    worker.leaving.begin()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(worker.health()), base_url="http://kit") as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "leaving"})
        assert (await client.get("/healthz")).status_code == 200


async def test_the_server_listens_until_the_drain_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[float] = []
    monkeypatch.setattr(going, "end_within", watched.append)
    leaving = Leaving()
    server = DrainingServer(uvicorn.Config(_answering), leaving, 0.3)
    assert not await server.on_tick(1)
    server.handle_exit(signal.SIGTERM, None)
    assert leaving.begun
    began = time.monotonic()
    while not await server.on_tick(1):  # noqa: ASYNC110 - uvicorn asks again and again
        await asyncio.sleep(0.01)
    assert 0.29 <= time.monotonic() - began < 3
    assert watched == [going.LONGEST_SECONDS]


async def test_a_second_signal_ends_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going, "end_within", lambda _seconds: None)
    server = DrainingServer(uvicorn.Config(_answering), Leaving(), 60)
    server.handle_exit(signal.SIGTERM, None)
    assert not await server.on_tick(1)
    server.handle_exit(signal.SIGTERM, None)
    assert await server.on_tick(1)


async def test_a_part_that_does_not_end_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    freed = asyncio.Event()

    async def stubborn(_database: Database, _stop: asyncio.Event) -> None:
        while not freed.is_set():
            try:
                await freed.wait()
            except asyncio.CancelledError:
                continue

    async def idle(stop: asyncio.Event) -> None:
        await stop.wait()

    monkeypatch.setattr(working, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(working, "CANCEL_SECONDS", 0.1)
    worker = Worker(settings(), Work("0001", background=[stubborn]))
    parts: list[Any] = [worker.relay, worker.retention]
    for part in parts:
        monkeypatch.setattr(part, "run", idle)
    monkeypatch.setattr(worker, "_keep_house", idle)
    stop = asyncio.Event()
    stop.set()
    try:
        await asyncio.wait_for(worker.run(stop), 10)
    finally:
        freed.set()


async def test_a_process_that_hangs_is_ended() -> None:
    program = "from lianhu_kit.leaving import end_within; end_within(0.2); import time; time.sleep(60)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(process.wait(), 30) == 128 + signal.SIGTERM

"""The API as a process of its own: at SIGTERM it ends its streams, goes on for the drain, and is gone."""

import asyncio
import os
import signal
import sys
from typing import Any

import httpx

from lianhu_tools.processes import free_port
from notifications_service.settings import Settings
from support.conditions import eventually
from support.people import bearer


async def test_open_streams_do_not_hold_the_process(notifications_settings: dict[str, Settings]) -> None:
    settings, port = notifications_settings["api"], free_port()
    environment = {
        **os.environ,
        "NOTIFICATIONS_DATABASE_URL": settings.database_url,
        "NOTIFICATIONS_PORT": str(port),
        "LIANHU_AUTH_JWKS": settings.auth_jwks,
        "LIANHU_STATE_DIRECTORY": str(settings.state_directory),
        "LIANHU_DRAIN_SECONDS": "3",
    }
    command = (sys.executable, "-m", "notifications_service", "api")
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    url = f"http://127.0.0.1:{port}"
    ended = asyncio.Event()
    heard: list[str] = []

    async def listen() -> None:
        async with (
            httpx.AsyncClient(base_url=url, timeout=30) as http,
            http.stream("GET", "/v1/inbox/stream", headers=bearer("resident", "900000000001")) as answer,
        ):
            async for line in answer.aiter_lines():
                heard.append(line)
        ended.set()

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient(base_url=url) as http:
                return (await http.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def streaming() -> bool:
        return "event: unread" in heard

    listening: Any = None
    try:
        await eventually(ready)
        listening = asyncio.create_task(listen())
        await eventually(streaming)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(ended.wait(), 3)
        # It is on its way and takes calls still, for whoever does not know it yet.
        async with httpx.AsyncClient(base_url=url) as http:
            leaving = await http.get("/readyz")
            assert (leaving.status_code, leaving.json(), leaving.headers["connection"]) == (
                503,
                {"status": "leaving"},
                "close",
            )
        # uvicorn raises the signal again when it is done; another code is that of a process that hung
        assert await asyncio.wait_for(process.wait(), 15) in (0, -signal.SIGTERM)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

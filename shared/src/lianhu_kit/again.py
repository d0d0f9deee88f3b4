"""A call whose transaction the database gave up in favour of another is done again, before anybody hears of it.

A deadlock's victim (40P01) and a serialization failure (40001) leave nothing behind: PostgreSQL asks for just this
(documentation, 13.5). Only calls that have not begun to answer are repeated, body and all.
"""

import asyncio
import random
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lianhu_kit import metrics
from lianhu_kit.database import is_conflict
from lianhu_kit.logs import logger

TRIES = 3
PAUSE_SECONDS = 0.05
# What routing writes into a call's scope and those outside read.
_ROUTED = ("route", "endpoint", "path_params")
_log = logger(__name__)


class Again:
    """Around the routes of an API, inside its door."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._again = metrics.CALLS_AGAIN.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        heard: list[Message] = []
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        for left in reversed(range(TRIES)):
            tried: dict[str, Any] = dict(scope)
            try:
                await self._app(tried, _heard_again(heard, receive), sending)
                return
            except Exception as error:
                if started or not left or not is_conflict(error):
                    raise
                self._again.inc()
                _log.info("call done again", path=scope.get("path"), tries_left=left)
            finally:
                scope.update({name: tried[name] for name in _ROUTED if name in tried})
            await asyncio.sleep(random.uniform(0.2, 1) * PAUSE_SECONDS)  # noqa: S311 - not a secret


def _heard_again(heard: list[Message], receive: Receive) -> Receive:
    """The call's body from its beginning: first what was heard before, then what still comes."""
    place = 0

    async def hearing() -> Message:
        nonlocal place
        if place < len(heard):
            message = heard[place]
        else:
            message = await receive()
            if message["type"] == "http.request":
                heard.append(message)
        place += 1
        return message

    return hearing

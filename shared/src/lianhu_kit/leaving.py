"""How a process leaves without a failed call: not ready first, still answering for a while, then the end, in time."""

import os
import signal
import threading
import time
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lianhu_kit.logs import logger

LONGEST_SECONDS = 10.0
# What the drain leaves over of it is for calls under way; the rest of the ten seconds for closing what is open.
CALLS_SECONDS = 8.0
_log = logger(__name__)


class Leaving:
    """Whether this process was told to end: readiness is off from then on."""

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        """It was told. Safe in a signal handler."""
        self.begun = True


class Farewell:
    """Around every call: a process that leaves says `Connection: close`, so that kept connections go elsewhere."""

    def __init__(self, app: ASGIApp, leaving: Leaving) -> None:
        self._app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and self._leaving.begun:
                kept = [header for header in message["headers"] if header[0].lower() != b"connection"]
                message["headers"] = [*kept, (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, sending)


class DrainingServer(uvicorn.Server):
    """A server that goes on taking calls for `seconds` after SIGTERM, while whoever shares out calls sees it not ready.

    A second signal ends that wait.
    """

    def __init__(self, config: uvicorn.Config, leaving: Leaving, seconds: float) -> None:
        super().__init__(config)
        self._leaving = leaving
        self._seconds = seconds
        self._until: float | None = None
        self._told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT: not ready from now on."""
        self._until = time.monotonic() + (self._seconds if self._until is None else 0)
        self._leaving.begin()
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop listening; uvicorn asks ten times a second."""
        stopping = await super().on_tick(counter)
        if not stopping or self.force_exit:
            return stopping
        if not self._told:
            self._told = True
            _log.info("leaving", drain_seconds=self._seconds)
            end_within(LONGEST_SECONDS)
        return self._until is None or time.monotonic() >= self._until


def end_within(seconds: float) -> None:
    """Ends this process so many seconds from now if it has not ended by itself, whatever it hangs at."""

    def end() -> None:
        _log.error("did not end in time", seconds=seconds)
        os._exit(128 + signal.SIGTERM)

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()

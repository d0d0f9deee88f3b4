"""Rings at open inbox streams: one listening connection for the whole process, one bell for each stream."""

import asyncio
import signal
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from lianhu_kit.database import Listener, listening
from notifications_service.handlers.deliver import MESSAGES_CHANNEL

_LISTEN_SECONDS = 3600.0


class Bell:
    """What one stream waits at."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._stopped = False

    def ring(self) -> None:
        """Something came."""
        self._rung.set()

    def stop(self) -> None:
        """The service stops: the stream is to end."""
        self._stopped = True
        self._rung.set()

    async def rings_before(self, ends: float) -> bool:
        """Waits for the next ring; False at the end (the loop's clock, seconds) and when the service stops."""
        if not self._stopped:
            try:
                async with asyncio.timeout_at(ends):
                    await self._rung.wait()
            except TimeoutError:
                return False
        self._rung.clear()
        return not self._stopped


class Doorbells:
    """All bells, by person."""

    def __init__(self) -> None:
        self._bells: defaultdict[UUID, set[Bell]] = defaultdict(set)
        self._stopped = False

    @contextmanager
    def of(self, person: UUID) -> Iterator[Bell]:
        """A bell for a stream of this person, for as long as the stream is open."""
        bell = Bell()
        if self._stopped:
            bell.stop()
        self._bells[person].add(bell)
        try:
            yield bell
        finally:
            self._bells[person].discard(bell)
            if not self._bells[person]:
                del self._bells[person]

    async def keep_ringing(self, listener: Listener) -> None:
        """Rings for whom the notices name; for all where they name nobody: then the connection is new."""
        while True:
            if not await listener.wait(_LISTEN_SECONDS):
                continue
            payloads, listener.payloads = listener.payloads, set()
            named = {UUID(one) for payload in payloads for one in payload.split(",")}
            for person in named or set(self._bells):
                for bell in self._bells.get(person, ()):
                    bell.ring()

    def stop(self) -> None:
        """Ends all streams, and those that are opened from now on."""
        self._stopped = True
        for bells in self._bells.values():
            for bell in bells:
                bell.stop()


@asynccontextmanager
async def answering(app: FastAPI) -> AsyncIterator[None]:
    """The bells of an application, for as long as it runs."""
    bells = app.state.doorbells = Doorbells()
    database = app.state.database
    async with listening(database.url, MESSAGES_CHANNEL, database.application_name) as listener:
        ringing = asyncio.create_task(bells.keep_ringing(listener), name="doorbells")
        try:
            with _stopping_at_signals(bells):
                yield
        finally:
            bells.stop()
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)


@contextmanager
def _stopping_at_signals(bells: Doorbells) -> Iterator[None]:
    """Ends the streams at SIGTERM: the server waits for open answers before it ends the application's lifespan."""
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def ended(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(bells.stop)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, ended)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)

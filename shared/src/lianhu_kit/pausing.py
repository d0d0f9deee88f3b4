"""Waiting that a stop can end, and pauses that grow with the failures."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from tenacity import RetryCallState, wait_exponential_jitter

from lianhu_kit.logs import logger

_log = logger(__name__)


class Backoff:
    """Growing pauses with jitter: `await pause(stop)` after each failure, `reset()` after a success."""

    def __init__(self, first: float = 0.2, longest: float = 5.0) -> None:
        self._wait = wait_exponential_jitter(multiplier=first, max=longest, jitter=first)
        self.failures = 0

    async def pause(self, stop: asyncio.Event) -> None:
        """Waits for the next pause or until told to stop."""
        self.failures += 1
        state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
        state.attempt_number = self.failures
        await pause(stop, self._wait(state))

    def reset(self) -> None:
        """Begins again with the first pause."""
        self.failures = 0


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def until_stopped(waiting: Awaitable[Any], stop: asyncio.Event) -> None:
    """Waits for `waiting` or for the stop, whichever comes first; the other is cancelled."""
    tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def end_quietly(ending: Awaitable[Any], seconds: float = 3) -> bool:
    """Ends a client with a deadline: with its peer away, it would hang or raise. Whether it ended by itself."""
    try:
        await asyncio.wait_for(ending, seconds)
    except Exception as error:
        _log.info("client did not end cleanly", error=type(error).__name__)
        return False
    return True

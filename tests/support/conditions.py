"""Waiting for what must come true, instead of sleeping for luck."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Answer = TypeVar("Answer")
# Costs nothing where the condition comes true; stores in containers on a crowded machine took over 20 s.
PATIENCE = 60.0


async def eventually(
    condition: Callable[[], Awaitable[Answer]], timeout: float = PATIENCE, pause: float = 0.05
) -> Answer:
    """Repeats an async function until its answer is truthy, and returns that answer.

    An AssertionError inside it counts as "not yet". After `timeout` seconds it fails the test.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = await condition()
        except AssertionError as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        await asyncio.sleep(pause)
    cause = last if isinstance(last, AssertionError) else None
    raise AssertionError(f"not within {timeout} s: {last!r}") from cause

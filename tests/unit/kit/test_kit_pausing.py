"""Pauses that grow, and waits that a stop ends."""

import asyncio
import warnings
from itertools import pairwise

import pytest

from lianhu_kit.pausing import Backoff, end_quietly, pause, until_stopped


async def test_pauses_grow_up_to_a_bound_and_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from lianhu_kit import pausing

    waited: list[float] = []

    async def note(_stop: asyncio.Event, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(pausing, "pause", note)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backoff = Backoff(first=0.2, longest=5)
    for _ in range(12):
        await backoff.pause(asyncio.Event())
    assert 0.2 <= waited[0] <= 0.4
    assert all(later > earlier for earlier, later in pairwise(waited[:5]))
    assert waited[-1] == 5
    backoff.reset()
    await backoff.pause(asyncio.Event())
    assert waited[-1] <= 0.4


async def test_a_stop_ends_every_wait_at_once() -> None:
    stop = asyncio.Event()
    cancelled = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    waits = asyncio.gather(pause(stop, 60), until_stopped(long(), stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(waits, 1)
    assert cancelled.is_set()


async def test_an_end_that_hangs_or_fails_is_told_and_not_raised() -> None:
    async def fails() -> None:
        raise OSError

    assert await end_quietly(asyncio.sleep(60), 0.01) is False
    assert await end_quietly(fails()) is False
    assert await end_quietly(asyncio.sleep(0)) is True

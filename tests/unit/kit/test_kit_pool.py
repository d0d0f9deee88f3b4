"""Who waits for a connection is served in turn."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.queue import Empty, Full

from lianhu_kit.pool import FairQueue


def queue(*idle: Any, size: int = 2) -> Any:
    """A queue with these lying by; texts stand for connections."""
    made: Any = FairQueue(size, use_lifo=True)
    for one in idle:
        made.put(one)
    return made


async def waiting(of: Any, seconds: float | None = None) -> "asyncio.Task[Any]":
    """Somebody who waits."""
    task = asyncio.create_task(greenlet_spawn(of.get, True, seconds))
    await asyncio.sleep(0)
    return task


async def test_what_is_given_back_goes_to_who_waited_longest_and_never_to_a_newcomer() -> None:
    held = queue()
    first, second = await waiting(held), await waiting(held)
    held.put("one")
    with pytest.raises(Empty):
        held.get_nowait()  # the newcomer of the same moment
    third = await waiting(held)
    held.put("two")
    held.put("three")
    assert [await task for task in (first, second, third)] == ["one", "two", "three"]
    assert held.empty()


async def test_the_latest_used_is_taken_first_and_no_more_are_kept_than_fit() -> None:
    held = queue("one", "two")
    assert (held.qsize(), held.full()) == (2, True)
    with pytest.raises(Full):
        held.put("three")
    assert [held.get(False), held.get(False)] == ["two", "one"]


async def test_who_leaves_takes_nothing_along() -> None:
    held = queue()
    tired, patient = await waiting(held, 0.01), await waiting(held)
    with pytest.raises(Empty):
        await tired
    held.put("one")
    assert await patient == "one"
    leaving, staying = await waiting(held), await waiting(held)
    held.put("two")  # in the moment in which the one it is for leaves
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert leaving.cancelled()
    assert await asyncio.wait_for(staying, 5) == "two"

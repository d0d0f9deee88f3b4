"""A rebuild of reporting while people read, and topics that are published again."""

import asyncio
import json
import re
from typing import Any

import httpx

from support.system import System

TOWN = "441702008"


async def _shown(system: System, client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(
        f"{system.url('reporting')}/v1/tallies", params={"org": TOWN}, headers=system.bearer("supervisor", TOWN)
    )
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_replay_twice_gives_the_same_while_people_read(system: System, demo: object) -> None:
    checksums: list[str] = []
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        before = (await _shown(system, client))["total"]["submitted"]
        assert before > 0
        for _ in range(2):
            replay = asyncio.create_task(asyncio.to_thread(system.lianhu, "replay", "reporting", seconds=200))
            reads = 0
            while not replay.done():
                assert (await _shown(system, client))["total"]["submitted"] >= before
                reads += 1
                await asyncio.sleep(0.02)
            done = replay.result()
            assert done.returncode == 0, done.stdout + done.stderr
            found = re.findall(r"\b[0-9a-f]{32,64}\b", done.stdout)
            assert len(found) >= 2, done.stdout
            assert len(set(found)) == 1, done.stdout
            checksums += found
            assert reads > 3
    assert checksums


async def test_refill_of_both_topics_changes_nothing(system: System, demo: object) -> None:
    async def state() -> object:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return _stable(await _shown(system, client))

    before = await state()
    for topic in ("lianhu.requests.v1", "lianhu.dispatch.v1"):
        done = await asyncio.to_thread(system.lianhu, "refill", topic, seconds=120)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(system.events(["lianhu.requests.v1"])) > 0
    await _caught_up(system)
    assert await state() == before


def _stable(tallies: dict[str, Any]) -> object:
    """What only events move: not the time of reading, nor what depends on it."""
    total = tallies["total"]
    return {
        "submitted": total["submitted"],
        "now": {k: v for k, v in total["now"].items() if k != "overdue"},
        "ever": total["ever"],
    }


async def _caught_up(system: System) -> None:
    """Waits until no consumer has lag."""
    for _ in range(200):
        done = await asyncio.to_thread(system.lianhu, "lag", "--json", seconds=60)
        if done.returncode == 0 and not any(_lags(json.loads(done.stdout))):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("consumers did not catch up")


def _lags(value: object) -> list[int]:
    if isinstance(value, dict):
        own = [v for k, v in value.items() if k == "lag" and isinstance(v, int)]
        return own + [lag for v in value.values() for lag in _lags(v)]
    if isinstance(value, list):
        return [lag for v in value for lag in _lags(v)]
    return []

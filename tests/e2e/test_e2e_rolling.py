"""A service is changed while it is used: its processes end and start one after the other, and nobody notices."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import httpx

from lianhu_tools.looks.databases import ask
from support.conditions import eventually
from support.replicas import Replica, RoundRobin, ended, started, told
from support.settlement import Settlement
from support.system import System, headers_of, key_of

CLIENTS = 6
LONGEST_PAUSE = 60.0


@dataclass
class Load:
    """Clients with kept connections that call without a break and never repeat a call; what became of each."""

    url: str
    system: System
    place: Settlement
    accepting: bool = False
    pause: float = 0.1
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Calls while the block runs; each client ends with its last answer."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._client(stop)) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def calls(self, more: int) -> None:
        """Waits until so many more calls have ended."""
        until = len(self.seconds) + more
        await eventually(lambda: _reached(self.seconds, until), timeout=60)

    async def _client(self, stop: asyncio.Event) -> None:
        clerk = self.system.bearer("clerk", self.place.tenant, self.place.clerk)
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            while not stop.is_set():
                answer = await self._call(client, "POST", "/v1/requests", 201, json=self.place.order())
                if answer is not None:
                    request = answer.json()["id"]
                    self.placed.append(request)
                    if self.accepting:
                        body = {"summary": "搬一个旧柜子", "grid": self.place.grid}
                        await self._call(
                            client, "POST", f"/v1/requests/{request}/accept", 200, json=body, headers=clerk
                        )
                    else:
                        await self._call(client, "GET", f"/v1/requests/{request}", 200, headers=clerk)
                await asyncio.sleep(self.pause)

    async def _call(
        self, client: httpx.AsyncClient, method: str, path: str, right: int, **more: object
    ) -> httpx.Response | None:
        began = time.monotonic()
        try:
            answer = await client.request(method, path, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return None
        finally:
            self.seconds.append(time.monotonic() - began)
        if answer.status_code != right:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer


async def _reached(calls: list[float], number: int) -> bool:
    return len(calls) >= number


async def test_no_call_fails_while_an_api_is_changed(system: System, settlement: Settlement) -> None:
    took = []
    drain = {"LIANHU_DRAIN_SECONDS": "1"}
    one, two = (Replica(system, "requests", "api", **drain) for _ in range(2))
    async with started(one, two), RoundRobin([one.port, two.port]) as robin:
        load = Load(robin.url, system, settlement)
        async with load.going_on():
            await load.calls(40)
            for replica in (one, two):
                took.append(await replica.end())
                before = robin.given[replica.port]
                await load.calls(40)
                assert robin.given[replica.port] == before, "the round robin sent somebody to one that had gone"
                await replica.start()
                await eventually(lambda: _is_ready(robin, replica), timeout=20)  # noqa: B023 - awaited here
    assert not load.failed
    assert min(robin.given.values()) > 1, "both took connections"
    assert set(load.placed) <= await _stored(system, settlement)
    figures: dict[str, object] = {"calls": len(load.seconds), "failed": len(load.failed), **_spread(load.seconds)}
    _say("API of requests, two replicas", figures | {"ends after s": max(took)})


async def test_no_event_is_lost_while_a_worker_is_changed(system: System, settlement: Settlement) -> None:
    load = Load(system.url("requests"), system, settlement, accepting=True, pause=0.5)
    second = Replica(system, "dispatch", "worker")
    async with started(second), load.going_on():
        await load.calls(40)
        own = system.pid("dispatch", "worker")
        took = [await ended(own)]
        await load.calls(40)
        await asyncio.to_thread(system.ready, "dispatch", "worker")
        assert system.pid("dispatch", "worker") != own
        took.append(await second.end())
        await load.calls(40)
        await second.start()
        await load.calls(20)
    assert not load.failed

    async def routed() -> bool:
        sql = "SELECT count(DISTINCT request_id) FROM assignments WHERE tenant = $1"
        return bool(await ask(system.topology, "dispatch", sql, settlement.tenant) == len(load.placed))

    await eventually(routed, timeout=60)
    waits = await eventually(lambda: _waits(system, set(load.placed)), timeout=60)
    assert waits is not None
    moments = sorted(waits)
    pause = max(later - earlier for earlier, later in pairwise(moments))
    assert pause < LONGEST_PAUSE
    figures: dict[str, object] = {"orders": len(waits), "lost": 0, "longest time without any event s": pause}
    figures |= {"median delay s": statistics.median(waits.values()), "longest delay s": max(waits.values())}
    _say("worker of dispatch, two replicas", figures | {"ends after s": max(took)})


async def _is_ready(robin: RoundRobin, replica: Replica) -> bool:
    return replica.port in robin.ready


async def _waits(system: System, orders: set[str]) -> dict[float, float] | None:
    """When dispatch's answer to each order came on its topic, and after how many seconds; None while one is missing.

    Events stand on their topic in order and without a gap.
    """
    asked: dict[str, float] = {}
    routed: dict[str, float] = {}
    sequences: dict[str, list[int]] = {}
    for message in await asyncio.to_thread(system.events, ["lianhu.requests.v1", "lianhu.dispatch.v1"]):
        key, headers = key_of(message), headers_of(message)
        if key not in orders:
            continue
        if headers["ce_type"] == "lianhu.request.dispatch-requested.v1":
            asked.setdefault(key, datetime.fromisoformat(headers["ce_time"]).timestamp())
        elif headers["ce_type"] == "lianhu.dispatch.routed.v1":
            routed.setdefault(key, message.timestamp()[1] / 1000)
        if message.topic() == "lianhu.dispatch.v1":
            seen = sequences.setdefault(key, [])
            if int(headers["ce_sequence"]) not in seen:
                seen.append(int(headers["ce_sequence"]))
    if set(routed) != orders:
        return None
    assert all(seen == list(range(1, len(seen) + 1)) for seen in sequences.values())
    return {routed[key]: routed[key] - asked[key] for key in orders}


async def _stored(system: System, place: Settlement) -> set[str]:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return await place.requests(system, client)


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"p50 s": statistics.median(ordered), "p99 s": ordered[len(ordered) * 99 // 100], "longest s": ordered[-1]}


def _say(what: str, figures: Mapping[str, object]) -> None:
    print(f"\nrolling restart, {what}: {told(figures)}")

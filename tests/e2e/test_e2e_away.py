"""Something that others stand on is away: the rest goes on, and what was accepted arrives when it is back."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from support.conditions import eventually
from support.settlement import Settlement
from support.system import System, key_of


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that is there and answers nobody."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_with_the_broker_away_commands_succeed_and_events_arrive_later(
    system: System, settlement: Settlement
) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        placed: list[str] = []
        with frozen(system.pid("kafka")):
            for _ in range(10):
                began = time.monotonic()
                answer = await client.post(f"{system.url('requests')}/v1/requests", json=settlement.order())
                assert answer.status_code == 201, answer.text
                assert time.monotonic() - began < 5
                placed.append(answer.json()["id"])
            accept = await client.post(
                f"{system.url('requests')}/v1/requests/{placed[0]}/accept",
                json={"summary": "帮忙修水龙头", "route": "none"},
                headers=system.bearer("clerk", settlement.tenant, settlement.clerk),
            )
            assert accept.status_code == 200, accept.text

            async def kept() -> bool:
                port = system.topology.worker_port("requests")
                shown = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                waiting = re.search(r'lianhu_outbox_events\{service="requests"\} (\d+)', shown)
                return waiting is not None and int(waiting[1]) >= len(placed)

            await eventually(kept, timeout=30)  # nothing has left: the events wait in the outbox

        async def counted() -> bool:
            seen = {key_of(message) for message in await asyncio.to_thread(system.events, ["lianhu.requests.v1"])}
            return set(placed) <= seen

        await eventually(counted, timeout=60, pause=1)


async def test_with_requests_away_the_others_go_on(system: System, settlement: Settlement) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        assignment = await settlement.offered(system, client)
        person = settlement.volunteers[0]
        with frozen(system.pid("requests", "api")), frozen(system.pid("requests", "worker")):
            claim = await client.post(
                f"{system.url('dispatch')}/v1/assignments/{assignment}/claim",
                headers=system.bearer("volunteer", settlement.tenant, person),
            )
            assert claim.status_code == 200, claim.text
            inbox = await client.get(
                f"{system.url('notifications')}/v1/inbox",
                headers=system.bearer("volunteer", settlement.tenant, person),
            )
            assert inbox.status_code == 200
            clerk = system.bearer("clerk", settlement.tenant)
            tallies = await client.get(
                f"{system.url('reporting')}/v1/tallies", params={"org": settlement.tenant}, headers=clerk
            )
            assert tallies.status_code == 200
            told = await client.get(
                f"{system.url('reporting')}/v1/reconciliation", params={"org": settlement.tenant}, headers=clerk
            )
            assert told.json()["balanced"] is None
            assert "requests" in str(told.json()["unavailable"])


async def test_with_the_database_away_nothing_is_half_done(system: System, settlement: Settlement) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        before = await settlement.requests(system, client)
        pid = system.pid("postgres")
        refused, placed = 0, set()
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = await client.post(f"{system.url('requests')}/v1/requests", json=settlement.order())
            if answer.status_code == 201:
                placed.add(answer.json()["id"])
                if refused:
                    break
            else:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
                refused += 1
        assert refused > 0, "the database was never missed"
        assert placed, "it never came back"
        await asyncio.to_thread(system.all_ready)
        assert await settlement.requests(system, client) == before | placed

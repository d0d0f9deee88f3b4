"""Rate limits over two replicas of requests: together they let through what one of them may."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle

import asyncpg
import httpx
import pytest

from integration.security.served import Served, plain_order, serve
from lianhu_tools.processes import end, free_port
from requests_service.api.doors import network_of

ORDERS, TRACKS = 5, 4


@pytest.fixture
async def replicas(served: Served) -> AsyncIterator[list[str]]:
    """Two more APIs of requests over the same database, with limits of a few a minute."""
    ports = [free_port(), free_port()]
    processes = []
    for port in ports:
        environment = {
            **served.environments["requests"],
            "REQUESTS_PORT": str(port),
            "REQUESTS_ORDERS_PER_MINUTE": str(ORDERS),
            "REQUESTS_TRACKS_PER_MINUTE": str(TRACKS),
        }
        command = [sys.executable, "-m", "requests_service", "api"]
        processes.append(serve(command, environment, served.folder / f"replica-{port}.log"))
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        await asyncio.gather(*(served.ready(address) for address in addresses))
        yield addresses
    finally:
        for process in processes:
            end(process)


def _within(limit: int, began: float) -> range:
    """How many calls may have been let through by now: at once as many as the limit says, then one every so often."""
    return range(limit, limit + 1 + int((time.monotonic() - began) * limit / 60) + 1)


async def test_two_replicas_let_through_what_one_may(replicas: list[str], home: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        turn = cycle(replicas)

        async def order(address: str) -> httpx.Response:
            headers = {"X-Forwarded-For": address}
            return await client.post(f"{next(turn)}/v1/requests", json=plain_order(home), headers=headers)

        began = time.monotonic()
        answers = await asyncio.gather(*(order("203.0.113.7") for _ in range(30)))
        counted = Counter(answer.status_code for answer in answers)
        assert set(counted) == {201, 429}
        assert counted[201] in _within(ORDERS, began)
        for answer in answers:
            if answer.status_code == 429:
                assert 1 <= int(answer.headers["retry-after"]) <= 60
        # Who says that they come from elsewhere is believed only what the proxy in front adds: the last address.
        spoofed = await asyncio.gather(*(order(f"198.51.100.{n}, 203.0.113.7") for n in range(30)))
        assert sum(answer.status_code == 201 for answer in (*answers, *spoofed)) in _within(ORDERS, began)
        # The /64 that a household has is one caller; another household is not hindered.
        began = time.monotonic()
        six = await asyncio.gather(*(order(f"2001:db8:1:2::{n:x}") for n in range(1, 31)))
        assert sum(answer.status_code == 201 for answer in six) in _within(ORDERS, began)
        assert (await order("203.0.113.8")).status_code == 201


async def test_guessing_numbers_ends_soon(served: Served, replicas: list[str], home: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        placed = (await client.post(f"{served.url('requests')}/v1/requests", json=plain_order(home))).json()
        turn = cycle(replicas)

        async def guess(code: str) -> int:
            url = f"{next(turn)}/v1/track/{placed['number']}"
            headers = {"X-Forwarded-For": "203.0.113.99"}
            return (await client.get(url, params={"tenant": home, "code": code}, headers=headers)).status_code

        began = time.monotonic()
        counted = Counter(await asyncio.gather(*(guess(f"{n:06d}") for n in range(100))))
        assert set(counted) == {404, 429}
        assert counted[404] in _within(TRACKS, began)
    print(f"100 guesses at two replicas with a limit of {TRACKS}: {dict(counted)}")


async def test_an_address_is_kept_as_a_keyed_hash_alone(served: Served, replicas: list[str], home: str) -> None:
    url = f"{replicas[0]}/v1/track/10000007?tenant={home}&code=AAAAAA"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await client.get(url, headers={"X-Forwarded-For": "203.0.113.50"})
    connection = await asyncpg.connect(served.databases["requests"].api)
    try:
        rows = await connection.fetch("SELECT what, caller FROM rates")
    finally:
        await connection.close()
    assert rows
    assert all(len(row["caller"]) == 16 for row in rows)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_whom_an_address_belongs_to(address: str, network: str) -> None:
    assert network_of(address) == network

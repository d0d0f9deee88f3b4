"""Every process ended as a crash would end it, in turn, while orders run through: nothing is lost or counted twice."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx

from lianhu_tools.topology import SERVICES
from support.settlement import Settlement
from support.system import System, headers_of, key_of

ORDERS = 500
VICTIMS = [(service, role) for service in SERVICES for role in ("api", "worker")] + [
    ("kafka", None),
    ("postgres", None),
    ("gateway", None),
]


async def _order(system: System, client: httpx.AsyncClient, place: Settlement, key: str) -> str | None:
    """Orders as a real client would: with one key, again while there is no answer. None when it was refused."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            answer = await client.post(
                f"{system.url('requests')}/v1/requests",
                json=place.order(),
                headers={"Idempotency-Key": key},
                timeout=10,
            )
        except httpx.TransportError:
            await asyncio.sleep(0.25)
            continue
        if answer.status_code == 201:
            return str(answer.json()["id"])
        assert answer.status_code in (409, 503), answer.text
        await asyncio.sleep(0.25)
    return None


async def test_nothing_accepted_is_lost_or_doubled(system: System, settlement: Settlement) -> None:
    accepted: list[str] = []
    rest = [str(uuid4()) for _ in range(ORDERS)]
    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=20)) as client:

        async def clients() -> None:
            while rest:
                key = rest.pop()
                placed = await _order(system, client, settlement, key)
                assert placed is not None
                accepted.append(placed)
                await asyncio.sleep(0.2)  # so that the orders last as long as the kills

        async def killer() -> None:
            for name, role in VICTIMS:
                await asyncio.to_thread(system.kill, name, role)
                await asyncio.sleep(1)

        await asyncio.gather(killer(), *(clients() for _ in range(5)))
        await asyncio.to_thread(system.all_ready)
        assert len(accepted) == len(set(accepted)) == ORDERS
        await _all_counted(system, client, settlement, set(accepted))
    _sequences_gapless(system, set(accepted))
    await _told_once(system, settlement, set(accepted))


async def _all_counted(system: System, client: httpx.AsyncClient, place: Settlement, accepted: set[str]) -> None:
    for _ in range(240):
        try:
            answer = await client.get(
                f"{system.url('reporting')}/v1/reconciliation",
                params={"org": place.tenant},
                headers=system.bearer("clerk", place.tenant),
                timeout=20,
            )
            told = answer.json()
            if answer.status_code == 200 and told["balanced"] and told["submitted"] == len(accepted):
                break
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.5)
    else:
        raise AssertionError(f"not balanced: {answer.text[:500]}")
    stored = await place.requests(system, client)
    assert accepted == stored
    now = told["now"]
    assert sum(now[status] for status in ("open", "rejected", "referred", "merged", "withdrawn", "transferred",
                                          "closed_confirmed", "closed_unconfirmed")) == len(accepted)  # fmt: skip


def _sequences_gapless(system: System, accepted: set[str]) -> None:
    sequences: dict[str, set[int]] = {}
    ids: dict[tuple[str, int], set[str]] = {}
    for message in system.events(["lianhu.requests.v1"]):
        key, headers = key_of(message), headers_of(message)
        if key in accepted:
            number = int(headers["ce_sequence"])
            sequences.setdefault(key, set()).add(number)
            ids.setdefault((key, number), set()).add(headers["ce_id"])
    assert set(sequences) == accepted
    for key, numbers in sequences.items():
        assert numbers == set(range(1, len(numbers) + 1)), key
    assert all(len(found) == 1 for found in ids.values())


async def _told_once(system: System, place: Settlement, accepted: set[str]) -> None:
    """The clerk's inbox names each order once."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        for _ in range(120):
            told = await place.inbox(system, client, place.clerk)
            orders = Counter(row["request_id"] for row in told if row["template"] == "request-new")
            if set(orders) >= accepted:
                break
            await asyncio.sleep(0.5)
        assert {request for request, times in orders.items() if times != 1} == set()
        assert accepted <= set(orders)

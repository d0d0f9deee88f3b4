"""Placing orders over HTTP: the real service, the bare handler and the textbook's, one process each."""

import statistics
from collections import Counter
from itertools import cycle, islice
from uuid import uuid4

import httpx

from bench.house import House, Process, bearer
from bench.ratios import Contender, Ratio, interleaved, median_ratio
from bench.wire import call, drive
from support import village

ORDERS = 600
CONNECTIONS = 16
LIMITS = {"contact": {"seconds": 3600}, "finish": {"seconds": 86_400}, "confirm": {"seconds": 7200}}


async def furnish(process: Process, place: str) -> None:
    """A village with one service, told to the requests service."""
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{process.port}", headers=bearer("admin", place), trust_env=False
    ) as client:
        unit = {"code": place, "name": "示例村", "settings": {"always_working": True}}
        service = {"tenant": place, "code": "tap", "name": "水龙头", "kind": "convenience", "limits": LIMITS}
        for path, item in (("/v1/org-units", unit), ("/v1/services", service)):
            (await client.put(path, json={"items": [item]})).raise_for_status()


def order(place: str, headers: dict[str, str]) -> bytes:
    """An order as it goes over the wire, each with a key of its own."""
    body = {
        "tenant": place, "service": "tap", "text": "厨房的水龙头一直滴水,想请人上门看看。",
        "contact": {"name": "示例居民", "phone": "13900000000"},
    }  # fmt: skip
    return call("POST", "/v1/requests", {**headers, "idempotency-key": str(uuid4())}, body)


async def measure(house: House, rounds: int) -> list[Ratio]:
    """Orders a second of each, in turns: from as many clerks as there are connections, and each from another caller."""
    place = village()
    clerks = [bearer("clerk", place) for _ in range(CONNECTIONS)]
    real = await house.service("requests", "api", (await house.database("requests")).api)
    await furnish(real, place)
    bare = await house.floor("intake_bare", house.all_of((await house.database("requests")).owner))
    textbook = await house.floor("intake_textbook", house.empty_database("textbook"))
    again: Counter[str] = Counter()

    def placing(process: Process, orders: int = ORDERS, *, strangers: bool = False) -> Contender:
        async def once() -> float:
            callers = [bearer("clerk", place) for _ in range(orders)] if strangers else clerks
            calls = [order(place, headers) for headers in islice(cycle(callers), orders)]
            done = await drive(process.port, calls, CONNECTIONS)
            again[process.name] += done.again
            if set(done.statuses) != {201}:
                raise RuntimeError(f"{process.name} answered {dict(done.statuses)}")
            return done.rate

        return once

    for process in (real, bare, textbook):  # the first calls fill pools and prepare statements
        await placing(process, 300)()
    contenders = {
        "ours": placing(real), "bare": placing(bare), "textbook": placing(textbook),
        "ours, each caller new": placing(real, strangers=True),
    }  # fmt: skip
    rates = await interleaved(rounds, contenders)
    told = ", ".join(f"{name} {statistics.median(values):.0f}/s" for name, values in rates.items())
    told += f"; answered 503 and made again: {again[real.name]}"
    ours, new = rates["ours"], rates["ours, each caller new"]
    return [
        Ratio("intake / bare handler", median_ratio(ours, rates["bare"]), 0.6, None, rounds, told),
        Ratio("intake / textbook handler", median_ratio(ours, rates["textbook"]), 1.8, None, rounds, told),
        Ratio("intake / bare, no token seen before", median_ratio(new, rates["bare"]), None, None, rounds, told),
    ]

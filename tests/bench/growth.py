"""The same calls among ten thousand, a hundred thousand and a million requests, each answered by one process alone."""

import math
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg

from bench.crowds import BIG, COUNTY, ORDINARY, fill, someone
from bench.house import House, bearer
from bench.intake import furnish, order
from bench.ratios import Contender, Ratio, interleaved, median_ratio
from bench.wire import Line, call

ROUNDS = 5
ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
CALLS = 25
FEW = 3  # of those that are told and not promised: they may take seconds
MOST = 1.3
VILLAGES = {"a village": ORDINARY, "the big village": BIG}
Connection: TypeAlias = "asyncpg.Connection[Any]"
Prepare = Callable[[Connection, int], Awaitable[list[bytes]]]


@dataclass(frozen=True)
class Asked:
    """One kind of call: its name, how so many of it are made ready, and whether it is promised not to grow."""

    name: str
    prepare: Prepare
    status: int = 200
    promised: bool = True


def reading(name: str, path: str, headers: dict[str, str], *, promised: bool = True) -> Asked:
    """A call that only reads."""

    async def prepare(_: Connection, count: int) -> list[bytes]:
        return [call("GET", path, headers)] * count

    return Asked(name, prepare, promised=promised)


def intake(where: str, place: str) -> Asked:
    """Orders of a village's clerk."""
    headers = bearer("clerk", place)

    async def prepare(_: Connection, count: int) -> list[bytes]:
        return [order(place, headers) for _ in range(count)]

    return Asked(f"intake in {where}", prepare, status=201)


def claiming(where: str, place: str) -> Asked:
    """Claims of one of a village's people, each of an assignment that was offered to them a moment ago."""
    headers = bearer("volunteer", place, someone(place))

    async def prepare(rows: Connection, count: int) -> list[bytes]:
        new = [uuid4() for _ in range(count)]
        await rows.execute(
            "INSERT INTO requests (id, tenant, number, service, kind, summary, round, sequence, opened_at) "
            "SELECT id, $2, '12345678', 'tap', 'convenience', '', 1, 1, now() FROM unnest($1::uuid[]) AS id",
            new,
            place,
        )
        await rows.execute(
            """
            INSERT INTO assignments (id, request_id, tenant, round, service, summary, route, urgent, minor, places,
                taken, state, wave, limits, excluded, opened_at)
            SELECT id, id, $2, 1, 'tap', '', 'volunteers', false, false, 1, 0, 'offered', 1,
                '{"contact": null, "finish": null}', '[]', now() FROM unnest($1::uuid[]) AS id
            """,
            new,
            place,
        )
        await rows.execute(
            "INSERT INTO offers (assignment_id, person, tenant, wave, why, offered_at) "
            "SELECT id, $3, $2, 1, '{}', now() FROM unnest($1::uuid[]) AS id",
            new,
            place,
            someone(place),
        )
        return [call("POST", f"/v1/assignments/{id}/claim", headers) for id in new]

    return Asked(f"claim in {where}", prepare)


def of_requests() -> list[Asked]:
    """What is asked of the requests service."""
    asked = [intake(where, place) for where, place in VILLAGES.items()]
    for where, place in VILLAGES.items():
        asked.append(reading(f"clerk's list in {where}", "/v1/requests", bearer("clerk", place)))
        path = "/v1/requests?status=submitted"
        asked.append(reading(f"clerk's new ones in {where}", path, bearer("clerk", place)))
    return asked


def of_dispatch() -> list[Asked]:
    """What is asked of dispatch."""
    asked = [claiming(where, place) for where, place in VILLAGES.items()]
    for where, place in VILLAGES.items():
        # Not the one who claims: claimed work is nobody's offer any more.
        headers = bearer("volunteer", place, someone(place, 1))
        asked.append(reading(f"volunteer's list in {where}", "/v1/assignments?mine=offered", headers))
    return asked


def of_reporting() -> list[Asked]:
    """What is asked of reporting; a span of all time grows with what happened in it."""
    month = f"from={datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}&to={datetime.now(UTC):%Y-%m-%d}"
    asked = [
        reading(f"tallies of a month in {where}", f"/v1/tallies?org={place}&{month}", bearer("clerk", place))
        for where, place in VILLAGES.items()
    ]
    clerk = bearer("clerk", BIG)
    for name, path, headers in (
        ("tallies of all time in the big village", f"/v1/tallies?org={BIG}", clerk),
        ("what happened in a month in the big village", f"/v1/tallies?org={BIG}&{month}&basis=happened", clerk),
        ("tallies of a month of all villages", f"/v1/tallies?org={COUNTY}&{month}", bearer("supervisor", COUNTY)),
    ):
        asked.append(reading(name, path, headers, promised=False))
    return asked


SERVICES = {"requests": of_requests, "dispatch": of_dispatch, "reporting": of_reporting}


async def measure(house: House, rounds: int) -> list[Ratio]:
    """The median time of a call one after another, at each size in turns; wanted of the largest beside the smallest."""
    ratios = []
    for service, asked_of in SERVICES.items():
        ratios += await _of_service(house, service, asked_of(), rounds)
        house.end_processes()
    return ratios


async def _of_service(house: House, service: str, all_asked: Sequence[Asked], rounds: int) -> list[Ratio]:
    sizes = [ROWS // 100, ROWS // 10, ROWS]
    stores, ports = {}, {}
    for size in sizes:
        began = time.perf_counter()
        urls = await house.database(service)
        stores[size] = await house.connect(urls.owner)
        await fill(stores[size], service, size)
        process = await house.service(service, "api", urls.api)
        if service == "requests":
            for place in VILLAGES.values():
                await furnish(process, place)
        ports[size] = process.port
        print(f"  {service}: {size:,} requests made in {time.perf_counter() - began:.0f} s", flush=True)
    ratios = []
    for asked in all_asked:
        contenders = {_short(size): _calling(ports[size], stores[size], asked) for size in sizes}
        try:
            for contender in contenders.values():
                await contender()
        except RuntimeError as error:
            if asked.promised:
                raise
            ratios.append(Ratio(asked.name, math.nan, figures=str(error)[:120]))
            continue
        taken = await interleaved(rounds if asked.promised else min(rounds, 3), contenders)
        figures = ", ".join(f"{size} {statistics.median(values):.1f} ms" for size, values in taken.items())
        ratio = median_ratio(taken[_short(sizes[-1])], taken[_short(sizes[0])])
        name = f"{asked.name}, {_short(sizes[-1])} / {_short(sizes[0])}"
        most, took = (MOST, rounds) if asked.promised else (None, min(rounds, 3))
        ratios.append(Ratio(name, ratio, None, most, took, figures))
        print(f"  {name}: {ratio:.2f} ({figures})", flush=True)
    for rows in stores.values():
        await rows.close()
    return ratios


def _calling(port: int, rows: Connection, asked: Asked) -> Contender:
    async def once() -> float:
        taken = []
        ready = await asked.prepare(rows, CALLS if asked.promised else FEW)
        line = await Line.to(port)  # a new one each time: a server ends those that rest
        for wire in ready:
            began = time.perf_counter()
            status, body = await line.ask(wire)
            taken.append((time.perf_counter() - began) * 1000)
            if status != asked.status:
                raise RuntimeError(f"{asked.name} was answered {status}: {body.decode()}")
        line.close()
        return statistics.median(taken)

    return once


def _short(count: int) -> str:
    return f"{count / 1e6:g}M" if count >= 1e6 else f"{count / 1e3:g}k"

"""A thousand claims of one assignment at once: one wins, everybody has their answer; beside the conditional update."""

import statistics
from collections import Counter
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg

from bench.house import House, Process, bearer
from bench.ratios import Contender, Ratio, interleaved, median_ratio
from bench.wire import call, drive
from support import village

CLAIMS = 1000
CONNECTIONS = 64
Connection: TypeAlias = "asyncpg.Connection[Any]"


async def _people(rows: Connection, place: str) -> list[UUID]:
    people = [uuid4() for _ in range(CLAIMS)]
    await rows.execute(
        """
        INSERT INTO volunteers (id, tenant, name, roles, staff, skills, capacity, load, linking_households, active)
        SELECT id, $2, '甲*', '[]', false, '[]', 1000, 0, '[]', true FROM unnest($1::uuid[]) AS id
        """,
        people,
        place,
    )
    return people


async def _offered(rows: Connection, place: str, people: list[UUID]) -> UUID:
    """A request whose assignment is offered to all of them."""
    request, assignment = uuid4(), uuid4()
    await rows.execute(
        "INSERT INTO requests (id, tenant, number, service, kind, summary, round, sequence, opened_at) "
        "VALUES ($1, $2, '12345678', 'tap', 'convenience', '', 1, 1, now())",
        request,
        place,
    )
    await rows.execute(
        """
        INSERT INTO assignments (id, request_id, tenant, round, service, summary, route, urgent, minor, places, taken,
            state, wave, limits, excluded, opened_at)
        VALUES ($1, $2, $3, 1, 'tap', '', 'volunteers', false, false, 1, 0, 'offered', 1,
            '{"contact": null, "finish": null}', '[]', now())
        """,
        assignment,
        request,
        place,
    )
    await rows.execute(
        "INSERT INTO offers (assignment_id, person, tenant, wave, why, offered_at) "
        "SELECT $1, person, $3, 1, '{}', now() FROM unnest($2::uuid[]) AS person",
        assignment,
        people,
        place,
    )
    return assignment


async def measure(house: House, rounds: int) -> list[Ratio]:
    """The time until the last of a thousand has an answer, in turns."""
    place = village()
    ours_at, bare_at = await house.database("dispatch"), await house.database("dispatch")
    real = await house.service("dispatch", "api", ours_at.api)
    bare = await house.floor("claim_bare", house.all_of(bare_at.owner))
    stores = [await house.connect(urls.owner) for urls in (ours_at, bare_at)]
    people = [await _people(rows, place) for rows in stores]
    headers = [[bearer("volunteer", place, person) for person in some] for some in people]

    again: Counter[str] = Counter()

    def claiming(which: int, process: Process) -> Contender:
        async def once() -> float:
            assignment = await _offered(stores[which], place, people[which])
            path = f"/v1/assignments/{assignment}/claim"
            done = await drive(process.port, [call("POST", path, each) for each in headers[which]], CONNECTIONS)
            again[process.name] += done.again
            if done.statuses != {200: 1, 409: CLAIMS - 1}:
                raise RuntimeError(f"{process.name} answered {dict(done.statuses)}")
            return done.seconds

        return once

    ours, floor = claiming(0, real), claiming(1, bare)
    await ours()
    await floor()
    taken = await interleaved(rounds, {"ours": ours, "bare": floor})
    for rows in stores:
        await rows.close()
    figures = ", ".join(f"{name} {statistics.median(values):.2f} s" for name, values in taken.items())
    figures += "; answered 503 and made again: " + ", ".join(f"{again[process.name]}" for process in (real, bare))
    return [Ratio("1,000 claims / bare update", median_ratio(taken["ours"], taken["bare"]), None, 2.0, rounds, figures)]

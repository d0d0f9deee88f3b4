"""Do the reports agree with the services that own the state?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import httpx
from fastapi import APIRouter, FastAPI, Request

from lianhu_kit.access import Access, permits
from lianhu_kit.database import Database
from lianhu_kit.divisions import VILLAGE
from lianhu_kit.logs import logger
from lianhu_kit.problems import FieldError, Invalid
from reporting_service.api.spans import Asked, UnitAndSpan
from reporting_service.domain import balance
from reporting_service.domain.contribution import SUBMITTED
from reporting_service.domain.rows import row
from reporting_service.domain.statuses import STATUSES
from reporting_service.queries import holdings, snapshots, sums
from reporting_service.settings import Settings

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"])
PAUSE_SECONDS = 0.3
_log = logger(__name__)
Counts = dict[str, int]


@router.get("")
async def reconciliation(
    request: Request,
    access: Annotated[Access, permits("clerk", "supervisor", "admin")],
    asked: UnitAndSpan,
) -> dict[str, Any]:
    """Compares the tallies with the counts that requests and dispatch give under the caller's own token.

    Events travel while it reads, so where counts differ it reads again for a few seconds: a difference is one that
    every reading showed in the same direction; what else is apart in the last reading is `in_flight`. `balanced` is
    null where a service cannot be asked, false with differences, else true. Tallies are compared with facts, too.
    """
    settings: Settings = request.app.state.settings
    if len(asked.org) > VILLAGE:
        raise Invalid([FieldError("org", "The services count by village and above: send a code of at most 12 digits.")])
    org = asked.allowed(access)
    deadline = time.monotonic() + settings.settle_seconds
    readings: list[dict[tuple[str, str], tuple[int, int]]] = []
    while True:
        theirs, unavailable = await _ask_others(request, settings, asked, access.caller.token if access.caller else "")
        own = await _own(request.app.state.database, settings, org, asked)
        readings.append(
            {
                key: pair
                for service, here in (("requests", own.tallied), ("dispatch", own.assigned))
                if service in theirs
                for key, pair in balance.differing(service, here, theirs[service]).items()
            }
            | balance.differing("reporting", own.tallied, own.facts)
        )
        if not readings[-1] or time.monotonic() > deadline:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    differences = balance.standing(readings)
    balanced = False if differences else None if unavailable else True
    return {
        "org": org,
        "from": asked.span.first,
        "to": asked.span.last,
        "balanced": balanced,
        "submitted": own.submitted,
        "now": own.now,
        "in_flight": balance.in_flight(readings[-1], differences),
        "differences": [difference._asdict() for difference in differences],
        "unavailable": unavailable,
        "as_of": own.as_of,
    }


class _Own(NamedTuple):
    """What reporting has: the tallies as everyone reads them, the facts behind them, and the assignments."""

    submitted: int
    now: Counts
    tallied: Counts
    facts: Counts
    assigned: Counts
    as_of: datetime


async def _own(database: Database, settings: Settings, org: str, asked: Asked) -> _Own:
    async with database.transaction() as session:
        await snapshots.begin(session)
        reading = await snapshots.read_under(session, org, settings.zone)
        found = await sums.read(session, reading, org, asked.span, "village", SUBMITTED)
        facts, assigned = await holdings.counted(session, reading, org, asked.span)
    total = row(
        found.total,
        basis=SUBMITTED,
        overdue=found.total_overdue,
        served_people=found.total_served,
        satisfied_from=settings.satisfied_from,
    )
    tallied = {status: total["now"][status] for status in STATUSES}
    return _Own(total["submitted"], total["now"], tallied, facts, assigned, reading.as_of)


async def _ask_others(
    request: Request, settings: Settings, asked: Asked, token: str
) -> tuple[dict[str, Counts], list[str]]:
    """The counts of requests and dispatch, and who of them could not be asked."""
    client: httpx.AsyncClient = request.app.state.others
    addresses = {"requests": settings.requests_url, "dispatch": settings.dispatch_url}
    days = {"from": asked.span.first, "to": asked.span.last}
    query = {"org": asked.org, **{name: str(day) for name, day in days.items() if day is not None}}
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(service: str) -> Counts | None:
        try:
            async with asyncio.timeout(settings.ask_seconds):
                answer = await client.get(f"{addresses[service]}/v1/counts", params=query, headers=headers)
            answer.raise_for_status()
            return {str(name): int(number) for name, number in answer.json()["by_status"].items()}
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("counts not available", of=service, error=type(error).__name__)
            return None

    answers = dict(zip(addresses, await asyncio.gather(*map(ask, addresses)), strict=True))
    return (
        {service: counts for service, counts in answers.items() if counts is not None},
        [service for service, counts in answers.items() if counts is None],
    )


@asynccontextmanager
async def others(app: FastAPI) -> AsyncIterator[None]:
    """The client for the other services, as long as the application lives."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        app.state.others = client
        yield

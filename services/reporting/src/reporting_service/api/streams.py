"""Figures that move while one looks: a short look at what was counted last, every few seconds, for all who look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import text

from lianhu_kit.access import Access, permits
from lianhu_kit.api import DivisionCode
from lianhu_kit.database import Database
from lianhu_kit.divisions import covers
from lianhu_kit.problems import NotFound, TooMany
from reporting_service.queries.snapshots import place_of, read_under
from reporting_service.settings import Settings

router = APIRouter(tags=["tallies"])
Reader = Annotated[Access, permits("clerk", "supervisor", "operator", "grid_leader", "branch_secretary", "admin")]
EVERY_SECONDS = 3.0
LASTS_SECONDS = 900.0
MOST = 200
# The sum over the sums of all time: few rows a village, and any fact that moved moves one of them.
_MARK = text(
    """
    SELECT coalesce(sum(value * (1 + abs(hashtext(tenant || service || measure)) % 1009)), 0) FROM span_tallies
    WHERE generation = :generation AND basis = 'submitted' AND month = '-infinity'
      AND tenant >= :org AND tenant < :bound
    """
)


def admitted(request: Request, access: Access, org: str) -> str:
    """The unit that one may look at; asked before the stream begins, when a refusal can still be an answer.

    NotFound out of reach; TooMany where too many look already.
    """
    if not covers(access.covering(org).at, org):
        raise NotFound(f"There is no unit {org} within your reach.")
    if getattr(request.app.state, "looking", 0) >= MOST:
        raise TooMany("Too many look at live figures. Reload the page now and then instead.", 60)
    return org


def _asked(request: Request, access: Reader, org: Annotated[DivisionCode, Query(examples=["441702008"])]) -> str:
    return admitted(request, access, org)


@router.get("/v1/tallies/stream", response_class=EventSourceResponse)
async def stream(
    request: Request, access: Reader, org: Annotated[str, Depends(_asked)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `moved` whenever the tallies of a unit have moved; at most one every three seconds."""
    async for event in moved(request, org):
        yield event


async def moved(request: Request, org: str) -> AsyncIterator[ServerSentEvent]:
    """The stream itself, for who was admitted."""
    state = request.app.state
    state.looking = getattr(state, "looking", 0) + 1
    try:
        ends = asyncio.get_running_loop().time() + LASTS_SECONDS
        seen: Any = await _mark(state.database, state.settings, org)
        yield ServerSentEvent(event="begun", data={}, retry=5000)
        while asyncio.get_running_loop().time() < ends and not state.leaving.begun:
            await asyncio.sleep(EVERY_SECONDS)
            found = await _mark(state.database, state.settings, org)
            if found != seen:
                seen = found
                yield ServerSentEvent(event="moved", data={})
    finally:
        state.looking -= 1


async def _mark(database: Database, settings: Settings, org: str) -> Any:
    async with database.transaction() as session:
        reading = await read_under(session, org, settings.zone)
        return (await session.execute(_MARK, {"generation": reading.generation, **place_of(org)})).scalar_one()

"""One snapshot for all statements of an answer, so that a swap or a batch in between cannot show."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import enter_scope
from lianhu_kit.divisions import VILLAGE, upper_bound
from reporting_service.domain.rules import RULES

# Must come before the transaction's first look at any row.
_ONE_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_ACTIVE = text("SELECT generation, zone, rules FROM generations WHERE state = 'active'")


class Reading(NamedTuple):
    """Which generation is read, the zone its days are counted in, and the database's clock.

    `spans`: whether its sums of months and of all time are whole; else there are only those of days.
    """

    generation: int
    zone: ZoneInfo
    as_of: datetime
    spans: bool


async def begin(session: AsyncSession) -> None:
    """Makes this transaction see one state of the database from its first row to its end."""
    await session.execute(_ONE_SNAPSHOT)


async def read_under(session: AsyncSession, scope: str, zone: ZoneInfo) -> Reading:
    """Enters a scope and finds the active generation; `zone` where nothing was counted yet."""
    as_of = await enter_scope(session, scope)
    row = (await session.execute(_ACTIVE)).one()
    return Reading(row.generation, ZoneInfo(row.zone) if row.zone else zone, as_of, row.rules == RULES)


def place_clause(org: str) -> str:
    """The rows of a generation under a unit, as a condition over the values of `place_of`.

    A village is an equation: only then do the days that follow it in an index bound what is read.
    """
    place = "tenant = :org" if len(org) >= VILLAGE else "tenant >= :org AND tenant < :bound"
    return f"generation = :generation AND {place}" + (" AND grid = :grid" if len(org) > VILLAGE else "")


def span_clause(column: str, first: date | None, last: date | None) -> str:
    """The days of a span, as a condition over `first` and `last` that an index can take; true for all time."""
    bounds = ((f"{column} >= :first", first), (f"{column} <= :last", last))
    return " AND ".join(bound for bound, day in bounds if day is not None) or "true"


def place_of(org: str) -> dict[str, str | None]:
    """The bound values of a unit's range: villages from `org` to `bound`, and `grid` for a grid."""
    village = org[:VILLAGE]
    return {"org": village, "bound": upper_bound(village), "grid": org if len(org) > VILLAGE else None}

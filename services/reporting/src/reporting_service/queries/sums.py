"""Sums by key: what rows and totals are made from."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.contribution import HAPPENED
from reporting_service.domain.spans import Span, start_of
from reporting_service.queries.snapshots import Reading, place_of

Key = str | None
Sums = dict[Key, dict[str, int]]
BY = ("village", "town", "grid", "service", "volunteer", "day", "month")
_PERIODS = ("day", "month")
_KEY = {
    "village": "tenant",
    "town": "left(tenant, 9)",
    "grid": "NULLIF(grid, '')",
    "service": "service",
    "volunteer": "person::text",
    "day": "{day}::text",
    "month": "to_char({day}, 'YYYY-MM')",
}
_PLACE = """generation = :generation AND tenant >= :org AND tenant < :bound
      AND (CAST(:grid AS text) IS NULL OR grid = CAST(:grid AS text))"""
_OF = "basis = :basis AND " + _PLACE
# Where requests stood at the span's end is the sum of all moves up to it, those before the span included.
_SUMS = """
    SELECT {key} AS key, measure, sum(value)::bigint AS value, GROUPING({key}) AS everything FROM {table}
    WHERE {of} AND (CAST(:last AS date) IS NULL OR day <= CAST(:last AS date))
      AND (CAST(:first AS date) IS NULL OR day >= CAST(:first AS date)
           OR (basis = 'happened' AND starts_with(measure, 'now.')))
    GROUP BY GROUPING SETS (({key}, measure), (measure)) HAVING sum(value) <> 0
"""
_SERVED = """
    SELECT {key} AS key, count(DISTINCT served_id) AS people, GROUPING({key}) AS everything FROM {table}
    WHERE {place} AND served_on IS NOT NULL AND served_id IS NOT NULL
      AND (CAST(:first AS date) IS NULL OR {day} >= CAST(:first AS date))
      AND (CAST(:last AS date) IS NULL OR {day} <= CAST(:last AS date))
    GROUP BY GROUPING SETS (({key}), ())
"""
_OVERDUE = """
    SELECT {key} AS key, count(DISTINCT request_id) AS requests, GROUPING({key}) AS everything FROM {table}
    WHERE {place} AND (overdue_from <= :moment OR was_overdue @> CAST(:moment AS timestamptz))
      AND (CAST(:first AS date) IS NULL OR submitted_on >= CAST(:first AS date))
      AND (CAST(:last AS date) IS NULL OR submitted_on <= CAST(:last AS date))
    GROUP BY GROUPING SETS (({key}), ())
"""
_OVERDUE_THEN = f"""
    SELECT at.key, count(*) AS requests FROM unnest(CAST(:keys AS text[]), CAST(:moments AS timestamptz[]))
        AS at (key, moment)
    JOIN facts ON {_PLACE} AND (overdue_from <= at.moment OR was_overdue @> at.moment)
    GROUP BY 1
"""


class Read(NamedTuple):
    """What rows are made from, by key; the key of a request without a grid is None."""

    sums: Sums
    served: dict[Key, int]
    overdue: dict[Key, int]
    total: dict[str, int]
    total_served: int
    total_overdue: int


async def read(session: AsyncSession, reading: Reading, org: str, span: Span, by: str, basis: str) -> Read:
    """All that a report over `org` (down to a grid) and `span` needs, in three to five statements."""
    values: dict[str, Any] = {
        "generation": reading.generation,
        "basis": basis,
        "first": span.first,
        "last": span.last,
        **place_of(org),
    }
    sums, total = await _sums(session, by, values)
    if basis == HAPPENED and by in _PERIODS:
        sums = _run_on(sums, span.first, by)
    served, total_served = await _served(session, by, basis, values)
    # Who stands overdue is asked of the facts: now, or when the span ended.
    _, end = span.bounds(reading.zone)
    moment = reading.as_of if end is None or basis != HAPPENED else min(reading.as_of, end)
    overdue, total_overdue = await _overdue(session, by, basis, values, moment)
    if basis == HAPPENED and by in _PERIODS:
        overdue = await _overdue_then(session, reading, values, sorted(filter(None, sums)), moment)
    return Read(sums, served, overdue, total, total_served, total_overdue)


async def _sums(session: AsyncSession, by: str, values: dict[str, Any]) -> tuple[Sums, dict[str, int]]:
    sums: Sums = defaultdict(dict)
    total: dict[str, int] = {}
    table = "volunteer_tallies" if by == "volunteer" else "tallies"
    statement = text(_SUMS.format(key=_KEY[by].format(day="day"), table=table, of=_OF))
    for row in await session.execute(statement, values):
        if row.everything:
            total[row.measure] = row.value
        else:
            sums[row.key][row.measure] = row.value
    if by == "volunteer":  # a request with two holders is in both rows and once in the total
        _, total = await _sums(session, "service", values)
    return sums, total


async def _served(session: AsyncSession, by: str, basis: str, values: dict[str, Any]) -> tuple[dict[Key, int], int]:
    day = "served_on" if basis == HAPPENED else "submitted_on"
    table = "facts CROSS JOIN unnest(helpers) AS helper (person)" if by == "volunteer" else "facts"
    statement = text(_SERVED.format(key=_KEY[by].format(day=day), table=table, place=_PLACE, day=day))
    rows = (await session.execute(statement, values)).all()
    total = next((row.people for row in rows if row.everything), 0)
    if by == "volunteer":
        _, total = await _served(session, "service", basis, values)
    return {row.key: row.people for row in rows if not row.everything}, total


async def _overdue(
    session: AsyncSession, by: str, basis: str, values: dict[str, Any], moment: datetime
) -> tuple[dict[Key, int], int]:
    """Overdue at `moment`: of the requests submitted in the span, or (basis happened) of all."""
    span = {"first": None, "last": None} if basis == HAPPENED else {}
    table = "facts CROSS JOIN unnest(holders) AS holder (person)" if by == "volunteer" else "facts"
    statement = text(_OVERDUE.format(key=_KEY[by].format(day="submitted_on"), table=table, place=_PLACE))
    rows = (await session.execute(statement, {**values, **span, "moment": moment})).all()
    total = next((row.requests for row in rows if row.everything), 0)
    if by == "volunteer":
        _, total = await _overdue(session, "service", basis, values, moment)
    return {row.key: row.requests for row in rows if not row.everything}, total


async def _overdue_then(
    session: AsyncSession, reading: Reading, values: dict[str, Any], keys: list[str], latest: datetime
) -> dict[Key, int]:
    """Overdue at the end of each day or month."""
    moments = [min(latest, start_of(_day_after(key), reading.zone)).astimezone(UTC) for key in keys]
    rows = await session.execute(text(_OVERDUE_THEN), {**values, "keys": keys, "moments": moments})
    return {row.key: row.requests for row in rows}


def _day_after(period: str) -> date:
    """The first day after a day (YYYY-MM-DD) or a month (YYYY-MM)."""
    if len(period) > len("YYYY-MM"):
        return date.fromisoformat(period) + timedelta(days=1)
    first = date.fromisoformat(period + "-01")
    return (first + timedelta(days=32)).replace(day=1)


def _run_on(sums: Sums, first: date | None, by: str) -> Sums:
    """Turns the moves of each period into where requests stood at its end; periods before the span drop out."""
    standing: dict[str, int] = defaultdict(int)
    begin = "" if first is None else (first.isoformat() if by == "day" else first.isoformat()[:7])
    running: Sums = {}
    for key in sorted(filter(None, sums)):
        for measure, value in sums[key].items():
            if measure.startswith("now."):
                standing[measure] += value
        if key >= begin:
            moved = {measure: value for measure, value in sums[key].items() if not measure.startswith("now.")}
            running[key] = {**moved, **standing}
    return running

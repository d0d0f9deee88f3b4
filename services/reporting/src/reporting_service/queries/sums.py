"""Sums by key: what rows and totals are made from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.contribution import HAPPENED
from reporting_service.domain.spans import Span, start_of
from reporting_service.queries.pieces import PERIODS, key_of, pieces_of
from reporting_service.queries.snapshots import Reading, place_clause, place_of, span_clause

Key = str | None
Sums = dict[Key, dict[str, int]]
# The text has only the conditions that are asked for: once the server plans for any values (from the sixth call of a
# connection on), one that a value can switch off (`:first IS NULL OR …`) bounds no index.
_SUMS = """
    SELECT key, measure, sum(value)::bigint AS value FROM ({pieces}) AS pieces
    GROUP BY key, measure HAVING sum(value) <> 0
"""
_SERVED = """
    SELECT {key} AS key, count(DISTINCT served_id) AS people, GROUPING({key}) AS everything FROM {table}
    WHERE {place} AND served_on IS NOT NULL AND served_id IS NOT NULL AND {span}
    GROUP BY GROUPING SETS (({key}), ())
"""
_OVERDUE = """
    SELECT {key} AS key, count(DISTINCT request_id) AS requests, GROUPING({key}) AS everything FROM {table}
    WHERE {place} AND (overdue_from <= :moment OR was_overdue @> CAST(:moment AS timestamptz)) AND {span}
    GROUP BY GROUPING SETS (({key}), ())
"""
# Those that were overdue at one of the moments are looked up once, not for each of them.
_OVERDUE_THEN = """
    WITH late AS MATERIALIZED (
        SELECT overdue_from, was_overdue FROM facts
        WHERE {place} AND (overdue_from <= :latest OR was_overdue && tstzrange(:earliest, :latest, '[]'))
    )
    SELECT at.key, count(*) AS requests FROM unnest(CAST(:keys AS text[]), CAST(:moments AS timestamptz[]))
        AS at (key, moment)
    JOIN late ON overdue_from <= at.moment OR was_overdue @> at.moment
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


@dataclass(frozen=True)
class _Asked:
    """What a report is asked of, and the values for its statements."""

    reading: Reading
    org: str
    span: Span
    by: str
    basis: str

    @property
    def values(self) -> dict[str, Any]:
        """What the clauses name."""
        days = {"first": self.span.first, "last": self.span.last}
        return {"generation": self.reading.generation, "basis": self.basis, **days, **place_of(self.org)}

    @property
    def place(self) -> str:
        """The unit's rows."""
        return place_clause(self.org)

    def within(self, day: str) -> str:
        """The span's rows, by the day in this column."""
        return span_clause(day, self.span.first, self.span.last)


async def read(session: AsyncSession, reading: Reading, org: str, span: Span, by: str, basis: str) -> Read:
    """All that a report over `org` (down to a grid) and `span` needs, in three to five statements."""
    asked = _Asked(reading, org, span, by, basis)
    sums, total = await _sums(session, asked)
    if basis == HAPPENED and by in PERIODS:
        sums = _run_on(sums, span.first, by)
    served, total_served = await _served(session, asked)
    # Who stands overdue is asked of the facts: now, or when the span ended.
    _, end = span.bounds(reading.zone)
    moment = reading.as_of if end is None or basis != HAPPENED else min(reading.as_of, end)
    overdue, total_overdue = await _overdue(session, asked, moment)
    if basis == HAPPENED and by in PERIODS:
        overdue = await _overdue_then(session, asked, sorted(filter(None, sums)), moment)
    return Read(sums, served, overdue, total, total_served, total_overdue)


async def _sums(session: AsyncSession, asked: _Asked) -> tuple[Sums, dict[str, int]]:
    sums: Sums = defaultdict(dict)
    total: dict[str, int] = defaultdict(int)
    pieces, values = pieces_of(asked.reading, asked.org, asked.span, asked.by, asked.basis)
    for row in await session.execute(text(_SUMS.format(pieces=pieces)), {**asked.values, **values}):
        sums[row.key][row.measure] = row.value
        total[row.measure] += row.value
    if asked.by == "volunteer":  # a request with two holders is in both rows and once in the total
        _, total = await _sums(session, replace(asked, by="service"))
    return sums, total


async def _served(session: AsyncSession, asked: _Asked) -> tuple[dict[Key, int], int]:
    day = "served_on" if asked.basis == HAPPENED else "submitted_on"
    table = "facts CROSS JOIN unnest(helpers) AS helper (person)" if asked.by == "volunteer" else "facts"
    key = key_of(asked.by, day)
    statement = text(_SERVED.format(key=key, table=table, place=asked.place, span=asked.within(day)))
    rows = (await session.execute(statement, asked.values)).all()
    total = next((row.people for row in rows if row.everything), 0)
    if asked.by == "volunteer":
        _, total = await _served(session, replace(asked, by="service"))
    return {row.key: row.people for row in rows if not row.everything}, total


async def _overdue(session: AsyncSession, asked: _Asked, moment: datetime) -> tuple[dict[Key, int], int]:
    """Overdue at `moment`: of the requests submitted in the span, or (basis happened) of all."""
    span = "true" if asked.basis == HAPPENED else asked.within("submitted_on")
    table = "facts CROSS JOIN unnest(holders) AS holder (person)" if asked.by == "volunteer" else "facts"
    key = key_of(asked.by, "submitted_on")
    statement = text(_OVERDUE.format(key=key, table=table, place=asked.place, span=span))
    rows = (await session.execute(statement, {**asked.values, "moment": moment})).all()
    total = next((row.requests for row in rows if row.everything), 0)
    if asked.by == "volunteer":
        _, total = await _overdue(session, replace(asked, by="service"), moment)
    return {row.key: row.requests for row in rows if not row.everything}, total


async def _overdue_then(session: AsyncSession, asked: _Asked, keys: list[str], latest: datetime) -> dict[Key, int]:
    """Overdue at the end of each day or month."""
    moments = [min(latest, start_of(_day_after(key), asked.reading.zone)).astimezone(UTC) for key in keys]
    statement = text(_OVERDUE_THEN.format(place=asked.place))
    bounds = {"earliest": min(moments, default=latest), "latest": max(moments, default=latest)}
    rows = await session.execute(statement, {**asked.values, **bounds, "keys": keys, "moments": moments})
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
    for key in sorted(key for key in sums if key is not None):
        for measure, value in sums[key].items():
            if measure.startswith("now."):
                standing[measure] += value
        if key >= begin:
            moved = {measure: value for measure, value in sums[key].items() if not measure.startswith("now.")}
            running[key] = {**moved, **standing}
    return running

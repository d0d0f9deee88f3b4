"""The requests behind a figure, page by page; each is judged by the rules that count, so that both always agree."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.contribution import HAPPENED, SUBMITTED, contribution
from reporting_service.domain.facts import Fact
from reporting_service.domain.opening import OVERDUE, PEOPLE, Opening, amounts
from reporting_service.domain.spans import Span
from reporting_service.domain.story import story as story_of
from reporting_service.queries.snapshots import Reading, place_clause, place_of, span_clause

# A page looks at so many facts at most: a figure with few requests behind it in a long span goes on with `next`.
LOOKED_AT = 2000
_FACTS = """
    SELECT request_id, tenant, grid, service, number, status, submitted_at, submitted_on,
           served_on IS NOT NULL AND served_id IS NOT NULL AS served,
           coalesce(overdue_from <= :moment, false) OR coalesce(was_overdue @> CAST(:moment AS timestamptz), false)
               AS overdue,
           halves::text AS halves
    FROM facts WHERE {place} AND status IS NOT NULL AND {span} AND {more}
    ORDER BY submitted_on DESC, request_id DESC LIMIT {rows:d}
"""


class Behind(NamedTuple):
    """A request and how much it adds to the figure."""

    id: UUID
    number: str
    tenant: str
    grid: str | None
    service: str
    status: str
    submitted_at: datetime
    amount: int


class Found(NamedTuple):
    """A page, and where the next begins; None at the end."""

    items: list[Behind]
    following: tuple[date, UUID] | None


async def behind(
    session: AsyncSession, reading: Reading, org: str, span: Span, figure: Opening, *,
    service: str | None = None, seen_from_above: bool = True, without_grid: bool = False, basis: str = SUBMITTED,
    after: tuple[date, UUID] | None = None, limit: int = 50,
) -> Found:  # fmt: skip
    """Requests that add to the figure, the newest day of submission first; only some of them where asked.

    Who is not above the village (`seen_from_above`) is not shown those that it does not see; figures count them.

    On the basis happened those that moved in the span may be as old as they like: all of the unit are looked at.
    """
    _, end = span.bounds(reading.zone)
    moment = reading.as_of if end is None or basis == SUBMITTED else min(reading.as_of, end)
    within = span_clause("submitted_on", span.first, span.last) if basis == SUBMITTED else "true"
    conditions = ["coalesce(grid, '') = ''"] if without_grid else ["true"]
    values: dict[str, Any] = {
        "generation": reading.generation, "first": span.first, "last": span.last, "moment": moment,
        **place_of(org),
    }  # fmt: skip
    if service is not None:
        conditions.append("service = :service")
        values["service"] = service
    standing = {measure.removeprefix("now.") for measure in figure.measures if measure.startswith("now.")}
    if figure.figure.field == OVERDUE:
        conditions.append("(overdue_from <= :moment OR was_overdue @> CAST(:moment AS timestamptz))")
    elif figure.figure.field == PEOPLE and basis == HAPPENED:
        conditions.append(span_clause("served_on", span.first, span.last))
    elif basis == SUBMITTED and standing and figure.figure.field.startswith("now.") and "suspended" not in standing:
        conditions.append("status = ANY(:standing)")
        values["standing"] = sorted(standing)
    if after is not None:
        conditions.append("(submitted_on, request_id) < (:day, :id)")
        values |= {"day": after[0], "id": after[1]}
    statement = _FACTS.format(
        place=place_clause(org), span=within,
        more=" AND ".join(conditions), rows=LOOKED_AT,
    )  # fmt: skip
    rows = (await session.execute(text(statement), values)).all()
    items: list[Behind] = []
    for row in rows:
        amount = _amount(row, figure, reading, basis, span)
        if amount and (seen_from_above or not _fact(row).unseen):
            items.append(
                Behind(
                    row.request_id, row.number, row.tenant, row.grid, row.service, row.status, row.submitted_at, amount
                )
            )
        if len(items) == limit:
            return Found(items, (row.submitted_on, row.request_id) if row is not rows[-1] else None)
    last = rows[-1] if len(rows) == LOOKED_AT else None
    return Found(items, (last.submitted_on, last.request_id) if last else None)


def _amount(row: Any, figure: Opening, reading: Reading, basis: str, span: Span) -> int:
    if figure.figure.field == OVERDUE:
        return int(row.overdue)
    if figure.figure.field == PEOPLE:
        return int(row.served)
    story = story_of(_fact(row))
    return figure.amount(amounts(contribution(story, reading.zone), basis, span))


def _fact(row: Any) -> Fact:
    return Fact.load(row.request_id, row.tenant, orjson.loads(row.halves))

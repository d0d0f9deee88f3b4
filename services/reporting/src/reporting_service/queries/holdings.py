"""What reporting itself counts of requests and assignments, for reconciliation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.spans import Span
from reporting_service.queries.snapshots import Reading, place_clause, place_of, span_clause

_FACTS = """
    SELECT status AS name, count(*) AS requests FROM facts WHERE {place} AND status IS NOT NULL AND {span} GROUP BY 1
"""
_ASSIGNED = """
    SELECT assignment AS name, count(*) AS requests FROM facts WHERE {place} AND assignment IS NOT NULL AND {span}
    GROUP BY 1
"""


async def counted(
    session: AsyncSession, reading: Reading, org: str, span: Span
) -> tuple[dict[str, int], dict[str, int]]:
    """Facts by request status (submitted in the span), and by the latest assignment's state (opened in it)."""
    begin, end = span.bounds(reading.zone)
    values: dict[str, Any] = {"generation": reading.generation, **place_of(org)}
    place = place_clause(org)
    facts = text(_FACTS.format(place=place, span=span_clause("submitted_on", span.first, span.last)))
    statuses = await session.execute(facts, {**values, "first": span.first, "last": span.last})
    bounds = (("assignment_at >= :begin", begin), ("assignment_at < :end", end))
    moments = " AND ".join(bound for bound, moment in bounds if moment is not None) or "true"
    assigned = text(_ASSIGNED.format(place=place, span=moments))
    states = await session.execute(assigned, {**values, "begin": begin, "end": end})
    return {row.name: row.requests for row in statuses}, {row.name: row.requests for row in states}

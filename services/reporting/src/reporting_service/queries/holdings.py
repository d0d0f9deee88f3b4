"""What reporting itself counts of requests and assignments, for reconciliation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.spans import Span
from reporting_service.queries.snapshots import Reading, place_of

_PLACE = """generation = :generation AND tenant >= :org AND tenant < :bound
      AND (CAST(:grid AS text) IS NULL OR grid = CAST(:grid AS text))"""
_FACTS = text(
    f"""
    SELECT status AS name, count(*) AS requests FROM facts
    WHERE {_PLACE} AND status IS NOT NULL
      AND (CAST(:first AS date) IS NULL OR submitted_on >= CAST(:first AS date))
      AND (CAST(:last AS date) IS NULL OR submitted_on <= CAST(:last AS date))
    GROUP BY 1
    """
)
_ASSIGNED = text(
    f"""
    SELECT assignment AS name, count(*) AS requests FROM facts
    WHERE {_PLACE} AND assignment IS NOT NULL
      AND (CAST(:begin AS timestamptz) IS NULL OR assignment_at >= CAST(:begin AS timestamptz))
      AND (CAST(:end AS timestamptz) IS NULL OR assignment_at < CAST(:end AS timestamptz))
    GROUP BY 1
    """
)


async def counted(
    session: AsyncSession, reading: Reading, org: str, span: Span
) -> tuple[dict[str, int], dict[str, int]]:
    """Facts by request status (submitted in the span), and by the latest assignment's state (opened in it)."""
    begin, end = span.bounds(reading.zone)
    values: dict[str, Any] = {"generation": reading.generation, **place_of(org)}
    days = {"first": span.first, "last": span.last}
    statuses = await session.execute(_FACTS, {**values, **days})
    states = await session.execute(_ASSIGNED, {**values, "begin": begin, "end": end})
    return {row.name: row.requests for row in statuses}, {row.name: row.requests for row in states}

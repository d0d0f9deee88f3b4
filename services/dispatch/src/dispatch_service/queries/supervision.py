"""What stands under a written order, by its own partial index: those without one are never read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import upper_bound

SHOWN = 100
# What has not ended first, the soonest deadline on top; then what ended since, the newest first.
_SUPERVISED = text(
    """
    SELECT a.id, r.number, a.tenant, a.grid, a.summary, a.state, a.supervised_until, a.ended_at,
           o.words AS ordered, o.at AS ordered_at,
           coalesce((SELECT jsonb_agg(h.name ORDER BY h.claimed_at)
                     FROM holdings h WHERE h.assignment_id = a.id AND h.ended_at IS NULL), '[]') AS holders
    FROM (SELECT * FROM assignments
          WHERE supervised_until IS NOT NULL AND tenant >= :tenant AND tenant < :tenant_end
            AND (CAST(:grid AS text) IS NULL OR (grid >= :grid AND grid < :grid || ':'))
            AND (ended_at IS NULL OR ended_at >= :since)
          ORDER BY ended_at DESC NULLS FIRST, supervised_until LIMIT :limit) AS a
    JOIN requests r ON r.id = a.request_id
    LEFT JOIN LATERAL (SELECT m.words, m.at FROM moves m
                       WHERE m.assignment_id = a.id AND m.move = 'supervise' ORDER BY m.id DESC LIMIT 1) AS o ON true
    ORDER BY a.ended_at DESC NULLS FIRST, a.supervised_until
    """
)
_LATEST = text("SELECT id FROM assignments WHERE request_id = :request ORDER BY round DESC LIMIT 1")


async def supervised(session: AsyncSession, at: str, since: datetime) -> list[dict[str, Any]]:
    """What stands under a written order at a code, and what of it ended since; one more than is shown where more is."""
    tenant = at[:12]
    values = {
        "tenant": tenant, "tenant_end": upper_bound(tenant), "grid": at if len(at) > len(tenant) else None,
        "since": since, "limit": SHOWN + 1,
    }  # fmt: skip
    return [dict(row) for row in (await session.execute(_SUPERVISED, values)).mappings()]


async def latest_of(session: AsyncSession, request: UUID) -> UUID | None:
    """The latest assignment of a request; None where the scope holds none."""
    found: UUID | None = (await session.execute(_LATEST, {"request": request})).scalar_one_or_none()
    return found

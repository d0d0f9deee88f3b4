"""The board of a grid: what is open, by state, and who could do it. Open work alone is read, by its partial index."""

from typing import Any

from sqlalchemy import text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import State
from dispatch_service.tables import Volunteer
from lianhu_kit.ranges import under

COLUMNS = (State.ROUTED, State.OFFERED, State.ASSIGNED, State.CLAIMED, State.IN_PROGRESS)
SHOWN = 300
_OPEN = text(
    """
    SELECT a.id, a.request_id, r.number, a.tenant, a.grid, a.service, a.summary, a.state, a.places, a.taken, a.urgent,
           a.minor, a.skill, a.offered_until, a.limits, a.opened_at, a.supervised_until,
           coalesce((SELECT jsonb_agg(h.name ORDER BY h.claimed_at)
                     FROM holdings h WHERE h.assignment_id = a.id AND h.ended_at IS NULL), '[]') AS holders
    FROM assignments a JOIN requests r ON r.id = a.request_id
    WHERE a.tenant >= :tenant AND a.tenant < :tenant_end
      AND (CAST(:grid AS text) IS NULL OR (a.grid >= :grid AND a.grid < :grid || ':') OR a.grid IS NULL)
      AND a.state IN ('routed', 'offered', 'assigned', 'claimed', 'in_progress')
    ORDER BY a.limits ->> 'finish' NULLS LAST, a.id LIMIT :limit
    """
)


async def open_work(session: AsyncSession, at: str) -> list[dict[str, Any]]:
    """What is open at a code, the soonest due first; a grid's board also shows what has no grid yet in its village."""
    tenant = at[:12]
    values = {"tenant": tenant, "tenant_end": tenant + ":", "grid": at if len(at) > 12 else None, "limit": SHOWN}
    return [dict(row) for row in (await session.execute(_OPEN, values)).mappings()]


async def people(session: AsyncSession, at: str) -> list[Volunteer]:
    """Who works at a code, the least loaded first; for a grid also those of its village without a grid."""
    place = under(col(Volunteer.tenant), at[:12])
    query = select(Volunteer).where(place, col(Volunteer.active))
    if len(at) > 12:
        query = query.where(or_(under(col(Volunteer.grid), at), col(Volunteer.grid).is_(None)))
    return list(await session.exec(query.order_by(col(Volunteer.load), col(Volunteer.id)).limit(SHOWN)))

"""How many requests stand where: what reconciliation compares with."""

from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.statuses import Status
from requests_service.queries.unseen import show_unseen
from requests_service.tables import Request


async def by_status(session: AsyncSession, org: str, start: datetime | None, end: datetime | None) -> dict[str, int]:
    """Requests under a unit by status, every status named; `start` ≤ submitted < `end`.

    Those that the village does not see are counted: the counts of reporting hold them too, and nobody is named.
    """
    await show_unseen(session)
    query = select(Request.status, func.count()).where(Request.tenant >= org[:12], Request.tenant < org[:12] + ":")
    if len(org) > 12:
        query = query.where(col(Request.grid) >= org, col(Request.grid) < org + ":")
    if start is not None:
        query = query.where(Request.submitted_at >= start)
    if end is not None:
        query = query.where(Request.submitted_at < end)
    found = dict((await session.exec(query.group_by(Request.status))).all())
    return {status.value: found.get(status.value, 0) for status in Status}

"""The village's limits move: who does the work sees when it is due now."""

from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import OPEN
from dispatch_service.events.consumed import LimitExtended, LimitsResumed
from dispatch_service.queries.locking import lock_request
from dispatch_service.tables import Assignment


async def move_limits(session: AsyncSession, data: LimitsResumed | LimitExtended) -> None:
    """Gives the open assignment of a request its new limits. Nothing happens where nothing is open."""
    request = await lock_request(session, data.request_id)
    if request is None:
        return
    new: dict[str, Any] = data.limits if isinstance(data, LimitsResumed) else {data.limit: data.due_at.isoformat()}
    statement = (
        select(Assignment)
        .where(col(Assignment.request_id) == request.id, col(Assignment.state).in_(OPEN))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for assignment in (await session.exec(statement)).all():
        assignment.limits = {**assignment.limits, **new}
        session.add(assignment)

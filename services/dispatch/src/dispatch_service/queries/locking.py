"""Reads that lock: the request's row first, always, so that there is one lock order for all."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.tables import Assignment, Holding, Request


async def lock_request(session: AsyncSession, id: UUID) -> Request | None:
    """The request's row, locked; None where dispatch never heard of it."""
    return await session.get(Request, id, with_for_update=True, populate_existing=True)


async def lock_assignment(session: AsyncSession, id: UUID, request_id: UUID) -> tuple[Request, Assignment]:
    """Request and assignment, both locked, as they stand now."""
    request = await session.get_one(Request, request_id, with_for_update=True, populate_existing=True)
    assignment = await session.get_one(Assignment, id, with_for_update=True, populate_existing=True)
    return request, assignment


async def open_holdings(session: AsyncSession, assignment: Assignment) -> list[Holding]:
    """Who holds a place that was not given back, completed ones among them; by person."""
    statement = (
        select(Holding)
        .where(col(Holding.assignment_id) == assignment.id, col(Holding.ended_at).is_(None))
        .order_by(col(Holding.person))
        .execution_options(populate_existing=True)
    )
    return list((await session.exec(statement)).all())

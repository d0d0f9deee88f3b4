"""Assignments end without being done: given back to the village, or cancelled with their request."""

from typing import Literal
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import OPEN, Move, State, moved
from dispatch_service.events.consumed import RequestEnded
from dispatch_service.events.published import Cancelled, Returned
from dispatch_service.handlers.announcing import announce, note
from dispatch_service.handlers.holding import free_places
from dispatch_service.queries.locking import lock_request, open_holdings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.database import now
from lianhu_kit.timers import disarm

Reason = Literal["withdrawn", "merged", "referred", "answered", "reported-up", "replaced"]


async def give_to_village(
    session: AsyncSession, request: Request, assignment: Assignment, *, words: str, by: UUID | None
) -> None:
    """Returns a locked assignment to the village; whoever holds it is free again."""
    await _end(session, assignment, Move.RETURN, State.RETURNED)
    note(session, assignment, Move.RETURN, by=by, words=words)
    await announce(session, request, assignment, Returned(), by=by)


async def end_request(session: AsyncSession, data: RequestEnded, reason: Reason) -> None:
    """The request ended elsewhere: what is open is cancelled. Nothing happens where nothing is open.

    The requests topic is in order per request, so a request that dispatch never heard of was never to be dispatched.
    """
    request = await lock_request(session, data.request_id)
    if request is None:
        return
    request.ended = reason
    await cancel_open(session, request, reason, by=None)


async def cancel_open(session: AsyncSession, request: Request, reason: Reason, *, by: UUID | None) -> None:
    """Cancels the open assignment of a locked request. Work that was completed stands and counts."""
    statement = (
        select(Assignment)
        .where(col(Assignment.request_id) == request.id, col(Assignment.state).in_(OPEN))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for assignment in (await session.exec(statement)).all():
        freed = await _end(session, assignment, Move.CANCEL, State.CANCELLED)
        note(session, assignment, Move.CANCEL, by=by, words=reason)
        await announce(session, request, assignment, Cancelled(reason=reason, holders=freed), by=by)


async def _end(session: AsyncSession, assignment: Assignment, move: Move, to: State) -> list[UUID]:
    """Frees the places and the timers; answers who held one and had not completed."""
    assignment.state = moved(assignment.state, move, to)
    freed = free_places(session, await open_holdings(session, assignment))
    assignment.taken -= len(freed)
    assignment.ended_at = now(session)
    assignment.offered_until = assignment.asked = None
    await disarm(session, assignment.id)
    return freed

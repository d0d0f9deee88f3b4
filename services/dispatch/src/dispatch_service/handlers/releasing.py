"""A place is given back, by its holder or, for somebody who did not show up, by the leader."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.errors import HolderUnclear, NotHeld
from dispatch_service.domain.states import Move, State, begin, moved, resting
from dispatch_service.events.published import Released
from dispatch_service.handlers import waves
from dispatch_service.handlers.announcing import announce, note
from dispatch_service.handlers.holding import free_places
from dispatch_service.queries.locking import open_holdings
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Holding, Offer, Request
from lianhu_kit.database import now


async def release(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    *,
    person: UUID | None,
    words: str,
    by: UUID,
) -> None:
    """Frees a place; whoever was offered it before and did not pass is offered it again, all but who gave it back.

    `person` None means the only holder; HolderUnclear where there is not just one. A holder's repeat changes nothing.
    """
    if assignment.state in (State.CANCELLED, State.RETURNED):
        begin(assignment.state, Move.RELEASE)  # what was taken from a holder is no repeat of theirs
    holders = [one for one in await open_holdings(session, assignment) if one.completed_at is None]
    if person is None and len(holders) != 1:
        raise HolderUnclear
    holding = next((one for one in holders if person in (None, one.person)), None)
    if holding is None:
        before = await session.get(Holding, (assignment.id, by))
        if by == person and before is not None and before.ended_at is not None:
            return
        raise NotHeld
    begin(assignment.state, Move.RELEASE)
    free_places(session, [holding])
    assignment.taken -= 1
    if assignment.state is not State.ASSIGNED:
        rests = resting(assignment.taken, assignment.places, offered=assignment.wave > 0)
        assignment.state = moved(assignment.state, Move.RELEASE, rests)
    offer = await session.get(Offer, (assignment.id, holding.person), populate_existing=True)
    if offer is not None:
        offer.declined_at = now(session)
    note(session, assignment, Move.RELEASE, by=by, person=holding.person, words=words)
    await session.flush()
    await announce(session, request, assignment, Released(person=holding.person), by=by)
    if assignment.state is not State.ASSIGNED:
        await waves.resume(session, settings, request, assignment, again=True)

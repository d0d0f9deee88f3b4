"""A nudge, or a written order with a deadline: responsibility stays where it is (product.md, 催办 and 督办)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.errors import ImpossibleTime
from dispatch_service.domain.states import Move, begin
from dispatch_service.events.published import MOST_PEOPLE, Reminded, Supervised
from dispatch_service.handlers import waves
from dispatch_service.handlers.announcing import announce, note
from dispatch_service.queries.locking import open_holdings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.database import now


async def remind(session: AsyncSession, request: Request, assignment: Assignment, *, by: UUID) -> None:
    """Nudges whoever it now depends on."""
    begin(assignment.state, Move.REMIND)
    note(session, assignment, Move.REMIND, by=by)
    people = await _depends_on(session, assignment)
    parts = [people[start : start + MOST_PEOPLE] for start in range(0, len(people), MOST_PEOPLE)] or [[]]
    await announce(session, request, assignment, *[Reminded(people=list(part)) for part in parts], by=by)


async def supervise(
    session: AsyncSession, request: Request, assignment: Assignment, *, order: str, until: datetime, by: UUID
) -> None:
    """Gives a written order with a deadline in the future; its words stay here."""
    begin(assignment.state, Move.SUPERVISE)
    if until <= now(session):
        raise ImpossibleTime("until", "The deadline has passed already. Give a time in the future.")
    assignment.supervised_until = until
    note(session, assignment, Move.SUPERVISE, by=by, words=order)
    people = (await _depends_on(session, assignment))[:MOST_PEOPLE]
    await announce(session, request, assignment, Supervised(until=until, people=list(people)), by=by)


async def _depends_on(session: AsyncSession, assignment: Assignment) -> Sequence[UUID]:
    """The holders who have not completed, and the one asked by name; where there is neither, the offered."""
    holders = [one.person for one in await open_holdings(session, assignment) if one.completed_at is None]
    asked = [assignment.asked] if assignment.asked else []
    return holders + asked or await waves.open_offers(session, assignment)

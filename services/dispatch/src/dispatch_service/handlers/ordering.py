"""Staff are ordered, not asked: who may be, and what the order does."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.eligibility import OVERRULED_BY_ORDER, bars, overlaps
from dispatch_service.domain.errors import NotEligible
from dispatch_service.domain.states import Move, State, begin, moved, resting
from dispatch_service.events.published import Assigned, Claimed
from dispatch_service.handlers import waves
from dispatch_service.handlers.announcing import announce, note
from dispatch_service.handlers.ending import give_to_village
from dispatch_service.handlers.holding import take_place
from dispatch_service.queries import directory
from dispatch_service.queries.locking import open_holdings
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Request, Volunteer
from lianhu_kit.database import now
from lianhu_kit.timers import disarm

ORDER = "order"  # the timer that waits for a member of staff whom the directory has not told of yet
STAFF_ROLES = frozenset({"grid_worker", "grid_leader", "branch_secretary", "clerk"})


def can_be_ordered(person: Volunteer, village: str) -> bool:
    """Whether somebody is staff with a working role that reaches into the village."""
    working = [role for role in person.roles if role["role"] in STAFF_ROLES]
    return person.staff and any(overlaps(role["at"], village) for role in working)


async def order(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: Volunteer,
    *,
    by: UUID | None,
) -> None:
    """Gives a place to a member of staff: assigned and claimed at once. NotEligible names what stands against it."""
    begin(assignment.state, Move.ORDER)
    clock = now(session)
    against = bars(directory.candidate(person), waves.need_of(assignment), clock, settings.day(clock))
    against = [bar for bar in against if bar not in OVERRULED_BY_ORDER]
    if against:
        raise NotEligible([bar.value for bar in against])
    if any(holding.person == person.id for holding in await open_holdings(session, assignment)):
        return
    assigned = Assigned(person=person.id, ordered=True)
    await announce(session, request, assignment, assigned, by=by, state=State.ASSIGNED)
    await take_place(session, assignment, person, "order")
    assignment.asked = None
    rests = resting(assignment.taken, assignment.places, offered=assignment.wave > 0)
    assignment.state = moved(assignment.state, Move.ORDER, rests)
    note(session, assignment, Move.ORDER, by=by, person=person.id)
    await announce(session, request, assignment, Claimed(person=person.id, name=person.name, via="order"), by=by)
    if assignment.state is State.CLAIMED:
        assignment.offered_until = None
        await disarm(session, assignment.id)


async def order_or_return(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: UUID,
    *,
    by: UUID | None,
) -> None:
    """Carries out the village's order; gives the work back to the village where the person cannot be ordered."""
    named = await directory.volunteer(session, person)
    if named is not None and can_be_ordered(named, assignment.tenant):
        try:
            await order(session, settings, request, assignment, named, by=by)
            return
        except NotEligible as refused:
            words = str(refused)
    else:
        words = "The person named is not staff of this village."
    await give_to_village(session, request, assignment, words=words, by=None)

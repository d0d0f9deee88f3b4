"""One person is asked by name, and accepts or passes; offers are passed on as freely."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain import ladder
from dispatch_service.domain.eligibility import OVERRULED_BY_NAME, bars
from dispatch_service.domain.errors import NotEligible, OfferEnded
from dispatch_service.domain.ladder import Step
from dispatch_service.domain.states import Move, State, begin, moved, resting
from dispatch_service.events.published import Assigned, Claimed, Declined
from dispatch_service.handlers import ordering, waves
from dispatch_service.handlers.announcing import announce, note
from dispatch_service.handlers.holding import take_place
from dispatch_service.queries import directory
from dispatch_service.queries.locking import open_holdings
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Offer, Request, Volunteer
from lianhu_kit.database import now
from lianhu_kit.divisions import village_of
from lianhu_kit.timers import arm, disarm

ASKED = "asked"  # the timer at whose end no answer counts as passing: others are offered it again


async def assign(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: Volunteer,
    *,
    by: UUID,
) -> None:
    """Asks one person by name, in place of whoever was asked before; staff are ordered. The ladder rests meanwhile.

    NotEligible where something stands against it that a leader cannot overrule.
    """
    if ordering.can_be_ordered(person, assignment.tenant):
        await ordering.order(session, settings, request, assignment, person, by=by)
        return
    if assignment.asked == person.id or await _holds(session, assignment, person.id):
        return
    begin(assignment.state, Move.ASSIGN)
    clock = now(session)
    found = bars(directory.candidate(person), waves.need_of(assignment), clock, settings.day(clock))
    against = [bar.value for bar in found if bar not in OVERRULED_BY_NAME]
    if village_of(person.tenant) != assignment.tenant:
        against.append("village")
    if against:
        raise NotEligible(against)
    await _offer_by_name(session, assignment, person.id)
    assignment.asked = person.id
    assignment.state = moved(assignment.state, Move.ASSIGN, State.ASSIGNED)
    assignment.offered_until = await _answer_by(session, assignment)
    await disarm(session, assignment.id, waves.WAVE)
    await arm(session, ASKED, assignment.id, assignment.offered_until, tenant=assignment.tenant)
    note(session, assignment, Move.ASSIGN, by=by, person=person.id)
    await announce(session, request, assignment, Assigned(person=person.id, ordered=False), by=by)


async def accept(
    session: AsyncSession, request: Request, assignment: Assignment, person: Volunteer, settings: Settings
) -> None:
    """The person who was asked takes the place; a repeat by its holder changes nothing. OfferEnded for others."""
    if await _holds(session, assignment, person.id):
        return
    begin(assignment.state, Move.ACCEPT)
    if assignment.asked != person.id:
        raise OfferEnded
    clock = now(session)
    found = bars(directory.candidate(person), waves.need_of(assignment), clock, settings.day(clock))
    against = [bar.value for bar in found if bar in ("inactive", "unchecked")]
    if against:
        raise NotEligible(against)
    await take_place(session, assignment, person, "assignment")
    await _answered(session, settings, request, assignment, Move.ACCEPT)
    claimed = Claimed(person=person.id, name=person.name, via="assignment")
    await announce(session, request, assignment, claimed, by=person.id)
    if assignment.state is not State.CLAIMED:
        await waves.resume(session, settings, request, assignment)


async def decline(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    offer: Offer,
    *,
    words: str | None,
    by: UUID | None,
) -> None:
    """Passes on an offer or on being asked, free of cost and reasons; a repeat changes nothing.

    `by` is None where the time to answer ran out. When nobody is left to wait for, the next wave begins at once.
    """
    asked = assignment.asked == offer.person
    if offer.declined_at is not None and not asked:
        return
    begin(assignment.state, Move.DECLINE)
    offer.declined_at = now(session)
    if asked:
        await _answered(session, settings, request, assignment, Move.DECLINE)
    note(session, assignment, Move.DECLINE, by=by, person=offer.person, words=words)
    await announce(session, request, assignment, Declined(person=offer.person), by=by)
    if asked:
        await waves.resume(session, settings, request, assignment)
    await session.flush()
    waiting = assignment.state is State.OFFERED and assignment.offered_until is not None
    if waiting and not await waves.open_offers(session, assignment):
        await arm(session, waves.WAVE, assignment.id, now(session), tenant=assignment.tenant)


async def unanswered(session: AsyncSession, settings: Settings, request: Request, assignment: Assignment) -> None:
    """The time to answer ran out: the one who was asked is taken to have passed."""
    if assignment.state is not State.ASSIGNED or assignment.asked is None:
        return
    offer = await session.get_one(Offer, (assignment.id, assignment.asked), populate_existing=True)
    await decline(session, settings, request, assignment, offer, words=None, by=None)


async def _answered(
    session: AsyncSession, settings: Settings, request: Request, assignment: Assignment, move: Move
) -> None:
    assignment.asked = assignment.offered_until = None
    rests = resting(assignment.taken, assignment.places, offered=assignment.wave > 0)
    assignment.state = moved(assignment.state, move, rests)
    await disarm(session, assignment.id)


async def _holds(session: AsyncSession, assignment: Assignment, person: UUID) -> bool:
    return any(holding.person == person for holding in await open_holdings(session, assignment))


async def _offer_by_name(session: AsyncSession, assignment: Assignment, person: UUID) -> None:
    """Opens the person's offer, also where they passed before: they are asked anew and are as free as then."""
    offer = await session.get(Offer, (assignment.id, person), populate_existing=True)
    if offer is None:
        offer = Offer(
            assignment_id=assignment.id,
            person=person,
            tenant=assignment.tenant,
            wave=0,
            why={},
            offered_at=now(session),
        )
        session.add(offer)
    offer.why = {"code": "by-name"}
    offer.declined_at = None


async def _answer_by(session: AsyncSession, assignment: Assignment) -> datetime:
    """How long the one who is asked has: as long as a wave to the grid."""
    settings = await directory.settings_at(session, assignment.grid or assignment.tenant)
    lasts = ladder.seconds(Step.GRID, settings["wave_seconds"], urgent=assignment.urgent)
    return now(session) + timedelta(seconds=lasts)

"""The ladder at work: each rung offers to whom it newly reaches, or tells who decides.

Every function takes a request and an assignment that the caller has locked.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain import ladder
from dispatch_service.domain.eligibility import Need, eligible
from dispatch_service.domain.ladder import AUDIENCES, Step
from dispatch_service.domain.reasons import Reason, offered_because
from dispatch_service.domain.states import Move, State, moved
from dispatch_service.events.published import MOST_PEOPLE, Escalated, Offered
from dispatch_service.handlers.announcing import announce
from dispatch_service.handlers.holding import load_change
from dispatch_service.queries import directory
from dispatch_service.queries.locking import open_holdings
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Offer, Request
from lianhu_kit.database import now
from lianhu_kit.timers import arm

WAVE = "wave"  # the timer at whose end the next rung begins


def need_of(assignment: Assignment) -> Need:
    """What the assignment asks of a person."""
    return Need(assignment.skill, assignment.minor, frozenset(UUID(one) for one in assignment.excluded))


async def advance(session: AsyncSession, settings: Settings, request: Request, assignment: Assignment) -> None:
    """Goes on to the next rung that reaches anybody new; rungs without anybody are passed over."""
    for step in ladder.steps_after(_step(assignment)):
        if step in AUDIENCES:
            people = await _newly_reached(session, settings, assignment, step)
            if people:
                assignment.wave += 1
                await _begin(session, assignment, step)
                await _offer(session, request, assignment, step, people)
                return
        elif assignment.wave == 0 and assignment.step is None:
            # Nobody at all: the directory may be a moment behind, so the leader is told after a pause.
            assignment.step = Step.VILLAGE
            await _rest(session, assignment, settings.patience_seconds)
            return
        else:
            assignment.step = step
            await _tell(session, request, assignment, step)
            return


async def resume(
    session: AsyncSession, settings: Settings, request: Request, assignment: Assignment, *, again: bool = False
) -> None:
    """Takes the ladder up again after somebody passed or gave back: the rung it stood on, for its whole time.

    With `again`, whoever was offered it and has not passed is told once more. Work for staff has no ladder.
    """
    step = _step(assignment)
    if assignment.route == "staff" and assignment.wave == 0:
        return
    if step is None:
        await advance(session, settings, request, assignment)
        return
    if step is not Step.TOWN:
        await _begin(session, assignment, step)
    if again and assignment.wave > 0:
        people = await open_offers(session, assignment)
        for part in _parts(people):
            await announce(session, request, assignment, _offered(assignment, _widest(step), part), by=None)


async def widen(session: AsyncSession, settings: Settings, request: Request, assignment: Assignment) -> None:
    """Offers to people who became eligible after their wave began; they see what the others see."""
    step = _step(assignment)
    fresh: dict[UUID, Reason] = {}
    for circle in ladder.reached(step):
        found = await _newly_reached(session, settings, assignment, circle)
        fresh.update({person: why for person, why in found.items() if person not in fresh})
    if step is None or not fresh:
        return
    if assignment.wave == 0:
        assignment.wave = 1
        if step is Step.VILLAGE:
            await _begin(session, assignment, step)
    await _offer(session, request, assignment, _widest(step), fresh)


async def open_offers(session: AsyncSession, assignment: Assignment) -> list[UUID]:
    """Who was offered it and has neither passed nor holds it; by id."""
    holders = {holding.person for holding in await open_holdings(session, assignment)}
    statement = select(Offer.person).where(
        col(Offer.assignment_id) == assignment.id, col(Offer.declined_at).is_(None), col(Offer.wave) > 0
    )
    return [person for person in (await session.exec(statement.order_by(col(Offer.person)))) if person not in holders]


def _step(assignment: Assignment) -> Step | None:
    return Step(assignment.step) if assignment.step else None


def _widest(step: Step) -> Step:
    return ladder.reached(step)[-1]


async def _newly_reached(
    session: AsyncSession, settings: Settings, assignment: Assignment, step: Step
) -> dict[UUID, Reason]:
    """Whom a rung reaches who may be offered it and was not asked before, each with the reason."""
    circle = await directory.in_circle(session, assignment, step)
    if not circle:
        return {}
    asked = set(await session.exec(select(Offer.person).where(col(Offer.assignment_id) == assignment.id)))
    asked |= {holding.person for holding in await open_holdings(session, assignment)}
    need, clock = need_of(assignment), now(session)
    today = settings.day(clock)
    candidates = [directory.candidate(one, load_change(session, one.id)) for one in circle if one.id not in asked]
    return {
        one.person: offered_because(step, one, need, assignment.grid)
        for one in candidates
        if eligible(one, need, clock, today)
    }


async def _begin(session: AsyncSession, assignment: Assignment, step: Step) -> None:
    """Stands on a rung for as long as the village's settings say."""
    settings = await directory.settings_at(session, assignment.grid or assignment.tenant)
    lasts = ladder.seconds(step, settings["wave_seconds"], urgent=assignment.urgent)
    assignment.step = step
    await _rest(session, assignment, lasts)
    ends = step in AUDIENCES and assignment.wave > 0
    assignment.offered_until = now(session) + timedelta(seconds=lasts) if ends else None


async def _rest(session: AsyncSession, assignment: Assignment, seconds: float) -> None:
    due = now(session) + timedelta(seconds=seconds)
    await arm(session, WAVE, assignment.id, due, tenant=assignment.tenant)


async def _offer(
    session: AsyncSession, request: Request, assignment: Assignment, step: Step, people: dict[UUID, Reason]
) -> None:
    """Writes the offers and says so, at most 500 people an event."""
    assignment.state = moved(assignment.state, Move.OFFER, State.OFFERED)
    rows = [
        {
            "assignment_id": assignment.id,
            "person": person,
            "tenant": assignment.tenant,
            "wave": assignment.wave,
            "why": why,
            "offered_at": now(session),
        }
        for person, why in people.items()
    ]
    await session.execute(insert(Offer), rows)
    for part in _parts(sorted(people)):
        await announce(session, request, assignment, _offered(assignment, step, part), by=None)


def _offered(assignment: Assignment, step: Step, people: Sequence[UUID]) -> Offered:
    return Offered(wave=assignment.wave, audience=step, people=list(people), offered_until=assignment.offered_until)


def _parts(people: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [people[begin : begin + MOST_PEOPLE] for begin in range(0, len(people), MOST_PEOPLE)]


async def _tell(session: AsyncSession, request: Request, assignment: Assignment, step: Step) -> None:
    """Tells the leader, and later the town; earlier offers stay open without an end."""
    moved(assignment.state, Move.ESCALATE, assignment.state)
    assignment.offered_until = None
    if step is Step.LEADER:
        await _begin(session, assignment, step)
    to = "leader" if step is Step.LEADER else "town"
    await announce(session, request, assignment, Escalated(to=to, wave=max(assignment.wave, 1)), by=None)

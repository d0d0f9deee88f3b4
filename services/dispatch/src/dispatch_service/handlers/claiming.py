"""The claim: exactly `places` win, however many come at once.

The hot path: one read without locks answers nearly everyone who comes too late, in a transaction of its own that waits
for nobody; whoever may still win locks the request's row and then takes the place with one conditional update, holding,
load and sequence with it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.eligibility import Bar, is_checked
from dispatch_service.domain.errors import AlreadyClaimed, AtCapacity, NotEligible, OfferEnded
from dispatch_service.domain.states import Move, State, begin
from dispatch_service.events.published import Claimed
from dispatch_service.handlers.announcing import announce
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.database import now
from lianhu_kit.hot import HotTransaction
from lianhu_kit.timers import disarm

# Everything that decides about a claim, in one round trip and without a lock.
_STANDING = """
    SELECT clock_timestamp() AS clock, a.id, a.request_id, a.state, a.taken, a.places, a.minor,
           o.declined_at IS NOT NULL AS passed, h.person IS NOT NULL AS holds,
           coalesce(v.active, false) AS active, coalesce(v.load, 0) AS load,
           coalesce(v.capacity, 0) AS capacity, v.checked_until
    FROM assignments a
    LEFT JOIN offers o ON o.assignment_id = a.id AND o.person = $2
    LEFT JOIN holdings h ON h.assignment_id = a.id AND h.person = $2 AND h.ended_at IS NULL
    LEFT JOIN volunteers v ON v.id = $2
    WHERE a.id = $1 AND (o.person IS NOT NULL OR h.person IS NOT NULL)
"""
# One lock order for all: the request first.
_LOCK = text("SELECT id FROM requests WHERE id = :request FOR UPDATE")
# Place, holding, load and sequence move together or not at all. The unique (assignment, person) stands behind it.
_TAKE = text(
    """
    WITH person AS (
        SELECT id, name FROM volunteers WHERE id = :person AND load < capacity FOR UPDATE
    ), won AS (
        UPDATE assignments a SET taken = taken + 1,
            state = CASE WHEN taken + 1 >= places THEN 'claimed' ELSE state END,
            offered_until = CASE WHEN taken + 1 >= places THEN NULL ELSE offered_until END
        FROM person
        WHERE a.id = :assignment AND a.state = 'offered' AND a.taken < a.places
          AND NOT EXISTS (SELECT FROM holdings h
                          WHERE h.assignment_id = a.id AND h.person = :person AND h.ended_at IS NULL)
        RETURNING a.id, a.tenant
    ), held AS (
        INSERT INTO holdings (assignment_id, person, tenant, name, via, claimed_at, evidence)
        SELECT won.id, person.id, won.tenant, person.name, 'offer', :at, '[]' FROM won, person
        ON CONFLICT (assignment_id, person) DO UPDATE SET name = excluded.name, via = excluded.via,
            claimed_at = excluded.claimed_at, checked_in_at = NULL, checked_out_at = NULL, ended_at = NULL, place = NULL
    ), loaded AS (
        UPDATE volunteers SET load = load + 1 FROM won WHERE volunteers.id = :person
    )
    SELECT person.name FROM won, person
    """
)


@dataclass(frozen=True)
class Standing:
    """What a would-be claimer sees, read without locks; `scope` is where it was found."""

    scope: str
    clock: datetime
    id: UUID
    request_id: UUID
    state: State
    taken: int
    places: int
    minor: bool
    passed: bool
    holds: bool
    active: bool
    load: int
    capacity: int
    checked_until: date | None


async def standing(hot: HotTransaction, scope: str, assignment: UUID, person: UUID) -> Standing | None:
    """How an assignment and this person stand to each other; None where it was not offered to them."""
    row = await hot.row(_STANDING, assignment, person)
    return None if row is None else Standing(scope, **{**row, "state": State(row["state"])})


async def claim(session: AsyncSession, seen: Standing, person: UUID) -> bool:
    """Takes a place of an assignment that was offered to this person; a repeat by its holder changes nothing.

    False where somebody was faster: look again to see why it is lost.
    """
    if seen.holds:
        return True
    await session.execute(_LOCK, {"request": seen.request_id})
    taken = await session.execute(_TAKE, {"assignment": seen.id, "person": person, "at": now(session)})
    name = taken.scalar_one_or_none()
    if name is None:
        return False
    request = await session.get_one(Request, seen.request_id, populate_existing=True)
    assignment = await session.get_one(Assignment, seen.id, populate_existing=True)
    await announce(session, request, assignment, Claimed(person=person, name=name, via="offer"), by=person)
    if assignment.state is State.CLAIMED:
        await disarm(session, assignment.id)
    return True


def refuse(seen: Standing, settings: Settings) -> None:
    """Answers whoever cannot win any more, as far as was seen; a holder is not refused.

    Raises AlreadyClaimed, OfferEnded, AtCapacity, NotEligible or IllegalTransition.
    """
    if seen.holds:
        return
    if seen.state in (State.CLAIMED, State.IN_PROGRESS, State.COMPLETED):
        raise AlreadyClaimed
    begin(seen.state, Move.CLAIM)
    if seen.taken >= seen.places:
        raise AlreadyClaimed
    if seen.passed:
        raise OfferEnded
    if not seen.active:
        raise NotEligible([Bar.INACTIVE])
    if seen.minor and not is_checked(seen.checked_until, settings.day(seen.clock)):
        raise NotEligible([Bar.UNCHECKED])
    if seen.load >= seen.capacity:
        raise AtCapacity(seen.load, seen.capacity)

"""Work on site: check in, check out, report it done."""

from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.errors import IllegalTransition, NotHeld
from dispatch_service.domain.states import Move, State, allowed, begin, moved
from dispatch_service.domain.visits import begins, check_time, check_two_people, minutes_of
from dispatch_service.events.published import CheckedIn, CheckedOut, Completed
from dispatch_service.handlers.announcing import announce
from dispatch_service.handlers.holding import change_load
from dispatch_service.queries import directory
from dispatch_service.queries.locking import open_holdings
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Holding, Request
from lianhu_kit.database import now


async def check_in(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: UUID,
    *,
    at: datetime | None,
    place: str | None,
) -> None:
    """Begins a holder's work; a repeat changes nothing. TwoPeopleNeeded for a minor until two checked people hold it.

    `at` is when it really began, for phones without signal; now where it is left out.
    """
    holders = await open_holdings(session, assignment)
    holding = _own(holders, person)
    if holding.checked_in_at is not None:
        return
    if assignment.minor:
        known = await directory.volunteers(session, [holder.person for holder in holders])
        check_two_people([one.checked_until for one in known.values()], settings.day(now(session)))
    begin(assignment.state, Move.CHECK_IN)
    clock = now(session)
    holding.checked_in_at = clock if at is None else check_time("at", at, not_before=holding.claimed_at, now=clock)
    holding.place = place
    checked_in = sum(one.checked_in_at is not None for one in holders)
    if assignment.state is State.CLAIMED and begins(checked_in, minor=assignment.minor):
        assignment.state = moved(assignment.state, Move.CHECK_IN, State.IN_PROGRESS)
    await announce(session, request, assignment, CheckedIn(person=person, at=holding.checked_in_at), by=person)


async def check_out(
    session: AsyncSession, request: Request, assignment: Assignment, person: UUID, *, at: datetime | None
) -> None:
    """Ends a holder's time on site; a repeat changes nothing. Refused before the check-in."""
    holding = _own(await open_holdings(session, assignment), person)
    if holding.checked_out_at is not None:
        return
    begin(assignment.state, Move.CHECK_OUT)
    if holding.checked_in_at is None:
        raise IllegalTransition(Move.CHECK_OUT, assignment.state, _without(assignment.state, Move.CHECK_OUT))
    clock = now(session)
    holding.checked_out_at = clock if at is None else check_time("at", at, not_before=holding.checked_in_at, now=clock)
    out = CheckedOut(
        person=person,
        at=holding.checked_out_at,
        minutes=minutes_of(holding.checked_in_at, holding.checked_out_at),
    )
    await announce(session, request, assignment, out, by=person)


async def complete(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: UUID,
    *,
    result: str,
    evidence: list[str],
    served_person_times: int,
    minutes: int | None,
) -> None:
    """A holder reports the work done; a repeat changes nothing. The last holder's report completes the assignment.

    Without a check-in it is allowed and is weaker evidence, unless the place of another is open. `minutes` left out
    are those between check-in and check-out, or now where nobody checked out.
    """
    holders = await open_holdings(session, assignment)
    holding = _own(holders, person)
    if holding.completed_at is not None:
        return
    begin(assignment.state, Move.COMPLETE)
    if assignment.state not in (State.CLAIMED, State.IN_PROGRESS) and holding.checked_in_at is None:
        raise IllegalTransition(Move.COMPLETE, assignment.state, _without(assignment.state, Move.COMPLETE))
    if assignment.minor and holding.checked_in_at is None:
        known = await directory.volunteers(session, [holder.person for holder in holders])
        check_two_people([one.checked_until for one in known.values()], settings.day(now(session)))
    holding.completed_at = now(session)
    if holding.checked_in_at is not None and holding.checked_out_at is None:
        holding.checked_out_at = holding.completed_at
    stayed = minutes_of(holding.checked_in_at, holding.checked_out_at)
    holding.minutes = stayed if minutes is None else minutes
    holding.served_person_times = served_person_times
    holding.result, holding.evidence = result, evidence
    change_load(session, [person], -1)
    last = assignment.taken >= assignment.places and all(one.completed_at is not None for one in holders)
    if last:
        assignment.state = moved(assignment.state, Move.COMPLETE, State.COMPLETED)
        assignment.ended_at = now(session)
    done = Completed(
        person=person,
        last=last,
        served_person_times=served_person_times,
        minutes=holding.minutes,
        evidence="photo" if evidence else "word",
        checked_in=holding.checked_in_at is not None,
    )
    await announce(session, request, assignment, done, by=person)


def _own(holders: list[Holding], person: UUID) -> Holding:
    for holding in holders:
        if holding.person == person:
            return holding
    raise NotHeld


def _without(state: State, move: Move) -> list[str]:
    return [possible for possible in allowed(state) if possible != move]

"""How a request comes to its end: completed, confirmed, opened again, withdrawn."""

from datetime import tzinfo
from typing import Literal
from uuid import UUID

from sqlmodel import col, func, select

from requests_service.domain import grades, town
from requests_service.domain.statuses import Move, after
from requests_service.events.published import Closed, Completed, Confirmed, Reopened, ReportedUp, Withdrawn
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.handlers.sending import send_out
from requests_service.tables import Grade, Holder, Step

DOING = ("accepted", "answered", "agency-replied")  # steps whose maker does not call back


async def complete(
    case: Case, *, via: Literal["dispatch", "answer", "agency"], evidence: str, round: int | None = None
) -> None:
    """Tells that the request, moved to completed before, waits for the resident's word."""
    case.request.completed_at = case.now
    case.request.confirm_passed = False
    case.request.tries = 0
    await clock.start_confirmation(case)
    case.tell(Completed, round=round, via=via, evidence=evidence, confirm_by=case.request.confirm_due)


async def confirm(
    case: Case,
    *,
    solved: str,
    grade: int,
    comment: str | None,
    source: Literal["resident", "callback"],
    caller: UUID | None,
    zone: tzinfo,
) -> None:
    """Records the resident's word. Not solved, or one of the lowest two grades, opens rework by itself.

    Raises IllegalTransition, TooLate, NotYourCallback.
    """
    request = case.request
    after(case.status, Move.CONFIRM)
    if source == "callback" and caller is not None:
        grades.require_disinterested(caller, accepted_by=request.accepted_by, doers=await doers(case))
    grades.require_in_time(request.closed_at, case.now)
    first = request.first_grade is None
    earlier = (await case.session.exec(select(func.count()).where(Grade.request_id == request.id))).one()
    case.session.add(
        Grade(
            request_id=request.id,
            nth=earlier + 1,
            tenant=request.tenant,
            solved=solved,
            grade=grade,
            source=source,
            comment=comment,
            by=caller,
            at=case.now,
        )
    )
    request.solved, request.last_grade = solved, grade
    if first:
        request.first_grade = grade
    rework = grades.needs_rework(solved, grade)
    if not rework:
        case.move(Move.CONFIRM)
    case.tell(Confirmed, solved=solved, grade=grade, source=source, first=first)
    if rework:
        await _open_again(case, grades.reason_of_rework(solved), zone)
    else:
        case.tell(Closed, how="confirmed")
        await case.end()
    await case.save()


async def doers(case: Case) -> set[UUID | None]:
    """Everybody who held the request, and whoever accepted it, answered it or passed an agency's reply on."""
    holders = await case.session.exec(select(Holder.person).where(Holder.request_id == case.request.id))
    actors = await case.session.exec(
        select(Step.by).where(Step.request_id == case.request.id, col(Step.step).in_(DOING), col(Step.by).is_not(None))
    )
    return {*holders, *actors}


async def reopen(case: Case, *, reason: str, by_resident: bool, zone: tzinfo) -> None:
    """Opens a completed request again, with the reason. Raises IllegalTransition, TooLate."""
    after(case.status, Move.REOPEN)
    grades.require_in_time(case.request.closed_at, case.now)
    await _open_again(case, "resident" if by_resident else "clerk", zone, reason)
    await case.save()


async def _open_again(
    case: Case,
    reason_kind: Literal["grade", "not-solved", "resident", "clerk"],
    zone: tzinfo,
    reason: str | None = None,
) -> None:
    request = case.request
    case.move(Move.REOPEN)
    request.reopened += 1
    request.completed_at = request.closed_at = None
    await clock.start_again(case, zone)
    case.tell(Reopened, details={"reason": reason} if reason else None, reason_kind=reason_kind, count=request.reopened)
    if request.about is not None:
        case.move(Move.REPORT_UP)
        case.tell(ReportedUp, to=town.above(request.tenant))
    elif grades.reworked_by_itself(request.reopened, request.route):
        await send_out(case, route="volunteers", staff=None, places=request.places)
    elif grades.reported_up_by_itself(request.reopened):
        case.move(Move.REPORT_UP)
        case.tell(ReportedUp, to=town.above(request.tenant))


async def withdraw(case: Case, *, reason: str | None) -> None:
    """Takes the request back. What dispatch still has open is cancelled by the event."""
    case.move(Move.WITHDRAW)
    case.tell(Withdrawn, details={"reason": reason} if reason else None)
    await case.end()
    await case.save()

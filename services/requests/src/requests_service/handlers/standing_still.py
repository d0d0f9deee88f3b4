"""Suspend, resume, extend: the village asks, the next level decides; the clock moves, the status does not."""

from datetime import datetime
from typing import Literal

from sqlmodel import col, select

from lianhu_kit.problems import FieldError, Invalid
from requests_service.domain import standing_still as rules
from requests_service.domain.standing_still import Asked
from requests_service.domain.statuses import Move, after
from requests_service.domain.town import require_another
from requests_service.events.published import Extended, Suspended
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.tables import Step

Which = Literal["contact", "finish"]


async def ask_to_suspend(case: Case, *, until: datetime, reason: str) -> None:
    """Asks the next level to let the clock stand still. Raises IllegalTransition, AlreadySuspended, Invalid."""
    after(case.status, Move.SUSPEND)
    rules.require_running(case.request.suspended_at)
    _check_time("until", until, case.now)
    await _ask(case, Asked.SUSPEND, until, reason)


async def suspend(case: Case, *, until: datetime | None, reason: str | None) -> None:
    """Lets the clock stand still: as was asked for, or by the next level's own will where time and reason are given.

    Raises IllegalTransition, AlreadySuspended, NothingAsked, OwnDecision, Invalid.
    """
    after(case.status, Move.SUSPEND)
    rules.require_running(case.request.suspended_at)
    until, reason = await _granted(case, Asked.SUSPEND, until, reason)
    _check_time("until", until, case.now)
    await clock.stop(case, until)
    case.request.version += 1
    case.tell(Suspended, details={"reason": reason}, until=until)
    await case.save()


async def resume(case: Case) -> None:
    """Lets the clock run again before its time. Raises IllegalTransition, NotSuspended."""
    after(case.status, Move.RESUME)
    if case.request.suspended_at is None:
        raise rules.NotSuspended
    await clock.run_again(case)
    await case.save()


async def ask_to_extend(case: Case, *, limit: Which, due_at: datetime, reason: str) -> None:
    """Asks the next level for a longer limit, before it passes, once.

    Raises IllegalTransition, ExtendedBefore, NoLimit, LimitOver, Invalid.
    """
    after(case.status, Move.EXTEND)
    due = _extendable(case, limit, case.request.suspended_at or case.now)
    _check_time("due_at", due_at, due)
    await _ask(case, _what(limit), due_at, reason)


async def extend(case: Case, *, limit: Which, due_at: datetime | None, reason: str | None) -> None:
    """Makes a limit longer: as was asked for, or by the next level's own will. What was asked in time is granted late.

    Raises IllegalTransition, ExtendedBefore, NoLimit, LimitOver, NothingAsked, OwnDecision, Invalid.
    """
    after(case.status, Move.EXTEND)
    request = case.request
    asked = request.asked == _what(limit)
    due_at, reason = await _granted(case, _what(limit), due_at, reason)
    # What was asked was asked in time: the limit may have passed while it waited for the answer.
    due = _extendable(case, limit, None if asked else request.suspended_at or case.now)
    _check_time("due_at", due_at, due)
    if limit == "contact":
        request.contact_due = due_at
    else:
        request.finish_due = due_at
    request.extended_at = case.now
    request.version += 1
    case.tell(Extended, details={"reason": reason}, limit=limit, due_at=due_at, was_due_at=due)
    await clock.go_on(case, clock.CONTACT_NEAR if limit == "contact" else clock.FINISH_NEAR)
    await case.save()


async def refuse(case: Case, what: Asked, *, reason: str | None) -> None:
    """The next level does not grant what was asked; the story keeps why. Raises NothingAsked, OwnDecision."""
    rules.require_ask(case.request.asked, what)
    require_another(case.by, case.request.asked_by)
    _forget_ask(case)
    case.request.version += 1
    case.note("requests", f"{what}-refused", case.now, case.by, {"reason": reason} if reason else None)
    await case.save()


def _what(limit: Which) -> Asked:
    return Asked.EXTEND_CONTACT if limit == "contact" else Asked.EXTEND_FINISH


def _extendable(case: Case, limit: Which, at: datetime | None) -> datetime:
    request = case.request
    contact = None if request.contacted_at else request.contact_due
    return rules.require_extendable(contact if limit == "contact" else request.finish_due, at, request.extended_at)


def _check_time(field: str, until: datetime, start: datetime) -> None:
    if not rules.until_is_right(until, start):
        days = rules.LONGEST.days
        raise Invalid([FieldError(field, f"Give a time after {start.isoformat()}, by at most {days} days.")])


async def _ask(case: Case, what: Asked, until: datetime, reason: str) -> None:
    case.request.asked, case.request.asked_until, case.request.asked_by = what, until, case.by
    case.request.version += 1
    case.note("requests", f"{what}-asked", case.now, case.by, {"reason": reason})
    await case.save()


async def _granted(case: Case, what: Asked, until: datetime | None, reason: str | None) -> tuple[datetime, str]:
    """Time and reason of what is decided: those given, else those asked for. What was asked is answered by it."""
    request = case.request
    if request.asked == what:
        require_another(case.by, request.asked_by)
        until, reason = until or request.asked_until, reason or await _reason(case, what)
        _forget_ask(case)
    if until is None or reason is None:
        raise rules.NothingAsked
    return until, reason


def _forget_ask(case: Case) -> None:
    case.request.asked = case.request.asked_until = case.request.asked_by = None


async def _reason(case: Case, what: Asked) -> str | None:
    rows = await case.session.exec(
        select(Step.details)
        .where(Step.request_id == case.request.id, Step.step == f"{what}-asked")
        .order_by(col(Step.position).desc())
        .limit(1)
    )
    words: str | None = (rows.first() or {}).get("reason")
    return words

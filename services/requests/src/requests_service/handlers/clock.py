"""Limits as timers: armed and ended by moves, they mark amber and red, remind, and close what stays unconfirmed."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.timers import Timer, disarm
from requests_service.domain import grades, limits, standing_still
from requests_service.domain.statuses import OPEN, Move, Status
from requests_service.events.published import Closed, LimitNear, LimitPassed, Resumed
from requests_service.handlers.case import Case
from requests_service.queries import units

CONTACT_NEAR, CONTACT_PASSED = "contact-near", "contact-passed"
FINISH_NEAR, FINISH_PASSED = "finish-near", "finish-passed"
CONFIRM_NEAR, CONFIRM_PASSED = "confirm-near", "confirm-passed"
SUSPENSION_OVER = "suspension-over"
WORK = (CONTACT_NEAR, CONTACT_PASSED, FINISH_NEAR, FINISH_PASSED)
URGENT_SECONDS = {"urgent_contact_seconds": 30 * 60, "urgent_finish_seconds": 2 * 3600}


async def start_confirmation(case: Case) -> None:
    """From completion on the resident has so long to confirm; work limits end."""
    await disarm(case.session, case.request.id)
    case.clear()
    _await_confirmation(case)


def _await_confirmation(case: Case) -> None:
    request = case.request
    seconds = request.confirm_seconds
    request.confirm_due = case.now + timedelta(seconds=seconds)
    case.arm(CONFIRM_NEAR, case.now + timedelta(seconds=seconds * limits.AMBER))
    case.arm(CONFIRM_PASSED, request.confirm_due)


async def contact_met(case: Case) -> None:
    """Somebody spoke with the resident."""
    await disarm(case.session, case.request.id, CONTACT_NEAR, CONTACT_PASSED)


async def tighten(case: Case) -> None:
    """An urgent request: contact and work on site are due around the clock, from now on.

    An urgent request's clock does not stand still.
    """
    request = case.request
    if request.suspended_at is not None:
        await run_again(case)
    settings: dict[str, Any] = URGENT_SECONDS | await units.settings_at(case.session, request.grid or request.tenant)
    request.urgent = True
    if request.contacted_at is None:
        seconds = int(settings["urgent_contact_seconds"])
        request.contact_due = request.contact_promised = limits.tightened(request.contact_due, case.now, seconds)
    seconds = int(settings["urgent_finish_seconds"])
    request.finish_due = request.finish_promised = limits.tightened(request.finish_due, case.now, seconds)
    await _arm_work(case)


async def stop(case: Case, until: datetime) -> None:
    """The clock of the work stands still until a time at most."""
    await disarm(case.session, case.request.id, *WORK)
    case.request.suspended_at, case.request.suspended_until = case.now, until
    case.arm(SUSPENSION_OVER, until)


async def run_again(case: Case) -> None:
    """The clock of a suspended request runs again: as much time is left as there was when it stopped."""
    request = case.request
    stopped = request.suspended_at or case.now
    request.suspended_at = request.suspended_until = None
    if request.contacted_at is None:
        request.contact_due = standing_still.shifted(request.contact_due, stopped, case.now)
    request.finish_due = standing_still.shifted(request.finish_due, stopped, case.now)
    request.version += 1
    await disarm(case.session, request.id, SUSPENSION_OVER)
    case.tell(Resumed, limits=case.limits)
    await _arm_work(case)


async def go_on(case: Case, *kinds: str) -> None:
    """Work is owed within the limits as they stand: those still ahead turn amber and red. `kinds` names which alone."""
    await _arm_work(case, kinds or (CONTACT_NEAR, FINISH_NEAR))


async def start_again(case: Case, zone: tzinfo) -> None:
    """After a reopening: contact within a day, and the service's time for the work anew. The promises stay."""
    request = case.request
    await disarm(case.session, request.id)
    settings = await units.settings_at(case.session, request.grid or request.tenant)
    seconds = int(settings.get("reopen_contact_seconds", grades.REWORK_CONTACT_SECONDS))
    request.contacted_at = None
    request.contact_due = case.now + timedelta(seconds=seconds)
    request.confirm_due = None
    service = await units.service_at(case.session, request.tenant, request.service)
    if service and (given := service.limits.get("finish")):
        working = limits.working_time(settings, zone)
        request.finish_due = limits.due(case.now, limits.Limit(**given), working)
    await _arm_work(case)


async def _arm_work(case: Case, kinds: tuple[str, ...] = (CONTACT_NEAR, FINISH_NEAR)) -> None:
    """Arms amber for what is still to come. From now on: four fifths of the time that is left.

    Nothing is armed while the clock stands still.
    """
    request = case.request
    if request.suspended_at is not None:
        return
    for kind, passed, due in (
        (CONTACT_NEAR, CONTACT_PASSED, None if request.contacted_at else request.contact_due),
        (FINISH_NEAR, FINISH_PASSED, request.finish_due),
    ):
        if kind in kinds and due is not None and due > case.now:
            await disarm(case.session, request.id, passed)
            case.arm(kind, case.now + (due - case.now) * limits.AMBER)


async def contact_near(session: AsyncSession, timer: Timer) -> None:
    """Amber: nobody has spoken with the resident yet."""
    case = await Case.lock(session, timer.aggregate)
    if case and _owes_contact(case) and case.request.contact_due:
        case.tell(LimitNear, limit="contact", due_at=case.request.contact_due)
        case.arm(CONTACT_PASSED, case.request.contact_due)
        await case.save()


async def contact_passed(session: AsyncSession, timer: Timer) -> None:
    """Red: nobody spoke with the resident in time."""
    case = await Case.lock(session, timer.aggregate)
    if case and _owes_contact(case) and case.request.contact_due:
        case.tell(LimitPassed, limit="contact", due_at=case.request.contact_due)
        await case.save()


async def finish_near(session: AsyncSession, timer: Timer) -> None:
    """Amber: the work is not done yet."""
    case = await Case.lock(session, timer.aggregate)
    if case and _owes(case) and case.request.finish_due:
        case.tell(LimitNear, limit="finish", due_at=case.request.finish_due)
        case.arm(FINISH_PASSED, case.request.finish_due)
        await case.save()


async def finish_passed(session: AsyncSession, timer: Timer) -> None:
    """Red: the work was not done in time."""
    case = await Case.lock(session, timer.aggregate)
    if case and _owes(case) and case.request.finish_due:
        case.tell(LimitPassed, limit="finish", due_at=case.request.finish_due)
        await case.save()


async def suspension_over(session: AsyncSession, timer: Timer) -> None:
    """The time is over for which the clock was to stand still."""
    case = await Case.lock(session, timer.aggregate)
    if case and case.status in OPEN and case.request.suspended_at is not None:
        await run_again(case)
        await case.save()


def _owes_contact(case: Case) -> bool:
    return _owes(case) and case.request.contacted_at is None


def _owes(case: Case) -> bool:
    """Whether the clock of the work runs."""
    return case.status in OPEN and case.request.suspended_at is None


async def confirm_near(session: AsyncSession, timer: Timer) -> None:
    """The resident has not confirmed: remind, or call again."""
    case = await Case.lock(session, timer.aggregate)
    if case and case.status == Status.COMPLETED and case.request.confirm_due:
        case.tell(LimitNear, limit="confirm", due_at=case.request.confirm_due)
        await case.save()


async def confirm_passed(session: AsyncSession, timer: Timer) -> None:
    """The time to confirm is over: after two tries it closes unconfirmed, else somebody has to try again."""
    case = await Case.lock(session, timer.aggregate)
    if not case or case.status != Status.COMPLETED or not case.request.confirm_due:
        return
    if not case.request.confirm_passed:  # told once, however often the time is given anew
        case.tell(LimitPassed, limit="confirm", due_at=case.request.confirm_due)
        case.request.confirm_passed = True
    if grades.silence_closes(case.request.tries):
        case.move(Move.LAPSE)
        case.tell(Closed, how="unconfirmed")
        await case.end()
    else:
        _await_confirmation(case)
    await case.save()


TIMERS = {
    CONTACT_NEAR: contact_near,
    CONTACT_PASSED: contact_passed,
    FINISH_NEAR: finish_near,
    FINISH_PASSED: finish_passed,
    CONFIRM_NEAR: confirm_near,
    CONFIRM_PASSED: confirm_passed,
    SUSPENSION_OVER: suspension_over,
}

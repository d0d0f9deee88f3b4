"""One level up: the town reviews a refusal, decides what is reported up, and sends it back."""

from typing import Literal
from uuid import UUID

from sqlmodel import col, select

from lianhu_kit.problems import FieldError, Invalid
from requests_service.domain import about, town
from requests_service.domain.statuses import Move
from requests_service.events.published import ReportedUp, Reviewed, SentBack
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.handlers.summing_up import write_summary
from requests_service.tables import Step


async def review(case: Case, *, outcome: Literal["upheld", "overturned"], reason: str, summary: str | None) -> None:
    """Upholds a refusal or overturns it; overturned, the request is taken on by whoever decided so.

    Limits stay as they were promised: those still ahead turn amber and red again. Raises IllegalTransition,
    OwnDecision, and Invalid for a summary that may not travel or that an upheld refusal does not need.
    """
    case.move(Move.UPHOLD if outcome == "upheld" else Move.OVERTURN)
    town.require_another(case.by, await _who(case, "rejected"))
    if outcome == "overturned":
        case.request.closed_at = None
        case.request.accepted_by = case.by
        if summary is not None:
            await write_summary(case, summary)
        await clock.go_on(case)
    elif summary is not None:
        raise Invalid([FieldError("summary", "A refusal that is upheld sends nobody: leave it out.")])
    case.tell(Reviewed, details={"reason": reason}, outcome=outcome)
    await case.save()


async def report_up(case: Case, *, to: str, reason: str) -> None:
    """Hands the request to the unit above that decides. What dispatch still has open is cancelled by the event.

    The clock runs on. Raises IllegalTransition.
    """
    case.move(Move.REPORT_UP)
    case.tell(ReportedUp, details={"reason": reason}, to=to)
    await case.save()


async def send_back(case: Case, *, unit: str, reason: str) -> None:
    """Gives the request back to the village, taken on; whoever sends back one that nobody accepted has accepted it.

    Raises IllegalTransition, and UnseenByVillage for what the village must not see.
    """
    about.require_seen(case.request.about)
    case.move(Move.SEND_BACK)
    case.request.accepted_by = case.request.accepted_by or case.by
    case.tell(SentBack, details={"reason": reason}, unit=unit)
    await case.save()


async def _who(case: Case, step: str) -> UUID | None:
    """Who made a step of the story last."""
    rows = await case.session.exec(
        select(Step.by)
        .where(Step.request_id == case.request.id, Step.step == step)
        .order_by(col(Step.position).desc())
        .limit(1)
    )
    return rows.one_or_none()

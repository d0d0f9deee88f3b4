"""Moves that are decided one level up: review of a refusal, report up, send back. Each answers the request's new state.

403 `not-one-level-up` for a supervisor of the village itself, 403 `own-decision` for whoever did what is decided on.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session, Words
from lianhu_kit.tokens import Grant
from requests_service.api.moves import ReasonBody, Summary
from requests_service.domain import town as rules
from requests_service.handlers import town
from requests_service.handlers.case import Case
from requests_service.queries.reach import find
from requests_service.queries.requests import summary_of

router = APIRouter(tags=["town"])
Supervisor = Annotated[Access, permits("supervisor")]
Reporter = Annotated[Access, permits("clerk", "supervisor")]


class ReviewBody(Body):
    """What the town decided, and why; a summary where the request is taken on and nobody has written one."""

    outcome: Literal["upheld", "overturned"]
    reason: Words
    summary: Summary | None = None


async def decided(session: Session, access: Access, request_id: UUID) -> tuple[Grant, Case]:
    """The role and the request under lock, for a supervisor above its village; NotFound, NotOneLevelUp."""
    grant, request = await find(session, access, request_id, lock=True)
    rules.require_above(grant.at, request.tenant)
    return grant, Case(session, request, access.person)


@router.post("/v1/requests/{request_id}/review")
async def review(request_id: UUID, body: ReviewBody, session: Session, access: Supervisor) -> dict[str, Any]:
    """Upholds a refusal, or overturns it: then the request is accepted, to be answered, dispatched or referred.

    403 `own-decision` for whoever refused it.
    """
    _, case = await decided(session, access, request_id)
    await town.review(case, **body.model_dump())
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/report-up")
async def report_up(request_id: UUID, body: ReasonBody, session: Session, access: Reporter) -> dict[str, Any]:
    """Reports a request up that is beyond the village; the next level answers, refers, dispatches or sends it back."""
    grant, request = await find(session, access, request_id, lock=True)
    to = rules.decides(grant.role, grant.at, request.tenant)
    await town.report_up(Case(session, request, access.person), to=to, reason=body.reason)
    return summary_of(request)


@router.post("/v1/requests/{request_id}/send-back")
async def send_back(request_id: UUID, body: ReasonBody, session: Session, access: Supervisor) -> dict[str, Any]:
    """Gives a request that was reported up back to the village, as accepted, with what the village is to do."""
    grant, case = await decided(session, access, request_id)
    await town.send_back(case, unit=grant.at, reason=body.reason)
    return summary_of(case.request)

"""The village's moves: ask, accept, reject, answer, dispatch, refer, merge, split, transfer; answers are the new state.

409 `illegal-transition` names the state and what is allowed from there.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Line, Session, VillageCode, Words
from requests_service.api.bodies import Answers, GridCode, ServiceCode
from requests_service.api.doors import Zone
from requests_service.domain import town
from requests_service.handlers import passing_on, sending, taking_on, transferring
from requests_service.handlers.case import Case
from requests_service.queries.reach import find
from requests_service.queries.requests import summary_of

router = APIRouter(tags=["moves"])
Clerk = Annotated[Access, permits("clerk")]
Decider = Annotated[Access, permits("clerk", "supervisor")]
Dispatcher = Annotated[Access, permits("clerk", "branch_secretary", "supervisor")]
Replier = Annotated[Access, permits("clerk", "grid_worker", "resident")]
Places = Annotated[int, Field(ge=1, le=20)]
Summary = Annotated[Words, StringConstraints(max_length=500)]


class AskBody(Body):
    """Everything that is missing, at once."""

    missing: Annotated[list[Line], Field(min_length=1, max_length=20)]


class ReplyBody(Body):
    """What was missing, in words and as answers to the service's questions."""

    text: Words
    answers: Answers = Field(default_factory=dict)


class AcceptBody(Body):
    """The summary travels on events; the route says who is sent."""

    summary: Summary
    route: Literal["volunteers", "staff", "none"] = "volunteers"
    staff: UUID | None = None
    grid: GridCode | None = None
    urgent: bool = False
    places: Places | None = None


class DispatchBody(Body):
    """Who is sent: volunteers in waves, or one named member of staff; the summary where none was written yet."""

    route: Literal["volunteers", "staff"]
    staff: UUID | None = None
    grid: GridCode | None = None
    places: Places | None = None
    summary: Summary | None = None


class ReasonBody(Body):
    """Why."""

    reason: Words


class AnswerBody(Body):
    """The answer, and where it is written."""

    text: Words
    source: Line


class ReferBody(Body):
    """The agency, and the reference under which it keeps the matter."""

    agency: Line
    reference: Line


class AgencyReplyBody(Body):
    """What the agency says: done, or not theirs."""

    text: Words
    outcome: Literal["done", "bounced"]


class MergeBody(Body):
    """The request that this one follows from now on."""

    into: UUID


class TransferBody(Body):
    """The village that it belongs to, and why; its service there where it is called something else."""

    to: VillageCode
    reason: Words
    service: ServiceCode | None = None


async def locked(session: Session, access: Access, request_id: UUID, beside: UUID | None = None) -> Case:
    """The request under lock, for whoever reaches it; NotFound for anybody else."""
    _, request = await find(session, access, request_id, lock=True, beside=beside)
    return Case(session, request, access.person)


async def in_hand(session: Session, access: Access, request_id: UUID) -> Case:
    """The request under lock, for whoever has it in hand: the village, or the town once it was reported up.

    NotFound out of reach, NotOneLevelUp and WithVillage for the other of the two.
    """
    case = await locked(session, access, request_id)
    roles = [(grant.role, grant.at) for grant in access.grants]
    town.require_hands(case.status, case.request.tenant, roles)
    return case


@router.post("/v1/requests/{request_id}/ask")
async def ask(request_id: UUID, body: AskBody, session: Session, access: Clerk) -> dict[str, Any]:
    """Names everything that is missing, once; the request waits for the resident."""
    case = await locked(session, access, request_id)
    await taking_on.ask(case, body.missing)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/reply")
async def reply(request_id: UUID, body: ReplyBody, session: Session, access: Replier) -> dict[str, Any]:
    """Brings what was missing: the resident whose order it is, or staff in their name."""
    case = await locked(session, access, request_id)
    await taking_on.reply(case, text=body.text, answers=body.answers)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/accept")
async def accept(request_id: UUID, body: AcceptBody, session: Session, access: Clerk) -> dict[str, Any]:
    """Takes the request on and, unless the route is none, sends it out. 422 where the summary may not travel."""
    case = await locked(session, access, request_id)
    await taking_on.accept(case, **body.model_dump())
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/reject")
async def reject(request_id: UUID, body: ReasonBody, session: Session, access: Clerk) -> dict[str, Any]:
    """Refuses the request with a reason, which the resident is told."""
    case = await locked(session, access, request_id)
    await taking_on.reject(case, reason=body.reason)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/dispatch")
async def dispatch(request_id: UUID, body: DispatchBody, session: Session, access: Dispatcher) -> dict[str, Any]:
    """Sends an accepted request out; the town one that was reported up."""
    case = await in_hand(session, access, request_id)
    await sending.dispatch(case, **body.model_dump())
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/answer")
async def answer(request_id: UUID, body: AnswerBody, session: Session, access: Decider) -> dict[str, Any]:
    """Answers with a source; nobody is sent, the resident confirms. The town answers what was reported up."""
    case = await in_hand(session, access, request_id)
    await passing_on.answer(case, text=body.text, source=body.source)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/refer")
async def refer(request_id: UUID, body: ReferBody, session: Session, access: Decider) -> dict[str, Any]:
    """Hands the request to an agency; the village stays the resident's contact."""
    case = await in_hand(session, access, request_id)
    await passing_on.refer(case, agency=body.agency, reference=body.reference)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/agency-reply")
async def agency_reply(request_id: UUID, body: AgencyReplyBody, session: Session, access: Decider) -> dict[str, Any]:
    """Passes the agency's reply on, or takes the request back from it."""
    case = await locked(session, access, request_id)
    await passing_on.agency_reply(case, text=body.text, outcome=body.outcome)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/merge")
async def merge(request_id: UUID, body: MergeBody, session: Session, access: Clerk) -> dict[str, Any]:
    """Lets a duplicate follow another request of the village; whoever reported it is told."""
    case = await locked(session, access, request_id, beside=body.into)
    await passing_on.merge(case, body.into)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/split")
async def split(request_id: UUID, body: ReasonBody, session: Session, access: Clerk) -> dict[str, Any]:
    """Takes a request out of the one that it follows, with the reason; it is submitted again."""
    case = await locked(session, access, request_id)
    await passing_on.split(case, reason=body.reason)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/transfer")
async def transfer(
    request_id: UUID, body: TransferBody, session: Session, access: Decider, zone: Zone
) -> dict[str, Any]:
    """Passes a request to the village that it belongs to: ended here, placed there, with the same tracking code.

    `into` names the new one. 422 where there is no such village, or it does not offer the service.
    """
    case = await locked(session, access, request_id)
    new = await transferring.transfer(case, **body.model_dump(), zone=zone)
    return {**summary_of(case.request), "into": {"id": new.id, "tenant": new.tenant, "number": new.number}}

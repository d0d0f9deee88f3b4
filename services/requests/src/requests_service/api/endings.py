"""The resident's moves, and calls back: withdraw, confirm, reopen, contacted, and how to reach somebody."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session, Words
from lianhu_kit.problems import Forbidden, Unauthenticated
from requests_service.api.doors import Zone
from requests_service.api.moves import ReasonBody
from requests_service.domain import town
from requests_service.domain.known_by import known_by
from requests_service.domain.statuses import Status
from requests_service.handlers import contacting, ending
from requests_service.handlers.case import Case
from requests_service.handlers.sampling import Draw
from requests_service.queries.reach import find, find_to_see_contact
from requests_service.queries.requests import summary_of

router = APIRouter(tags=["endings"])
CALLERS = ("clerk", "branch_secretary", "grid_leader", "supervisor", "grid_worker")

Withdrawer = Annotated[Access, permits("clerk", "resident")]
Confirmer = Annotated[Access, permits(*CALLERS, "resident")]
Reopener = Annotated[Access, permits("clerk", "supervisor", "resident")]
Speaker = Annotated[
    Access, permits("clerk", "branch_secretary", "grid_leader", "grid_worker", "volunteer", "supervisor")
]
Reader = Annotated[
    Access,
    permits("clerk", "branch_secretary", "grid_leader", "supervisor", "grid_worker", "volunteer", "resident"),
]


class WithdrawBody(Body):
    """Why, where the resident says it."""

    reason: Words | None = None


class ConfirmBody(Body):
    """The resident's word: solved or not, and a grade from 5 (非常满意) to 1 (非常不满意).

    `by` is how it came: from the resident, or by a call back. Without it the caller's role decides.
    """

    solved: Literal["yes", "partly", "no"]
    grade: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Words | None = None
    by: Literal["resident", "callback"] | None = None


class ContactedBody(Body):
    """How they spoke."""

    how: Literal["phone", "visit", "desk"]


def person_of(access: Access) -> UUID:
    """Who calls; these routes know no anonymous callers."""
    if access.person is None:
        raise Unauthenticated()
    return access.person


def only(access: Access, *roles: str) -> Access:
    """The same caller with these of their roles; Forbidden where none is left."""
    grants = tuple(grant for grant in access.grants if grant.role in roles)
    if not grants:
        raise Forbidden(f"This needs one of these roles: {', '.join(roles)}.")
    return Access(access.caller, grants)


@router.post("/v1/requests/{request_id}/withdraw")
async def withdraw(
    request_id: UUID, session: Session, access: Withdrawer, body: WithdrawBody | None = None
) -> dict[str, Any]:
    """Takes the request back: the resident whose order it is, or the clerk for them."""
    _, request = await find(session, access, request_id, lock=True)
    await ending.withdraw(Case(session, request, access.person), reason=body.reason if body else None)
    return summary_of(request)


@router.post("/v1/requests/{request_id}/confirm")
async def confirm(
    request_id: UUID, body: ConfirmBody, session: Session, access: Confirmer, zone: Zone
) -> dict[str, Any]:
    """Records the resident's word; 403 `not-your-callback` for whoever accepted, held or completed the request."""
    source: Literal["resident", "callback"] = body.by or ("callback" if access.roles & set(CALLERS) else "resident")
    allowed = only(access, "resident") if source == "resident" else only(access, *CALLERS)
    _, request = await find(session, allowed, request_id, lock=True)
    await ending.confirm(
        Case(session, request, access.person),
        solved=body.solved,
        grade=body.grade,
        comment=body.comment,
        source=source,
        caller=person_of(access),
        zone=zone,
    )
    return summary_of(request)


@router.post("/v1/requests/{request_id}/reopen")
async def reopen(request_id: UUID, body: ReasonBody, session: Session, access: Reopener, zone: Zone) -> dict[str, Any]:
    """Opens a completed request again, with the reason; the first time volunteers are asked again at once."""
    grant, request = await find(session, access, request_id, lock=True)
    await ending.reopen(
        Case(session, request, access.person), reason=body.reason, by_resident=grant.role == "resident", zone=zone
    )
    return summary_of(request)


@router.post("/v1/requests/{request_id}/contacted")
async def contacted(request_id: UUID, body: ContactedBody, session: Session, access: Speaker) -> dict[str, Any]:
    """Notes that somebody spoke with the resident; the first time meets the contact limit.

    A supervisor speaks with the resident of what is with the town; 403 `with-village` before.
    """
    grant, request = await find(session, access, request_id, lock=True)
    if grant.role == "supervisor":
        town.require_hands(Status(request.status), request.tenant, [(grant.role, grant.at)])
    await contacting.contacted(Case(session, request, access.person), how=body.how)
    return summary_of(request)


@router.get("/v1/requests/{request_id}/contact")
async def contact(call: Request, request_id: UUID, session: Session, access: Reader, zone: Zone) -> dict[str, Any]:
    """Name, phone and address, to whom the right is given. The read is in the audit log before it is answered.

    Whoever holds it also gets `known_by`: the digits by which the resident knows who comes.
    409 `not-yet` while a claim may be on its way here, 403 once the work has ended.
    """
    grant, request = await find_to_see_contact(session, access, request_id)
    case = Case(session, request, access.person)
    person = person_of(access)
    draw = Draw(call.app.state.served_key, zone)
    details = await contacting.read_contact(case, role=grant.role, person=person, draw=draw)
    if grant.role in ("volunteer", "grid_worker"):
        details["known_by"] = known_by(call.app.state.served_key, request.id, person)
    return details

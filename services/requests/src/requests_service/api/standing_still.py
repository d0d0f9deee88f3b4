"""Suspend, resume, extend: one call each, with which the village asks and the next level decides (decision 0019).

They move the clock, not the status, and answer the request's new state.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Moment, Session, Words
from lianhu_kit.problems import FieldError, Invalid
from requests_service.api.endings import only
from requests_service.api.moves import locked
from requests_service.domain import town as rules
from requests_service.domain.standing_still import Asked
from requests_service.handlers import standing_still
from requests_service.handlers.case import Case
from requests_service.queries.reach import find
from requests_service.queries.requests import summary_of

router = APIRouter(tags=["standing still"])
Both = Annotated[Access, permits("clerk", "supervisor")]


class SuspendBody(Body):
    """Until when and why; `approve` is the next level's word on what was asked."""

    until: Moment | None = None
    reason: Words | None = None
    approve: bool | None = None


class ExtendBody(Body):
    """Which limit, until when and why; `approve` is the next level's word on what was asked."""

    limit: Literal["contact", "finish"] = "finish"
    due_at: Moment | None = None
    reason: Words | None = None
    approve: bool | None = None


async def _asked_or_decided(
    session: Session, access: Access, request_id: UUID, approve: bool | None
) -> tuple[bool, Case]:
    """Whether the call decides, and the request under lock. Only a supervisor above the village decides."""
    reach = access if approve is None else only(access, "supervisor")
    grant, request = await find(session, reach, request_id, lock=True)
    if grant.role == "supervisor":
        rules.require_above(grant.at, request.tenant)
    return grant.role == "supervisor", Case(session, request, access.person)


@router.post("/v1/requests/{request_id}/suspend")
async def suspend(request_id: UUID, body: SuspendBody, session: Session, access: Both) -> dict[str, Any]:
    """A clerk asks that the clock stand still; a supervisor above the village grants or refuses it, or orders it.

    409 `already-suspended`, 409 `nothing-asked`, 403 `own-decision` for whoever asked.
    """
    decides, case = await _asked_or_decided(session, access, request_id, body.approve)
    if not decides:
        if body.until is None or body.reason is None:
            raise Invalid([FieldError("until", "Say until when, and the reason.")])
        await standing_still.ask_to_suspend(case, until=body.until, reason=body.reason)
    elif body.approve is False:
        await standing_still.refuse(case, Asked.SUSPEND, reason=body.reason)
    else:
        await standing_still.suspend(case, until=body.until, reason=body.reason)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/resume")
async def resume(request_id: UUID, session: Session, access: Both) -> dict[str, Any]:
    """Lets the clock run again before its time; as much of each limit is left as when it stopped."""
    case = await locked(session, access, request_id)
    await standing_still.resume(case)
    return summary_of(case.request)


@router.post("/v1/requests/{request_id}/extend")
async def extend(request_id: UUID, body: ExtendBody, session: Session, access: Both) -> dict[str, Any]:
    """A clerk asks for a longer limit before it passes, once; a supervisor above grants or refuses it, or orders it.

    409 `extended-before`, 409 `limit-over`, 409 `no-limit`, 409 `nothing-asked`, 403 `own-decision` for whoever asked.
    """
    decides, case = await _asked_or_decided(session, access, request_id, body.approve)
    if not decides:
        if body.due_at is None or body.reason is None:
            raise Invalid([FieldError("due_at", "Say until when, and the reason.")])
        await standing_still.ask_to_extend(case, limit=body.limit, due_at=body.due_at, reason=body.reason)
    elif body.approve is False:
        what = Asked.EXTEND_CONTACT if body.limit == "contact" else Asked.EXTEND_FINISH
        await standing_still.refuse(case, what, reason=body.reason)
    else:
        await standing_still.extend(case, limit=body.limit, due_at=body.due_at, reason=body.reason)
    return summary_of(case.request)

"""What a holder does: give back, check in, check out, report it done."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as Call
from pydantic import Field

from dispatch_service.api.acting import LEADERS, WORKING, among, in_reach, own, person_of, settings_of, shown
from dispatch_service.handlers import releasing, visiting
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Line, Moment, Session, Words
from lianhu_kit.problems import Forbidden, NotFound

router = APIRouter(prefix="/v1/assignments/{assignment_id}", tags=["work"])
Holders = Annotated[Access, permits(*WORKING)]


class GivingBack(Body):
    """Why a place is given back; `person` for somebody who did not show up, by a leader or the clerk."""

    reason: Words
    person: UUID | None = None


class Arrival(Body):
    """When it really began, for phones without signal, and where."""

    at: Moment | None = None
    place: Line | None = None


class Departure(Body):
    """When it really ended."""

    at: Moment | None = None


class Report(Body):
    """What was done. `evidence` names photos; `minutes` where check-in and check-out do not tell."""

    result: Words
    evidence: list[Line] = Field(default_factory=list, max_length=10)
    served_person_times: int = Field(default=1, ge=1, le=1000)
    minutes: int | None = Field(default=None, ge=0, le=24 * 60)


@router.post("/release")
async def release(
    call: Call, assignment_id: UUID, body: GivingBack, access: Holders, session: Session
) -> dict[str, Any]:
    """Gives a place back; it is offered again. A leader or the clerk does it for who did not show up."""
    by = person_of(access)
    leaders = among(access, *LEADERS)
    person = body.person
    if person is not None and person != by:
        if not leaders.grants:
            raise Forbidden("Only the grid leader, the secretary or the clerk gives back somebody else's place.")
        request, assignment = await in_reach(leaders, session, assignment_id)
    else:
        try:
            request, assignment = await own(access, session, assignment_id)
            person = by
        except NotFound:
            request, assignment = await in_reach(leaders, session, assignment_id)
    await releasing.release(session, settings_of(call), request, assignment, person=person, words=body.reason, by=by)
    return await shown(call, access, session, assignment_id)


@router.post("/check-in")
async def check_in(
    call: Call, assignment_id: UUID, access: Holders, session: Session, body: Arrival | None = None
) -> dict[str, Any]:
    """Begins the work on site; for a minor 409 `two-people-needed` until two checked people hold it."""
    request, assignment = await own(access, session, assignment_id)
    arrival = body or Arrival()
    await visiting.check_in(
        session,
        settings_of(call),
        request,
        assignment,
        person_of(access),
        at=arrival.at,
        place=arrival.place,
    )
    return await shown(call, access, session, assignment_id)


@router.post("/check-out")
async def check_out(
    call: Call, assignment_id: UUID, access: Holders, session: Session, body: Departure | None = None
) -> dict[str, Any]:
    """Ends the work on site."""
    request, assignment = await own(access, session, assignment_id)
    await visiting.check_out(session, request, assignment, person_of(access), at=body.at if body else None)
    return await shown(call, access, session, assignment_id)


@router.post("/complete")
async def complete(call: Call, assignment_id: UUID, body: Report, access: Holders, session: Session) -> dict[str, Any]:
    """Reports the work done; the last holder's report completes the assignment. The texts stay in this service."""
    request, assignment = await own(access, session, assignment_id)
    await visiting.complete(
        session,
        settings_of(call),
        request,
        assignment,
        person_of(access),
        result=body.result,
        evidence=list(body.evidence),
        served_person_times=body.served_person_times,
        minutes=body.minutes,
    )
    return await shown(call, access, session, assignment_id)

"""What leaders, the clerk and the town do: assign, return, remind, supervise."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as Call

from dispatch_service.api.acting import LEADERS, in_reach, person_of, settings_of, shown
from dispatch_service.handlers import asking, ending, nudging
from dispatch_service.queries.directory import volunteer
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Moment, Session, Words
from lianhu_kit.problems import FieldError, Invalid

router = APIRouter(prefix="/v1/assignments/{assignment_id}", tags=["desk"])
Leaders = Annotated[Access, permits(*LEADERS)]
Supervisors = Annotated[Access, permits("supervisor", "clerk")]


class Naming(Body):
    """Who is asked, or, as staff, ordered."""

    person: UUID


class Giving(Body):
    """Why the grid gives it back to the village."""

    reason: Words


class Order(Body):
    """A written order with its deadline."""

    order: Words
    until: Moment


@router.post("/assign")
async def assign(call: Call, assignment_id: UUID, body: Naming, access: Leaders, session: Session) -> dict[str, Any]:
    """Asks one person by name, who accepts or passes; staff are ordered and hold it at once."""
    request, assignment = await in_reach(access, session, assignment_id)
    person = await volunteer(session, body.person)
    if person is None:
        raise Invalid([FieldError("person", "Nobody with this id works here. Take one of GET /v1/volunteers.")])
    await asking.assign(session, settings_of(call), request, assignment, person, by=person_of(access))
    return await shown(call, access, session, assignment_id)


@router.post("/return")
async def give_back(call: Call, assignment_id: UUID, body: Giving, access: Leaders, session: Session) -> dict[str, Any]:
    """Gives the work back to the village; whoever holds it is free again."""
    request, assignment = await in_reach(access, session, assignment_id)
    await ending.give_to_village(session, request, assignment, words=body.reason, by=person_of(access))
    return await shown(call, access, session, assignment_id)


@router.post("/remind")
async def remind(call: Call, assignment_id: UUID, access: Leaders, session: Session) -> dict[str, Any]:
    """Nudges who holds it, is asked or is offered it."""
    request, assignment = await in_reach(access, session, assignment_id)
    await nudging.remind(session, request, assignment, by=person_of(access))
    return await shown(call, access, session, assignment_id)


@router.post("/supervise")
async def supervise(
    call: Call, assignment_id: UUID, body: Order, access: Supervisors, session: Session
) -> dict[str, Any]:
    """A written order with a deadline; responsibility stays where it is."""
    request, assignment = await in_reach(access, session, assignment_id)
    await nudging.supervise(session, request, assignment, order=body.order, until=body.until, by=person_of(access))
    return await shown(call, access, session, assignment_id)

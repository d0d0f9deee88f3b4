"""The roles of somebody known: given at a unit, taken away after a question."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.divisions import covers
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, text_of
from lianhu_web.pages import pages_of
from lianhu_web.showing import ROLES
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api.people import RoleBody
from requests_service.domain.masking import mask_phone
from requests_service.handlers.people import LAST_ADMIN, give_role, take_role
from requests_service.queries.people import roles_of
from requests_service.queries.units import unit_exists, units_under
from requests_service.tables import Person
from requests_service.web.desk.admin import unit_of

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]
PersonId = Annotated[UUID, Path()]
PLACES = 60
# Programs hold these; people do not.
GIVEN = tuple(role for role in ROLES if role not in ("service", "integrator"))
OUTSIDE = N_("This place lies outside what you administer, or there is none with this code.")
SENTENCES = {
    LAST_ADMIN: N_("You are the last administrator here. Give somebody else the role first, then take yours away."),
}


@router.get("/desk/admin/people/{code}/{person_id}/roles")
async def roles(
    code: str, person_id: PersonId, request: Request, visitor: Admin, session: Session,
    done: Annotated[str, Query(max_length=5)] = "",
) -> Response:  # fmt: skip
    """What somebody is and where, and a form for one role more."""
    return await _page(request, visitor, session, code, person_id, {}, {}, done=bool(done))


@router.post("/desk/admin/people/{code}/{person_id}/roles")
async def give(code: str, person_id: PersonId, request: Request, visitor: Admin, form: Guarded) -> Response:
    """Gives a role at a unit within the admin's reach; one that is held already stays as it is."""
    typed = {name: text_of(form, name) or "" for name in ("role", "at")}
    given, wrong = read(RoleBody, typed, visitor)
    # The one rule over both fields is that every role but a resident's has a place.
    faults = {"at" if name == "form" else name.split(".")[0]: words for name, words in wrong.items()}
    if typed["role"] and typed["role"] not in GIVEN:
        faults["role"] = visitor.say(N_("Choose one of the values offered."))
    async with request.app.state.database.transaction() as session:
        known = await _known(session, visitor, code, person_id)
        if given is not None and not faults:
            if covers(visitor.grant.at, given.at) and await unit_exists(session, given.at):
                await give_role(session, known, given.role, given.at)
                return pages_of(request).go(visitor, f"/desk/admin/people/{code}/{person_id}/roles?done=yes")
            faults = {"at": visitor.say(OUTSIDE)}
        return await _page(request, visitor, session, code, person_id, typed, faults)


@router.post("/desk/admin/people/{code}/{person_id}/roles/away")
async def take_away(code: str, person_id: PersonId, request: Request, visitor: Admin, form: Guarded) -> Response:
    """Takes a role away; twice is once. The last administrator keeps their own."""
    role, at = text_of(form, "role") or "", text_of(form, "at") or ""
    try:
        async with request.app.state.database.transaction() as session:
            known = await _known(session, visitor, code, person_id)
            if not covers(visitor.grant.at, at):
                raise NotFound()
            await take_role(session, known, role, at, by=visitor.person)
        return pages_of(request).go(visitor, f"/desk/admin/people/{code}/{person_id}/roles?done=yes")
    except Problem as problem:
        if problem.type != "last-admin":
            raise
        faults = of_problem(problem, visitor, SENTENCES)
    async with request.app.state.database.transaction() as session:
        return await _page(request, visitor, session, code, person_id, {}, faults)


async def _known(session: Session, visitor: Visitor, code: str, person_id: UUID) -> Person:
    await unit_of(session, visitor, code)
    known = await session.get(Person, person_id)
    if known is None or known.tenant != code[:12]:
        raise NotFound()
    return known


async def _page(
    request: Request, visitor: Visitor, session: Session, code: str, person_id: UUID, typed: dict[str, str],
    faults: Faults, *, done: bool = False,
) -> Response:  # fmt: skip
    known = await _known(session, visitor, code, person_id)
    unit = await unit_of(session, visitor, code)
    held = (await roles_of(session, [person_id])).get(person_id, [])
    return pages_of(request).show(
        visitor, "desk/roles.html", 422 if faults else 200, unit=unit, known=known, faults=faults, typed=typed,
        done=done, phone=mask_phone(known.phone) if known.phone else None, given=GIVEN,
        held=[(role, at, covers(visitor.grant.at, at)) for role, at in held],
        places=await units_under(session, code, None, PLACES),
    )  # fmt: skip

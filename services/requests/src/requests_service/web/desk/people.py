"""The people of a unit: who is there with which roles, phones masked; added, let in, kept out."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, once_of, text_of
from lianhu_web.pages import pages_of
from lianhu_web.showing import ROLES
from lianhu_web.visiting import Visitor, needs
from requests_service.api.endings import only
from requests_service.api.people import PeopleBody, put_batch
from requests_service.domain.masking import mask_phone
from requests_service.handlers.people import require_other_admin
from requests_service.queries.people import people_of, roles_of
from requests_service.tables import Person
from requests_service.web.desk.admin import unit_of
from requests_service.web.desk.roles import SENTENCES

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]
SHOWN = 50


@router.get("/desk/admin/people/{code}")
async def people(
    code: str, request: Request, visitor: Admin, session: Session, after: UUID | None = None,
    done: Annotated[str, Query(max_length=5)] = "",
) -> Response:  # fmt: skip
    """Who belongs to the unit itself, and a form for one more."""
    return await _page(request, visitor, session, code, {}, {}, after=after, done=bool(done))


@router.post("/desk/admin/people/{code}")
async def add(code: str, request: Request, visitor: Admin, form: Guarded) -> Response:
    """Adds somebody with one role at the unit; the same form sent twice adds them once."""
    database = request.app.state.database
    typed = {name: text_of(form, name) or "" for name in ("name", "phone", "role")}
    role = {"role": typed["role"], "at": code}
    item = {"id": once_of(form), "tenant": code[:12], "name": typed["name"], "phone": typed["phone"] or None}
    body, wrong = read(PeopleBody, {"items": [{**item, "roles": [role]}]}, visitor)
    faults = _on_the_form(wrong)
    async with database.transaction() as session:
        await unit_of(session, visitor, code)
        known = await session.get(Person, UUID(item["id"]))
    if body is not None:
        try:
            if known is None:
                async with database.transaction() as session:
                    await put_batch(body, session, only(visitor.access, "admin"))
            return pages_of(request).go(visitor, f"/desk/admin/people/{code}?done=yes")
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            faults = _on_the_form(of_problem(problem, visitor))
    async with database.transaction() as session:
        return await _page(request, visitor, session, code, typed, faults)


@router.post("/desk/admin/people/{code}/{person_id}")
async def let_in(
    code: str, person_id: UUID, request: Request, visitor: Admin, form: Guarded, session: Session
) -> Response:
    """Lets somebody in or keeps them out; their roles and profile stay. The last administrator stays in."""
    await unit_of(session, visitor, code)
    known = await session.get(Person, person_id)
    if known is None or known.tenant != code[:12]:
        raise NotFound()
    held = (await roles_of(session, [person_id])).get(person_id, [])
    active = text_of(form, "active") == "yes"
    if person_id == visitor.person and not active:
        try:
            for at in [at for role, at in held if role == "admin"]:
                await require_other_admin(session, at, person_id)
        except Problem as problem:
            return await _page(request, visitor, session, code, {}, of_problem(problem, visitor, SENTENCES))
    item: dict[str, Any] = {name: getattr(known, name) for name in ("id", "tenant", "name", "phone", "locale")}
    roles = [{"role": role, "at": at} for role, at in held]
    body = PeopleBody.model_validate({"items": [{**item, "roles": roles, "active": active}]})
    await put_batch(body, session, only(visitor.access, "admin"))
    return pages_of(request).go(visitor, f"/desk/admin/people/{code}?done=yes")


async def _page(
    request: Request, visitor: Visitor, session: Session, code: str, typed: dict[str, str], faults: Faults,
    *, after: UUID | None = None, done: bool = False,
) -> Response:  # fmt: skip
    unit = await unit_of(session, visitor, code)
    found = await people_of(session, code[:12], after, SHOWN + 1)
    roles = await roles_of(session, [person.id for person in found])
    rows = [
        {"id": person.id, "name": person.name, "phone": mask_phone(person.phone) if person.phone else None,
         "active": person.active, "roles": roles.get(person.id, [])}
        for person in found[:SHOWN]
    ]  # fmt: skip
    return pages_of(request).show(
        visitor, "desk/people.html", 422 if faults else 200, unit=unit, people=rows, typed=typed, faults=faults,
        done=done, roles=[role for role in ROLES if role not in ("service", "integrator")],
        following=found[SHOWN - 1].id if len(found) > SHOWN else None,
    )  # fmt: skip


def _on_the_form(faults: Faults) -> Faults:
    """Faults of the call at the fields of the form; what has no field is said of the whole."""
    at = {field: next((part for part in reversed(field.split(".")) if part in ("name", "phone", "role")), "form")
          for field in faults}  # fmt: skip
    return {at[field]: words for field, words in faults.items()}

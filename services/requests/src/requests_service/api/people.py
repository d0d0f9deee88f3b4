"""People with roles, written by admins."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from lianhu_kit.access import Access, PersonRole, permits
from lianhu_kit.api import Body, DivisionCode, Session
from lianhu_kit.divisions import covers
from lianhu_kit.idempotency import IdempotencyKey, recall, remember
from lianhu_kit.identifiers import new_id
from lianhu_kit.problems import FieldError, Invalid
from lianhu_kit.tokens import Grant
from requests_service.api.bodies import GridCode, Moment, Name, Phone
from requests_service.api.directory import UnitCode, enter_as_admin
from requests_service.api.endings import person_of
from requests_service.handlers.erasing import erase
from requests_service.handlers.people import put_people
from requests_service.tables import Person

router = APIRouter(tags=["people"])
Admin = Annotated[Access, permits("admin")]
ROUTE = "POST /v1/people"


class RoleBody(Body):
    """A role and where: it reaches everything under the code. A resident's reach is their own: it needs no place."""

    role: PersonRole
    at: DivisionCode | Literal[""] = ""

    @model_validator(mode="after")
    def _has_a_place(self) -> "RoleBody":
        if not self.at and self.role != "resident":
            raise ValueError("this role needs a place: at, a division code")
        return self


class VolunteerBody(Body):
    """A first profile: where, what for, how many at a time, and until when the check for visits to minors holds."""

    grid: GridCode | None = None
    skills: Annotated[list[Name], Field(max_length=30)] = Field(default_factory=list)
    capacity: Annotated[int, Field(ge=0, le=100)] = 3
    away_until: Moment | None = None
    checked_until: date | None = None


class PersonBody(Body):
    """Somebody with an account. `tenant` is the village, or the unit that they work for."""

    id: UUID | None = None
    tenant: UnitCode
    name: Name
    phone: Phone | None = None
    locale: Literal["zh-CN", "en"] | None = None
    active: bool = True
    roles: Annotated[list[RoleBody], Field(max_length=30)] = Field(default_factory=list)
    volunteer: VolunteerBody | None = None


class PeopleBody(Body):
    """People to add, or to replace."""

    items: Annotated[list[PersonBody], Field(min_length=1, max_length=500)]


def _rows(people: list[PersonBody], prefix: str) -> list[dict[str, Any]]:
    errors = []
    for place, person in enumerate(people):
        grid = person.volunteer.grid if person.volunteer else None
        if grid and not grid.startswith(person.tenant):
            field = f"{prefix.format(place)}volunteer.grid"
            errors.append(FieldError(field, "The grid lies outside where the person belongs. Name one inside."))
    if errors:
        raise Invalid(errors)
    return [{**person.model_dump(), "id": person.id or new_id()} for person in people]


def _codes(people: list[PersonBody]) -> list[str]:
    return [code for person in people for code in (person.tenant, *(role.at for role in person.roles)) if code]


@router.post("/v1/people", status_code=201, responses={200: {"description": "Somebody known: replaced"}})
async def add_person(
    request: Request, response: Response, body: PersonBody, session: Session, access: Admin, key: IdempotencyKey = None
) -> dict[str, Any]:
    """Adds somebody with roles under the admin's code; with the id of somebody known, replaces what is kept (200)."""
    await enter_as_admin(session, access, _codes([body]))
    sent, caller = await request.body(), str(person_of(access))
    before = await recall(session, key, caller=caller, route=ROUTE, body=sent)
    if before is not None:
        response.status_code = before.status
        return before.answer
    rows = _rows([body], "")
    added = await put_people(session, rows)
    identifier = rows[0]["id"]
    response.status_code = 201 if added[identifier] else 200
    answer = {"id": str(identifier), "tenant": body.tenant}
    await remember(
        session,
        key,
        caller=caller,
        route=ROUTE,
        body=sent,
        tenant=body.tenant,
        status=response.status_code,
        answer=answer,
    )
    return answer


@router.post("/v1/people/batch")
async def put_batch(body: PeopleBody, session: Session, access: Admin) -> dict[str, Any]:
    """Adds or replaces up to 500 people in one transaction; answers their ids in the order given."""
    await enter_as_admin(session, access, _codes(body.items))
    rows = _rows(body.items, "items.{}.")
    added = await put_people(session, rows)
    return {"items": [{"id": str(row["id"]), "added": added[row["id"]]} for row in rows]}


@router.post("/v1/people/{person_id}/erase")
async def erase_person(person_id: UUID, session: Session, access: Admin) -> dict[str, Any]:
    """Erases somebody under the admin's code: name, phone, roles, the words and contacts of their orders.

    Ids and counts stay. 409 while an order of theirs is open or they hold work; again is no change.
    """

    async def load(grant: Grant) -> Person | None:
        found = await session.get(Person, person_id)
        return found if found is not None and covers(grant.at, found.tenant) else None

    await access.locate(session, load)
    return {"id": str(person_id), "orders": await erase(session, person_id)}

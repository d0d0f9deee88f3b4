"""How somebody is reached: for the service that tells people, at the moment when it does."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from requests_service.tables import Person

router = APIRouter(include_in_schema=False)
Service = Annotated[Access, permits("service")]


@router.get("/internal/people/{person_id}/contact-points")
async def contact_points(
    person_id: Annotated[UUID, Path(examples=["0192f0c1-0000-7000-8000-000000000000"])],
    session: Session,
    access: Service,
) -> dict[str, Any]:
    """Phone, mail, language and whether they are active; no address of whoever is not. 404 where nobody has this id."""
    # Where they belong is not known yet: as for themselves, their own row alone can be read.
    await enter_scope(session, "", person_id)
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound()
    # A service's token names no place: its role is what opens this. One that does name a place keeps to it.
    if all(grant.at for grant in access.grants):
        access.covering(person.tenant)
    phone, mail = (person.phone, person.mail) if person.active else (None, None)
    return {"phone": phone, "mail": mail, "locale": person.locale, "active": person.active}

"""The catalogue of a unit: each service with the unit that says it; switched off or on for all under it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.problems import NotFound
from lianhu_web.guarding import Guarded, text_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from requests_service.api.directory import ServiceBody, ServicesBody, put_services
from requests_service.api.endings import only
from requests_service.queries.units import catalogue_with_origins
from requests_service.web.desk.admin import unit_of

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]


@router.get("/desk/admin/catalogue/{code}")
async def catalogue(code: str, request: Request, visitor: Admin, session: Session, done: str = "") -> Response:
    """What holds at the unit: its own services and those of the units above, those switched off among them."""
    unit = await unit_of(session, visitor, code)
    services = await catalogue_with_origins(session, code)
    return pages_of(request).show(visitor, "desk/catalogue.html", unit=unit, services=services, done=bool(done))


@router.post("/desk/admin/catalogue/{code}/{service}")
async def switch(
    code: str, service: str, request: Request, visitor: Admin, form: Guarded, session: Session
) -> Response:
    """Switches a service off or on at this unit; an inherited one becomes the unit's own by that."""
    await unit_of(session, visitor, code)
    known = next((each for each in await catalogue_with_origins(session, code) if each.code == service), None)
    if known is None or len(code) > 12:
        raise NotFound()
    entry = {name: getattr(known, name) for name in ServiceBody.model_fields}
    item = ServiceBody.model_validate({**entry, "tenant": code, "active": text_of(form, "active") == "yes"})
    await put_services(ServicesBody(items=[item]), session, only(visitor.access, "admin"))
    return pages_of(request).go(visitor, f"/desk/admin/catalogue/{code}?done=yes")

"""One service of a unit's catalogue: added, or its questions, limits and words changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api.directory import ServiceBody, ServicesBody, put_services
from requests_service.api.endings import only
from requests_service.queries.units import catalogue_with_origins
from requests_service.tables import CatalogueService, OrgUnit
from requests_service.web.desk import service_forms
from requests_service.web.desk.admin import unit_of

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]
TAKEN = N_("A service has this key already: change that one, or take another key.")
BEGINNING = {
    "kind": "convenience", "route_default": "volunteers", "places_default": "1", "contact": "7",
    "contact_working": "yes", "finish": "21", "finish_working": "yes", "confirm": "168",
}  # fmt: skip


@router.get("/desk/admin/services/{unit}")
async def new(unit: str, request: Request, visitor: Admin, session: Session) -> Response:
    """An empty form, with the limits that most services have."""
    at = await _unit(session, visitor, unit)
    return _page(request, visitor, at, None, BEGINNING, {})


@router.post("/desk/admin/services/{unit}")
async def add(unit: str, request: Request, visitor: Admin, form: Guarded) -> Response:
    """Adds the service by the call that programs use; the same form sent twice adds it once."""
    return await _save(request, visitor, form, unit, None)


@router.get("/desk/admin/services/{unit}/{service}")
async def one(unit: str, service: str, request: Request, visitor: Admin, session: Session) -> Response:
    """A service as it holds at the unit, its own or inherited."""
    at = await _unit(session, visitor, unit)
    known = await _known(session, unit, service)
    if known is None:
        raise NotFound()
    return _page(request, visitor, at, known, service_forms.of_service(known), {})


@router.post("/desk/admin/services/{unit}/{service}")
async def change(unit: str, service: str, request: Request, visitor: Admin, form: Guarded) -> Response:
    """Saves the service at this unit; an inherited one becomes the unit's own by that."""
    return await _save(request, visitor, form, unit, service)


async def _save(request: Request, visitor: Visitor, form: Any, unit: str, service: str | None) -> Response:
    values = service_forms.typed(form)
    async with request.app.state.database.transaction() as session:
        at = await _unit(session, visitor, unit)
        known = await _known(session, unit, service or values["code"])
        if service is not None and known is None:
            raise NotFound()
        # What the form does not show stays as it is.
        fixed: dict[str, Any] = {"tenant": unit}
        if known is not None:
            fixed |= {"active": known.active, "position": known.position}
        if service is not None:
            fixed["code"] = service
        body, faults = service_forms.service_of(values, fixed, visitor)
        if body is not None and service is None and known is not None and body != _as_body(known):
            faults = {"code": visitor.say(TAKEN)}
        if body is None or faults:
            return _page(request, visitor, at, known if service else None, values, faults)
    try:
        async with request.app.state.database.transaction() as session:
            await put_services(ServicesBody(items=[body]), session, only(visitor.access, "admin"))
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return _page(request, visitor, at, known if service else None, values, {
            "form": next(iter(of_problem(problem, visitor).values())),
        })  # fmt: skip
    return pages_of(request).go(visitor, f"/desk/admin/catalogue/{unit}?done=yes")


async def _unit(session: Session, visitor: Visitor, unit: str) -> OrgUnit:
    at = await unit_of(session, visitor, unit)
    if len(unit) > 12:  # grids and groups offer what their village does
        raise NotFound()
    return at


async def _known(session: Session, unit: str, service: str) -> CatalogueService | None:
    return next((each for each in await catalogue_with_origins(session, unit) if each.code == service), None)


def _as_body(known: CatalogueService) -> ServiceBody:
    return ServiceBody.model_validate({name: getattr(known, name) for name in ServiceBody.model_fields})


def _page(
    request: Request, visitor: Visitor, unit: OrgUnit, known: CatalogueService | None, values: dict[str, str],
    faults: Faults,
) -> Response:  # fmt: skip
    return pages_of(request).show(
        visitor, "desk/service.html", 422 if faults else 200, unit=unit, known=known, values=values, faults=faults,
        rows=service_forms.rows_of(values), limits=service_forms.LIMITS, kinds=service_forms.KINDS,
        routes=service_forms.ROUTES, types=service_forms.TYPES,
    )  # fmt: skip

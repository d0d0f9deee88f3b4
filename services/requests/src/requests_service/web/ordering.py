"""Pages of an order: which village, what it offers, the form, a look at it before it goes, the slip."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import StringConstraints

from lianhu_kit.api import Session, VillageCode
from lianhu_kit.database import enter_scope
from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import Keyed
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, once_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, anyone
from requests_service.api.bodies import OrderBody, ServiceCode
from requests_service.api.doors import Rates, Zone, address_of
from requests_service.api.intake import order_of
from requests_service.handlers.intake import submit
from requests_service.queries.finding import find_units, name_of
from requests_service.queries.units import catalogue_at, service_at
from requests_service.tables import CatalogueService, Household
from requests_service.web import order_forms

router = APIRouter(include_in_schema=False)
Orderer = Annotated[Visitor, anyone("resident", "volunteer")]
Words = Annotated[str, StringConstraints(max_length=100)]
Village = Annotated[VillageCode, Path()]
ROUTE = "page /order"


@router.get("/order")
async def choose_village(request: Request, visitor: Orderer, session: Session, q: Words = "") -> Response:
    """Which village: by name, pinyin, initials or code."""
    await enter_scope(session, "")
    found = await find_units(session, q)
    return pages_of(request).show(visitor, "ordering/village.html", q=q, found=found)


@router.get("/order/services")
async def offers(
    request: Request, visitor: Orderer, session: Session,
    tenant: Annotated[str, Query(max_length=12)] = "", door: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    """What a village offers; without a village the question which one."""
    await enter_scope(session, "")
    village = await name_of(session, tenant) if len(tenant) == 12 else None
    if village is None:
        return pages_of(request).go(visitor, "/order")
    services = [service for service in await catalogue_at(session, tenant) if service.active]
    return pages_of(request).show(
        visitor, "ordering/services.html", tenant=tenant, village=village, services=services, door=door
    )


@router.get("/door/{tenant}/{household}")
async def plate(request: Request, visitor: Orderer, session: Session, tenant: Village, household: UUID) -> Response:
    """The plate at a door: village, group and linking household are filled in."""
    await enter_scope(session, tenant)
    if await session.get(Household, household) is None:
        raise NotFound()
    return pages_of(request).go(visitor, f"/order/services?tenant={tenant}&door={household}")


@router.get("/order/{tenant}/{service}")
async def form_page(
    request: Request, visitor: Orderer, session: Session, tenant: Village, service: Annotated[ServiceCode, Path()],
    door: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    """The form of one service."""
    await enter_scope(session, "")
    offered, village = await _offered(session, tenant, service)
    values = {"who": "self", **({"door": door} if door else {})}
    return _form(request, visitor, tenant, village, offered, values, {}, 200)


@router.post("/order/{tenant}/{service}")
async def take_form(
    request: Request, visitor: Orderer, form: Guarded, tenant: Village, service: Annotated[ServiceCode, Path()],
    zone: Zone,
) -> Response:  # fmt: skip
    """Checks the form, shows what it will send, and places it: the same form twice is one order."""
    async with request.app.state.database.transaction() as session:
        now = await enter_scope(session, "")
        offered, village = await _offered(session, tenant, service)
    values, stage = order_forms.typed(form, offered), order_forms.stage_of(form)
    given, faults = read(OrderBody, order_forms.order_body(values, tenant, offered, zone, now), visitor)
    faults = {**order_forms.on_the_form(faults), **order_forms.own_faults(values, visitor)}
    if given is None or faults:
        return _form(request, visitor, tenant, village, offered, values, faults, 422)
    if stage == "change":
        return _form(request, visitor, tenant, village, offered, values, {}, 200)
    shown: dict[str, Any] = {
        "tenant": tenant,
        "village": village,
        "service": offered,
        "values": values,
        "who": order_forms.WHO,
        "about": order_forms.ABOUT,
    }
    if stage == "check":
        return pages_of(request).show(visitor, "ordering/check.html", once_id=once_of(form), **shown)
    try:
        slip = await _place(request, visitor, given, values, once_of(form))
    except Problem as problem:
        if problem.status not in (409, 422, 429):
            raise
        faults = order_forms.on_the_form(of_problem(problem, visitor, order_forms.SENTENCES))
        return _form(request, visitor, tenant, village, offered, values, faults, problem.status)
    return pages_of(request).show(visitor, "ordering/slip.html", 201, slip=slip, **shown)


async def _offered(session: Session, tenant: str, service: str) -> tuple[CatalogueService, str]:
    village = await name_of(session, tenant)
    offered = await service_at(session, tenant, service)
    if village is None or offered is None or not offered.active:
        raise NotFound()
    return offered, village


async def _place(
    request: Request, visitor: Visitor, body: OrderBody, values: dict[str, str], once: str
) -> dict[str, Any]:
    state = request.app.state
    caller = "anonymous" if visitor.caller is None else str(visitor.caller.person)
    # What was typed is what makes two forms the same: the time of a consent is that of the first sending.
    keyed = Keyed(caller, ROUTE, once, orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
    if visitor.caller is None:
        rates: Rates = state.rates
        await rates.hit("orders", address_of(request))
    person = visitor.caller.person if visitor.caller and visitor.access.grants else None
    own = person is not None and values.get("who", "self") == "self"
    order = order_of(body, person, "door" if body.door else "web", own)
    async with HotTransaction(state.database, body.tenant, person, first=keyed.lock) as hot:
        return (await submit(hot, keyed, order, zone=state.zone, served_key=state.served_key)).answer


def _form(
    request: Request, visitor: Visitor, tenant: str, village: str, service: CatalogueService, values: dict[str, str],
    faults: Faults, status: int,
) -> Response:  # fmt: skip
    return pages_of(request).show(
        visitor, "ordering/form.html", status, tenant=tenant, village=village, service=service, values=values,
        faults=faults, who=order_forms.WHO, about=order_forms.ABOUT,
    )  # fmt: skip

"""A walk-in or a call, on one screen: placed, and taken on at once where the clerk wants it."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import Keyed
from lianhu_kit.problems import Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, once_of, text_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from requests_service.api import moves
from requests_service.api.bodies import OrderBody
from requests_service.api.doors import Zone
from requests_service.api.intake import order_of
from requests_service.domain.suggesting import suggested_summary
from requests_service.handlers.intake import submit
from requests_service.queries.units import catalogue_at, labels_at, units_under
from requests_service.tables import CatalogueService
from requests_service.tables import Request as Order
from requests_service.web import order_forms

router = APIRouter(include_in_schema=False)
Clerk = Annotated[Visitor, needs("clerk")]
ROUTE = "page /desk/new"
CHANNELS = ("desk", "phone")


@router.get("/desk/new")
async def new(
    request: Request, visitor: Clerk, session: Session, service: Annotated[str, Query(max_length=64)] = "",
    placed: UUID | None = None, kept: str = "",
) -> Response:  # fmt: skip
    """The empty form, with the slip of the one before on top."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    last = await session.get(Order, placed) if placed else None
    if last is not None and last.reporter != visitor.person:
        last = None  # the code is for whoever ordered, and for the clerk who wrote it down
    return await _form(request, visitor, session, service, {"channel": "phone", "accept": "yes"}, {}, 200, last, kept)


@router.post("/desk/new")
async def take(request: Request, visitor: Clerk, form: Guarded, zone: Zone) -> Response:
    """Places what was written down, and accepts it where that was ticked."""
    tenant, code = visitor.grant.at[:12], text_of(form, "service") or ""
    database = request.app.state.database
    async with database.transaction() as session:
        now = await enter_scope(session, visitor.grant.scope, visitor.person)
        offered = {service.code: service for service in await catalogue_at(session, tenant)}
    service = offered.get(code)
    if service is None:
        async with database.transaction() as session:
            return await _form(request, visitor, session, code, {}, {"service": ""}, 422, None, "")
    values = order_forms.typed(form, service)
    more = {name: text_of(form, name) or "" for name in ("channel", "accept", "summary")}
    body = order_forms.order_body(values, tenant, service, zone, now)
    body["channel"] = more["channel"] if more["channel"] in CHANNELS else "desk"
    given, faults = read(OrderBody, body, visitor)
    faults = order_forms.on_the_form(faults)
    kept = ""
    if given is not None and not faults:
        try:
            slip = await _place(request, visitor, given, {**values, **more}, once_of(form), zone)
            if more["accept"]:
                kept = await _accept(request, visitor, UUID(slip["id"]), service, more["summary"])
            return pages_of(request).go(visitor, f"/desk/new?service={code}&placed={slip['id']}&kept={kept}")
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            faults = order_forms.on_the_form(of_problem(problem, visitor, order_forms.SENTENCES))
    async with database.transaction() as session:
        return await _form(request, visitor, session, code, {**values, **more}, faults, 422, None, "")


async def _place(
    request: Request, visitor: Visitor, body: OrderBody, values: dict[str, str], once: str, zone: Zone
) -> dict[str, Any]:
    state = request.app.state
    keyed = Keyed(str(visitor.person), ROUTE, once, orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
    order = order_of(body, visitor.person, body.channel or "desk", False)
    async with HotTransaction(state.database, body.tenant, visitor.person, first=keyed.lock) as hot:
        return (await submit(hot, keyed, order, zone=zone, served_key=state.served_key)).answer


async def _accept(request: Request, visitor: Visitor, request_id: UUID, service: CatalogueService, summary: str) -> str:
    """Takes it on; where that is refused (a name in the summary) the order stands, and its page says what to do."""
    drafted = suggested_summary(service.name, service.questions, {})
    body, _ = read(moves.AcceptBody, {"summary": summary or drafted}, visitor)
    if body is None:
        return "new"
    try:
        async with request.app.state.database.transaction() as session:
            await moves.accept(request_id, body, session, visitor.access)
    except Problem:
        return "new"
    except tuple(request.app.state.refusals):
        return ""  # the same form a second time: it was taken on before
    return "accepted"


async def _form(
    request: Request, visitor: Visitor, session: Session, code: str, values: dict[str, str], faults: Faults,
    status: int, last: Order | None, kept: str,
) -> Response:  # fmt: skip
    await enter_scope(session, visitor.grant.scope, visitor.person)
    tenant = visitor.grant.at[:12]
    services = [service for service in await catalogue_at(session, tenant) if service.active]
    chosen = next((service for service in services if service.code == code), services[0] if services else None)
    visitor.labels = await labels_at(session, tenant)
    grids = [unit for unit in await units_under(session, tenant, None, 60) if unit.level == "grid"]
    return pages_of(request).show(
        visitor, "desk/new.html", status, services=services, service=chosen, values=values, faults=faults,
        last=last, kept=kept, grids=grids, who=order_forms.WHO,
    )  # fmt: skip

"""Placing an order: anonymous, or by any person with a token."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from lianhu_kit.access import Access, permits
from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import IdempotencyKey, Keyed
from lianhu_kit.problems import FieldError, Forbidden, Invalid, NotFound
from requests_service.api.bodies import OrderBody, wanted_of
from requests_service.api.doors import Rates, address_of
from requests_service.domain.orders import Wanted
from requests_service.handlers.intake import submit
from requests_service.handlers.order import Consent, Order

router = APIRouter(tags=["requests"])
ROUTE = "POST /v1/requests"
FOR_OTHERS = ("clerk", "branch_secretary", "grid_leader", "grid_worker", "supervisor", "integrator", "admin")
FOR_THEMSELVES = ("resident", "volunteer")
_CHANNELS = {"integrator": "api", "grid_worker": "field", "grid_leader": "field"}

Caller = Annotated[Access, permits(*FOR_OTHERS, *FOR_THEMSELVES, anonymous=True)]


@router.post("/v1/requests", status_code=201, response_model=dict[str, Any])
async def place_order(request: Request, body: OrderBody, access: Caller, key: IdempotencyKey = None) -> Response:
    """Places an order. The answer's number and tracking code are what the slip shows; 422 names every wrong field.

    Without a token so many a minute and address; with staff's or an integrator's token only under their code (404),
    with a role that places no orders not at all (403).
    """  # fmt: skip
    channel, own = _standing(access, body)
    state = request.app.state
    keyed = Keyed(_caller(access, key), ROUTE, key, await request.body())
    if access.caller is None:
        rates: Rates = state.rates
        await rates.hit("orders", address_of(request))
    order = order_of(body, access.person, channel, own)
    async with HotTransaction(state.database, body.tenant, access.person, first=keyed.lock) as hot:
        given = await submit(hot, keyed, order, zone=state.zone, served_key=state.served_key)
    return Response(orjson.dumps(given.answer), given.status, media_type="application/json")


def _standing(access: Access, body: OrderBody) -> tuple[str, bool]:
    """The channel that the caller's role implies, and whether they order for themselves."""
    door = "door" if body.door else None
    for_themselves = body.contact is None or body.contact.relation == "self"
    if access.caller is None:
        return door or "web", False
    if not access.grants:
        raise Forbidden(f"This needs one of these roles, or no token: {', '.join((*FOR_OTHERS, *FOR_THEMSELVES))}.")
    try:
        grant = access.covering(body.tenant, *FOR_OTHERS)
    except NotFound:
        if access.roles.intersection(FOR_THEMSELVES):
            return door or "web", for_themselves
        raise
    if access.roles.intersection(FOR_THEMSELVES) and body.contact is None and not (body.reach or body.household):
        return door or "web", True
    return door or _CHANNELS.get(grant.role, "desk"), False


def _caller(access: Access, key: str | None) -> str:
    """Whose idempotency keys these are; without a token only a UUID is unlikely enough to be somebody else's."""
    if access.person is not None:
        return str(access.person)
    if key is not None:
        try:
            UUID(key)
        except ValueError:
            raise Invalid([FieldError("Idempotency-Key", "Without a token it must be a UUID.")]) from None
    return "anonymous"


def order_of(body: OrderBody, person: UUID | None, channel: str, own: bool) -> Order:
    """The order that a body stands for, placed by somebody known or by nobody; `own` where it is for themselves."""
    contact, served = body.contact, body.served
    given = served.guardian_consent if served else None
    return Order(
        tenant=body.tenant,
        service=body.service,
        text=body.text,
        channel=body.channel or channel,
        reporter=person,
        own=own,
        name=contact.name if contact else None,
        phone=contact.phone if contact else None,
        relation=contact.relation if contact else None,
        reach=body.reach,
        served_kind=served.kind if served else "adult",
        served_name=served.name if served else None,
        served_given=served is not None,
        consent=Consent(given.name, given.phone, given.at) if given else None,
        address=body.address,
        grid=body.grid,
        household=body.household,
        door=body.door,
        wanted=Wanted(*wanted_of(body.wanted)),
        answers=body.answers,
        public=body.public,
        notice=body.notice,
        about=body.about,
    )

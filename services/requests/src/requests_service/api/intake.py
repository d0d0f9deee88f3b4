"""Placing an order: anonymous, or by any person with a token."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.idempotency import IdempotencyKey, recall, remember
from lianhu_kit.problems import FieldError, Forbidden, Invalid, NotFound
from requests_service.api.bodies import OrderBody, wanted_of
from requests_service.api.doors import Rates, Zone, address_of
from requests_service.domain.orders import Wanted
from requests_service.handlers.intake import submit
from requests_service.handlers.order import Consent, Order
from requests_service.tables import Request as Placed

router = APIRouter(tags=["requests"])
ROUTE = "POST /v1/requests"
FOR_OTHERS = ("clerk", "branch_secretary", "grid_leader", "grid_worker", "supervisor", "integrator", "admin")
FOR_THEMSELVES = ("resident", "volunteer")
_CHANNELS = {"integrator": "api", "grid_worker": "field", "grid_leader": "field"}

Caller = Annotated[Access, permits(*FOR_OTHERS, *FOR_THEMSELVES, anonymous=True)]


@router.post("/v1/requests", status_code=201)
async def place_order(
    request: Request,
    response: Response,
    body: OrderBody,
    session: Session,
    access: Caller,
    zone: Zone,
    key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Places an order. The answer's number and tracking code are what the slip shows; 422 names every wrong field.

    Without a token so many a minute and address; with staff's or an integrator's token only under their code (404),
    with a role that places no orders not at all (403).
    """  # fmt: skip
    channel, own = _standing(access, body)
    caller = _caller(access, key)
    if access.caller is None:
        rates: Rates = request.app.state.rates
        await rates.hit("orders", address_of(request))
    await enter_scope(session, body.tenant, access.person)
    sent = await request.body()
    before = await recall(session, key, caller=caller, route=ROUTE, body=sent)
    if before is not None:
        response.status_code = before.status
        return before.answer
    placed = await submit(
        session, _order(body, access.person, channel, own), zone=zone, served_key=request.app.state.served_key
    )
    answer = _slip(placed)
    await remember(session, key, caller=caller, route=ROUTE, body=sent, tenant=body.tenant, status=201, answer=answer)
    return answer


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


def _order(body: OrderBody, person: UUID | None, channel: str, own: bool) -> Order:
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
    )


def _slip(request: Placed) -> dict[str, Any]:
    return {
        "id": str(request.id),
        "number": request.number,
        "tracking_code": request.tracking_code,
        "status": request.status,
        "tenant": request.tenant,
        "service": request.service,
        "grid": request.grid,
        "limits": {
            "contact": request.contact_due.isoformat() if request.contact_due else None,
            "finish": request.finish_due.isoformat() if request.finish_due else None,
        },
        "version": request.version,
        "submitted_at": request.submitted_at.isoformat(),
    }

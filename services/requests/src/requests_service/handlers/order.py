"""An order as it comes in, and what it becomes: checked against its place, or refused with every reason at once."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from lianhu_kit.identifiers import new_id, new_number, new_tracking_code
from lianhu_kit.problems import FieldError, Invalid, Problem
from requests_service.domain import answers as answering
from requests_service.domain import limits, orders, served
from requests_service.domain.statuses import Status
from requests_service.handlers.taking_on import questions_of
from requests_service.queries.placing import Place


@dataclass(frozen=True)
class Consent:
    """A guardian's consent."""

    name: str
    phone: str
    at: datetime


@dataclass(frozen=True)
class Order:
    """What somebody asks for. `own` says that they order for themselves, with an account."""

    tenant: str
    service: str
    text: str
    channel: str
    reporter: UUID | None = None
    own: bool = False
    name: str | None = None
    phone: str | None = None
    relation: str | None = None
    reach: str | None = None
    served_kind: str = "adult"
    served_name: str | None = None
    served_given: bool = False
    consent: Consent | None = None
    address: str | None = None
    grid: str | None = None
    household: UUID | None = None
    door: UUID | None = None
    wanted: orders.Wanted = field(default_factory=lambda: orders.Wanted(None, None))
    answers: dict[str, Any] = field(default_factory=dict)
    public: bool = False
    notice: str | None = None
    about: str | None = None


@dataclass(frozen=True)
class Placed:
    """The rows that an order becomes, by column, those left out empty.

    `identity` is what the one served is found by, None where nothing is.
    """

    request: dict[str, Any]
    contact: dict[str, Any]
    identity: str | None
    contact_near: datetime | None
    finish_near: datetime | None


@dataclass(frozen=True)
class Promised:
    """When a village has spoken with the resident and is done, when that is near, and how long it waits for word."""

    contact_due: datetime | None
    finish_due: datetime | None
    contact_near: datetime | None
    finish_near: datetime | None
    confirm_seconds: int


def promised(service_limits: dict[str, Any], settings: dict[str, Any], now: datetime, zone: tzinfo) -> Promised:
    """The limits of a service at a place, from now on; `settings` are those that hold there."""
    working = limits.working_time(settings, zone)
    contact, finish = (
        limits.Limit(**service_limits[which]) if service_limits.get(which) else None for which in ("contact", "finish")
    )
    return Promised(
        contact_due=limits.due(now, contact, working) if contact else None,
        finish_due=limits.due(now, finish, working) if finish else None,
        contact_near=limits.near(now, contact, working) if contact else None,
        finish_near=limits.near(now, finish, working) if finish else None,
        confirm_seconds=int(settings.get("confirm_seconds") or service_limits["confirm"]["seconds"]),
    )


def place(order: Order, at: Place, now: datetime, zone: tzinfo) -> Placed:
    """The rows of an order. Invalid names every field that is wrong; nothing is stored then."""
    _check_place(order, at)
    service = at.service or {}
    name, phone = order.name, order.phone
    if order.own and name is None and at.caller:
        name, phone = at.caller["name"], phone or at.caller["phone"]
    _check(order, service, phone, now)
    until = promised(service["limits"], at.settings, now, zone)
    homes = [at.households[home] for home in (order.household, order.door) if home]
    request_id = new_id()
    request = {
        "id": request_id,
        "tenant": order.tenant,
        "number": new_number(),
        "tracking_code": new_tracking_code(),
        "sequence": 1,
        "version": 1,
        "status": Status.SUBMITTED,
        "service": order.service,
        "kind": service["kind"],
        "skill": service["skill"],
        "places": service["places_default"],
        "round": 0,
        "grid": order.grid or next((home["grid"] for home in homes if home["grid"]), None),
        "household": order.household,
        "text": order.text,
        "answers": order.answers,
        "channel": order.channel,
        "notice": order.notice,
        "public": order.public and order.about is None,
        "about": order.about,
        "urgent": False,
        "served_kind": order.served_kind,
        "guardian": order.consent is not None,
        "reporter": order.reporter,
        "resident": _resident(order, phone, at),
        "wanted_from": order.wanted.start,
        "wanted_to": order.wanted.end,
        "contact_due": until.contact_due,
        "contact_promised": until.contact_due,
        "finish_due": until.finish_due,
        "finish_promised": until.finish_due,
        "confirm_seconds": until.confirm_seconds,
        "confirm_passed": False,
        "tries": 0,
        "reopened": 0,
        "submitted_at": now,
    }
    contact = {
        "request_id": request_id,
        "tenant": order.tenant,
        "name": name,
        "phone": phone,
        "relation": order.relation,
        "reach": order.reach,
        "address": order.address or (at.households[order.household]["address"] if order.household else None),
        "served_name": order.served_name,
        "guardian_name": order.consent.name if order.consent else None,
        "guardian_phone": order.consent.phone if order.consent else None,
        "guardian_consent_at": order.consent.at if order.consent else None,
    }
    identity = served.identity(
        kind=order.served_kind,
        name=order.served_name if order.served_given else name,
        household=order.household,
        phone=phone,
        account=order.reporter if order.own and not order.served_given else None,
    )
    return Placed(
        request,
        contact,
        identity,
        until.contact_near,
        until.finish_near,
    )


def _resident(order: Order, phone: str | None, at: Place) -> UUID | None:
    """The account of the one to tell: the orderer's own, or whose phone the contact's is."""
    its_phone = at.caller["phone"] if at.caller else None
    if order.own or (order.reporter and phone and phone == its_phone):
        return order.reporter
    return at.resident


def _check_place(order: Order, at: Place) -> None:
    if order.tenant not in at.units:
        raise Invalid(
            [FieldError("tenant", "Lianhu does not serve this village. See GET /v1/org-units?under=<code above it>.")]
        )
    if at.service is None or not at.service["active"]:
        raise Invalid(
            [FieldError("service", "The village does not offer this. See GET /v1/services?tenant=<village>.")]
        )
    errors = []
    if order.grid and (not order.grid.startswith(order.tenant) or order.grid not in at.units):
        errors.append(FieldError("grid", "The village has no such grid. Leave it out, or see GET /v1/org-units."))
    for name, home in (("household", order.household), ("door", order.door)):
        if home and home not in at.households:
            errors.append(FieldError(name, "The village has no such household. Leave it out where it is not known."))
    if errors:
        raise Invalid(errors)


def _check(order: Order, service: dict[str, Any], phone: str | None, now: datetime) -> None:
    try:
        orders.require_consent(
            order.served_kind, service_asks=service["guardian_consent"], consent=order.consent is not None
        )
    except orders.ConsentMissing as missing:
        field = FieldError("served.guardian_consent", "Give the guardian's name, phone and the time of the consent.")
        raise Problem(
            422, "consent-missing", f"{missing.__doc__} Nothing was stored.", title="Consent missing", errors=[field]
        ) from None
    except orders.ConsentUnasked as unasked:
        raise Invalid([FieldError("served.guardian_consent", str(unasked.__doc__))]) from None
    errors = [
        FieldError(found.field, found.detail)
        for found in answering.check(questions_of(service["questions"]), order.answers)
    ]
    try:
        orders.require_reach(phone=phone, household=order.household, reach=order.reach, account=order.own)
    except orders.NoWayToReach as unreachable:
        errors.append(FieldError("contact.phone", str(unreachable.__doc__)))
    if fault := orders.wanted_fault(order.wanted, now):
        errors.append(FieldError("wanted", fault))
    if order.consent and (fault := orders.consent_time_fault(order.consent.at, now)):
        errors.append(FieldError("served.guardian_consent.at", fault))
    if errors:
        raise Invalid(errors)

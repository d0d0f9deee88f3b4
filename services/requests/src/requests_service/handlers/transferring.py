"""Passing a request to the village that it belongs to: it ends here and is placed there, in one transaction."""

from datetime import datetime, tzinfo
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.context import caused_by, current_cause
from lianhu_kit.database import enter_scope
from lianhu_kit.divisions import VILLAGE
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.problems import FieldError, Invalid
from requests_service.domain.about import require_seen
from requests_service.domain.statuses import Move, Status, after
from requests_service.events.published import Submitted, Transferred
from requests_service.handlers import photos
from requests_service.handlers.case import Case
from requests_service.handlers.clock import CONTACT_NEAR, FINISH_NEAR
from requests_service.handlers.order import Promised, promised
from requests_service.queries.finding import name_of
from requests_service.queries.units import service_at, settings_at
from requests_service.tables import CatalogueService, Contact, Request

# What the resident said stays as it was said; limits, grid and household are the new village's.
_CARRIED = (
    "tracking_code", "text", "answers", "channel", "notice", "public", "served_kind", "served_id", "guardian",
    "reporter", "resident", "wanted_from", "wanted_to",
)  # fmt: skip


async def transfer(case: Case, *, to: str, reason: str, service: str | None, zone: tzinfo) -> Request:
    """Ends the request as transferred and places the same one in the village `to`; answers the new one.

    The new one is in the other village's reach. The tracking code stays, so that the slip goes on being good. Raises
    IllegalTransition, Invalid where there is no such village or it does not offer the service, and UnseenByVillage.
    """
    require_seen(case.request.about)
    session, old, home = case.session, case.request, case.request.tenant
    after(case.status, Move.TRANSFER)
    contact = (await session.exec(select(Contact).where(Contact.request_id == old.id))).one()
    await enter_scope(session, to, case.by)
    village, offered = await _offered(session, home, to, service or old.service)
    limits = promised(offered.limits, await settings_at(session, to), case.now, zone)
    new = _placed_anew(old, to, await _free_number(session, to), offered, limits, case.now)
    await enter_scope(session, home, case.by)
    case.move(Move.TRANSFER)
    case.tell(
        Transferred,
        details={"reason": reason, "village": village, "tenant": to, "number": new.number},
        into=new.id,
        tenant_into=to,
        number_into=new.number,
    )
    await case.end()
    await case.save()
    shown = await photos.take_all(session, old)
    with caused_by(str(case.told), current_cause().traceparent):
        await enter_scope(session, to, case.by)
        session.add(new)
        await session.flush()
        session.add(Contact(**contact.model_dump(exclude={"request_id", "tenant"}), request_id=new.id, tenant=to))
        await photos.hand_on(session, shown, new)
        await _begin(Case(session, new, new.reporter), old, limits)
    return new


async def _offered(session: AsyncSession, home: str, to: str, code: str) -> tuple[str, CatalogueService]:
    """The village's name and its service."""
    village = await name_of(session, to) if len(to) == VILLAGE and to != home else None
    if village is None:
        raise Invalid([FieldError("to", "There is no such other village. Give the 12 digits of one that is served.")])
    service = await service_at(session, to, code)
    if service is None:
        raise Invalid([FieldError("service", "That village does not offer this. Name one of its own services.")])
    return village, service


def _placed_anew(
    old: Request, to: str, number: str, service: CatalogueService, limits: Promised, moment: datetime
) -> Request:
    return Request(
        **{name: getattr(old, name) for name in _CARRIED}, id=new_id(), tenant=to, number=number, sequence=0, version=1,
        status=Status.SUBMITTED, service=service.code, kind=service.kind, skill=service.skill,
        places=service.places_default, round=0, urgent=False, contact_due=limits.contact_due,
        contact_promised=limits.contact_due, finish_due=limits.finish_due, finish_promised=limits.finish_due,
        confirm_seconds=limits.confirm_seconds, confirm_passed=False, tries=0, reopened=0, submitted_at=moment,
    )  # fmt: skip


async def _begin(case: Case, old: Request, limits: Promised) -> None:
    """The first event, step and timers of the new one."""
    new = case.request
    case.tell(
        Submitted, details={"from": old.tenant, "number": old.number}, number=new.number, service=new.service,
        kind=new.kind, grid=None, household=None, channel=new.channel, reporter=new.reporter, resident=new.resident,
        guardian=new.guardian, minor=new.served_kind == "child", served_kind=new.served_kind, served_id=new.served_id,
        public=new.public, urgent=False, limits=case.limits, confirm_seconds=new.confirm_seconds,
    )  # fmt: skip
    for kind, due in ((CONTACT_NEAR, limits.contact_near), (FINISH_NEAR, limits.finish_near)):
        if due is not None:
            case.arm(kind, due)
    await case.save()


async def _free_number(session: AsyncSession, tenant: str) -> str:
    """A number that the village has not given; two at the same moment are kept apart by the table itself."""
    while True:
        number = new_number()
        taken: UUID | None = (
            await session.exec(select(Request.id).where(Request.tenant == tenant, Request.number == number))
        ).one_or_none()
        if taken is None:
            return number

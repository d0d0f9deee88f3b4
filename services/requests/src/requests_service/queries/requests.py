"""Requests as their readers may see them, and lists of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.ranges import before as older_than
from lianhu_kit.ranges import newest_first, under
from lianhu_kit.tokens import Grant
from requests_service.domain import access
from requests_service.domain.masking import mask_name, mask_phone
from requests_service.domain.statuses import Status, allowed
from requests_service.queries.reach import reaches
from requests_service.tables import Contact, Holder, Request, Step


def state_of(request: Request) -> dict[str, Any]:
    """What every reader may see: where it stands and when it is due."""
    return {
        "id": request.id,
        "number": request.number,
        "tenant": request.tenant,
        "grid": request.grid,
        "service": request.service,
        "kind": request.kind,
        "status": request.status,
        "version": request.version,
        "urgent": request.urgent,
        "limits": {"contact": request.contact_due, "finish": request.finish_due},
        "confirm_by": request.confirm_due if request.status == Status.COMPLETED else None,
        "submitted_at": request.submitted_at,
        "completed_at": request.completed_at,
        "closed_at": request.closed_at,
    }


def summary_of(request: Request) -> dict[str, Any]:
    """State and the clerk's summary, grades and moves; no text of the resident's."""
    return {
        **state_of(request),
        "summary": request.summary,
        "public": request.public,
        "round": request.round,
        "contacted_at": request.contacted_at,
        "reopened": request.reopened,
        "solved": request.solved,
        "first_grade": request.first_grade,
        "last_grade": request.last_grade,
        "merged_into": request.merged_into,
        "about": request.about,
        "suspended_until": request.suspended_until,
        "extended_at": request.extended_at,
        "asked": {"what": request.asked, "until": request.asked_until} if request.asked else None,
        "allowed": list(allowed(Status(request.status))),
    }


async def page(
    session: AsyncSession,
    grant: Grant,
    person: UUID | None,
    *,
    scope: str,
    tenant: str | None,
    statuses: Sequence[str],
    service: str | None,
    grid: str | None,
    number: str | None,
    before: UUID | None,
    limit: int,
) -> list[Request]:
    """Requests that a grant reaches in a scope, newest first; `limit + 1` of them, to see if more follow."""
    place = col(Request.tenant), col(Request.id), scope
    query = select(Request).where(reaches(grant, person))
    if tenant is not None and tenant != scope:
        query = query.where(under(col(Request.tenant), tenant))
    if statuses:
        query = query.where(col(Request.status).in_(statuses))
    for column, value in ((Request.service, service), (Request.grid, grid), (Request.number, number)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(older_than(*place, before))
    return list(await session.exec(query.order_by(*newest_first(*place)).limit(limit + 1)))


async def read(session: AsyncSession, request: Request, grant: Grant, person: UUID) -> dict[str, Any]:
    """A request as this role sees it: texts for who works on it and for whose it is, names and phones masked."""
    if grant.role == "integrator":
        return state_of(request)
    if not await _reads_text(session, request, grant.role, person):
        return summary_of(request)
    contact = await session.get(Contact, request.id)
    return {
        **summary_of(request),
        "text": request.text,
        "answers": request.answers,
        "channel": request.channel,
        "notice": request.notice,
        "household": request.household,
        "served_kind": request.served_kind,
        "wanted": {"from": request.wanted_from, "to": request.wanted_to},
        "contact": {
            "name": mask_name(contact.name) if contact and contact.name else None,
            "phone": mask_phone(contact.phone) if contact and contact.phone else None,
        },
        "notes": await _notes(session, request.id),
    }


async def _reads_text(session: AsyncSession, request: Request, role: str, person: UUID) -> bool:
    if role == "supervisor" and request.about is not None:
        return True  # nobody of the village could sum it up
    if role not in access.READS_TEXT:
        return False
    if role != "volunteer":
        return True
    # A volunteer reads what they hold, for as long as they hold it.
    held = await session.exec(
        select(Holder.round).where(Holder.request_id == request.id, Holder.person == person, Holder.state == "held")
    )
    seen = access.Seen(
        Status(request.status), request.round in set(held), held=True, own=False, first_grade=None, last_grade=None
    )
    return access.contact(role, seen) is access.Contact.YES


async def _notes(session: AsyncSession, request_id: UUID) -> dict[str, Any]:
    """The words of the story, the last of each step: what is missing, the answer and its source, the reason."""
    rows = await session.exec(
        select(Step.step, Step.details)
        .where(Step.request_id == request_id, Step.details != {})
        .order_by(col(Step.position))
    )
    return {step: details for step, details in rows if step != "accepted"}


async def by_number(session: AsyncSession, tenant: str, number: str) -> Request | None:
    """The request of a village that has this number."""
    query = select(Request).where(Request.tenant == tenant, Request.number == number)
    return (await session.exec(query)).one_or_none()


async def alike(session: AsyncSession, request: Request, statuses: Sequence[str], limit: int = 50) -> list[Request]:
    """Open requests of the same service and village at the same household or in the same grid, newest first."""
    same = [col(Request.household) == request.household] if request.household else []
    if request.grid:
        same.append(col(Request.grid) == request.grid)
    if not same:
        return []
    query = (
        select(Request)
        .where(
            Request.tenant == request.tenant,
            Request.service == request.service,
            Request.id != request.id,
            col(Request.status).in_(statuses),
            or_(*same),
        )
        .order_by(col(Request.submitted_at).desc())
        .limit(limit)
    )
    return list(await session.exec(query))

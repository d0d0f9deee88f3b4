"""What somebody who follows an order sees: where it stands, who comes, what was asked of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.known_by import known_by
from requests_service.domain.next_steps import due_field
from requests_service.domain.statuses import TRANSITIONS, WITH_DISPATCH, Move, Status
from requests_service.queries.story import timeline
from requests_service.tables import Contact, Holder, Request, Step


@dataclass(frozen=True)
class Comer:
    """Who comes: a masked name, and the digits by which to know them."""

    name: str
    known_by: str


@dataclass(frozen=True)
class Followed:
    """An order as its resident sees it; `by` is when the next thing is due, `words` what the village wrote last."""

    request: Request
    status: Status
    by: datetime | None
    comers: list[Comer]
    steps: list[dict[str, Any]]
    words: dict[str, Any]
    has_phone: bool
    can_confirm: bool
    can_reopen: bool
    can_withdraw: bool
    can_reply: bool


async def followed(session: AsyncSession, request: Request, key: bytes) -> Followed:
    """All that the page shows of an order in scope."""
    status = Status(request.status)
    holders = []
    if status in WITH_DISPATCH:
        holders = list(
            await session.exec(
                select(Holder).where(
                    Holder.request_id == request.id, Holder.round == request.round, Holder.state == "held"
                )
            )
        )
    contact = await session.get(Contact, request.id)
    said = ("asked", "answered", "rejected", "agency-replied", "transferred")
    told = await session.exec(
        select(Step.step, Step.details)
        .where(Step.request_id == request.id, col(Step.step).in_(said))
        .order_by(col(Step.position))
    )
    moves = TRANSITIONS[status]
    return Followed(
        request=request,
        status=status,
        by=getattr(request, due_field(status)),
        comers=[Comer(holder.name or "?", known_by(key, request.id, holder.person)) for holder in holders],
        steps=await timeline(session, request.id),
        words=dict(iter(told)),
        has_phone=bool(contact and contact.phone),
        can_confirm=Move.CONFIRM in moves,
        can_reopen=Move.REOPEN in moves,
        can_withdraw=Move.WITHDRAW in moves,
        can_reply=Move.REPLY in moves,
    )


async def phone_of(session: AsyncSession, request_id: UUID) -> str | None:
    """The phone of an order's contact, to send a code to."""
    contact = await session.get(Contact, request_id)
    return contact.phone if contact else None


async def orders_of(session: AsyncSession, person: UUID, limit: int = 50) -> list[Request]:
    """Somebody's own orders in the village of the scope, the newest first."""
    found = await session.exec(
        select(Request)
        .where((col(Request.resident) == person) | (col(Request.reporter) == person))
        .order_by(col(Request.id).desc())
        .limit(limit)
    )
    return list(found)

"""Photos of orders: added, taken away, and gone when their time is over."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from lianhu_kit.identifiers import new_id
from lianhu_kit.problems import Forbidden, NotFound
from lianhu_kit.timers import Timer, arm, disarm
from requests_service.domain.photos import LOOKED_AT_EVERY, MOST, PhotosFull, Purpose, over_at, purpose, removes
from requests_service.handlers.case import Case
from requests_service.handlers.reencoding import Saved
from requests_service.queries.photos import photos_of
from requests_service.queries.units import settings_at
from requests_service.tables import Attachment, Holder, Request

PHOTO_OVER = "photo-over"
MEDIA_TYPE = "image/jpeg"
_OWNER = text("SELECT request_id FROM attachments WHERE id = :id")
_END = text("DELETE FROM attachments WHERE id = :id")


async def purpose_of(case: Case, role: str, person: UUID) -> Purpose:
    """What a photo of this person's would show. Raises OrderEnded, NotYours."""
    request = case.request
    held = await case.session.exec(
        select(Holder.state).where(
            Holder.request_id == request.id, Holder.round == request.round, Holder.person == person
        )
    )
    return purpose(role, case.status, own=_own(request, person), held=held.one_or_none())


async def add(case: Case, saved: Saved, shows: Purpose, by: UUID | None) -> dict[str, Any]:
    """Keeps a photo that was saved anew; the same one sent again is the one that is there. Raises PhotosFull."""
    request, session = case.request, case.session
    digest = hashlib.sha256(saved.content).digest()
    same = (Attachment.request_id == request.id, Attachment.purpose == shows.value)
    known = (await session.exec(select(Attachment.id).where(*same, Attachment.digest == digest))).one_or_none()
    if known is not None:
        return (await photos_of(session, request.id, known))[0]
    if (await session.exec(select(func.count()).where(*same))).one() >= MOST:
        raise PhotosFull
    photo = Attachment(
        id=new_id(), request_id=request.id, tenant=request.tenant, purpose=shows.value, media_type=MEDIA_TYPE,
        size=len(saved.content), digest=digest, by=by, at=case.now, thumbnail=saved.thumbnail, content=saved.content,
    )  # fmt: skip
    session.add(photo)
    case.note("requests", "photo-added", case.now, by)
    await session.flush()
    await arm(session, PHOTO_OVER, photo.id, case.now + LOOKED_AT_EVERY, tenant=request.tenant)
    return (await photos_of(session, request.id, photo.id))[0]


async def remove(case: Case, wanted: UUID, *, role: str, person: UUID) -> None:
    """Takes a photo away for good. NotFound where there is none, Forbidden for whoever may only look."""
    request = case.request
    found = await photos_of(case.session, request.id, wanted)
    if not found:
        raise NotFound()
    photo = found[0]
    if not removes(role, Purpose(photo["purpose"]), own=_own(request, person), by_them=photo["by"] == person):
        raise Forbidden("Only who added a photo, the resident of the order and the desk take it away.")
    await _drop(case, wanted)


async def remove_own(case: Case, wanted: UUID) -> None:
    """Takes a photo that shows what the order is about away, for its resident. NotFound where there is none."""
    found = await photos_of(case.session, case.request.id, wanted)
    if not found or found[0]["purpose"] != Purpose.ORDER:
        raise NotFound()
    await _drop(case, wanted)


async def _drop(case: Case, wanted: UUID) -> None:
    await case.session.execute(_END, {"id": wanted})
    await disarm(case.session, wanted, PHOTO_OVER)
    case.note("requests", "photo-removed", case.now, case.by)


async def take_all(session: AsyncSession, request: Request) -> list[Attachment]:
    """All photos of an order, taken out of it: they are handed on in the same transaction."""
    found = list(await session.exec(select(Attachment).where(Attachment.request_id == request.id)))
    for photo in found:
        await session.delete(photo)
        await disarm(session, photo.id, PHOTO_OVER)
    await session.flush()
    return found


async def hand_on(session: AsyncSession, found: Sequence[Attachment], request: Request) -> None:
    """Gives photos to another order, in the scope of its village."""
    for photo in found:
        same = photo.model_dump(exclude={"id", "request_id", "tenant"})
        given = Attachment(**same, id=new_id(), request_id=request.id, tenant=request.tenant)
        session.add(given)
        await arm(session, PHOTO_OVER, given.id, now(session) + LOOKED_AT_EVERY, tenant=request.tenant)


async def look_again(session: AsyncSession, timer: Timer) -> None:
    """The timer of a photo: it goes when its time is over, else it is looked at again."""
    owner = (await session.execute(_OWNER, {"id": timer.aggregate})).scalar()
    request = await session.get(Request, owner) if owner else None
    if request is None:
        return
    over = over_at(request.closed_at, await settings_at(session, request.tenant))
    if over is not None and over <= now(session):
        await session.execute(_END, {"id": timer.aggregate})
        return
    later = now(session) + LOOKED_AT_EVERY
    await arm(session, PHOTO_OVER, timer.aggregate, min(over or later, later), tenant=timer.tenant)


def _own(request: Request, person: UUID) -> bool:
    return person in (request.reporter, request.resident)

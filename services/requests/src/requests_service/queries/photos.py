"""Photos of an order: what is there, and one of them."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.tables import Attachment

# Without the pictures: a list reads none of them.
_PHOTOS = text(
    "SELECT id, purpose, media_type, size, by, at FROM attachments "
    "WHERE request_id = :request AND (CAST(:wanted AS uuid) IS NULL OR id = :wanted) ORDER BY id"
)


async def photos_of(session: AsyncSession, request_id: UUID, wanted: UUID | None = None) -> list[dict[str, Any]]:
    """The photos of an order in scope without their pictures, the first first; of one where it is named."""
    found = await session.execute(_PHOTOS, {"request": request_id, "wanted": wanted})
    return [dict(row) for row in found.mappings()]


async def small_photos_of(session: AsyncSession, request_id: UUID) -> list[dict[str, Any]]:
    """The same with small pictures, as pages hold them within themselves (RFC 2397)."""
    query = select(Attachment.id, Attachment.thumbnail).where(Attachment.request_id == request_id)
    small = {photo: b64encode(picture).decode() for photo, picture in await session.exec(query)}
    told = await photos_of(session, request_id)
    return [{**each, "picture": f"data:{each['media_type']};base64,{small[each['id']]}"} for each in told]


async def picture_of(session: AsyncSession, request_id: UUID, wanted: UUID) -> tuple[str, bytes] | None:
    """The media type and the picture of one photo of an order in scope."""
    query = select(Attachment.media_type, Attachment.content)
    return (await session.exec(query.where(Attachment.request_id == request_id, Attachment.id == wanted))).one_or_none()

"""Photos of an order: what is there, and one of them."""

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


async def picture_of(session: AsyncSession, request_id: UUID, wanted: UUID) -> tuple[str, bytes] | None:
    """The media type and the picture of one photo of an order in scope."""
    query = select(Attachment.media_type, Attachment.content)
    return (await session.exec(query.where(Attachment.request_id == request_id, Attachment.id == wanted))).one_or_none()

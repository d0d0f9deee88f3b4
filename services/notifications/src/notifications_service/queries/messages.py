"""A person's inbox. Row-level security shows each person their own messages only."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from notifications_service.tables import Message


async def newest(
    session: AsyncSession, person: UUID, *, before: UUID | None, limit: int, unread_only: bool = False
) -> Sequence[Message]:
    """Messages of the person, newest first, at most `limit`, older than `before`."""
    found = select(Message).where(col(Message.person) == person)
    if before is not None:
        found = found.where(col(Message.id) < before)
    if unread_only:
        found = found.where(col(Message.read_at).is_(None))
    return (await session.exec(found.order_by(col(Message.id).desc()).limit(limit))).all()


async def unread(session: AsyncSession, person: UUID) -> int:
    """How many messages the person has not read."""
    counted = select(func.count()).where(col(Message.person) == person, col(Message.read_at).is_(None))
    return (await session.exec(counted)).one()


async def mark_read(session: AsyncSession, person: UUID, message: UUID, at: datetime) -> datetime | None:
    """When the message was first read, this call included; None where the person has no such message."""
    first = func.coalesce(Message.read_at, at)
    mine = update(Message).where(col(Message.id) == message, col(Message.person) == person)
    return (await session.execute(mine.values(read_at=first).returning(col(Message.read_at)))).scalar_one_or_none()

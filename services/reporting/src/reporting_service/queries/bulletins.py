"""Bulletins as they were issued."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.tables import BulletinRow


async def issues(session: AsyncSession, org: str, period: str) -> Sequence[BulletinRow]:
    """Every issue of a unit's bulletin for a period, the newest revision first."""
    query = select(BulletinRow).where(BulletinRow.org == org, BulletinRow.period == period)
    return list(await session.exec(query.order_by(col(BulletinRow.revision).desc())))


async def latest(session: AsyncSession, org: str, limit: int = 24) -> Sequence[BulletinRow]:
    """The bulletins that a unit issued, the newest period first."""
    query = select(BulletinRow).where(BulletinRow.org == org)
    order = col(BulletinRow.period).desc(), col(BulletinRow.revision).desc()
    return list(await session.exec(query.order_by(*order).limit(limit)))

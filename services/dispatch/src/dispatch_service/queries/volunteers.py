"""Volunteers as leaders see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.tables import Volunteer
from lianhu_kit.divisions import upper_bound
from lianhu_kit.ranges import under


async def page(
    session: AsyncSession,
    *,
    at: str,
    tenant: str | None,
    grid: str | None,
    skill: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Volunteer]:
    """Up to `limit + 1` people with a working role under a code, by id."""
    statement = select(Volunteer)
    for code in (at, tenant, grid):
        if code is not None:
            statement = statement.where(under(col(Volunteer.grid) if len(code) > 12 else col(Volunteer.tenant), code))
    if skill is not None:
        statement = statement.where(col(Volunteer.skills).contains([skill]))
    if after is not None:
        statement = statement.where(col(Volunteer.id) > after)
    return (await session.exec(statement.order_by(col(Volunteer.id)).limit(limit + 1))).all()


async def locked(session: AsyncSession, person: UUID, at: str) -> Volunteer | None:
    """Somebody under a code, locked; None where there is nobody."""
    place = col(Volunteer.grid) if len(at) > 12 else col(Volunteer.tenant)
    statement = (
        select(Volunteer).where(col(Volunteer.id) == person, place >= at, place < upper_bound(at)).with_for_update()
    )
    return (await session.exec(statement)).first()


def state_of(person: Volunteer, now: datetime) -> str:
    """`available`, `full`, `away` or `inactive`."""
    if not person.active:
        return "inactive"
    if person.away_until is not None and person.away_until > now:
        return "away"
    return "full" if person.load >= person.capacity else "available"


def item(person: Volunteer, now: datetime) -> dict[str, Any]:
    """Somebody as an item of the list; the name is masked."""
    return {
        "id": person.id,
        "name": person.name,
        "tenant": person.tenant,
        "grid": person.grid,
        "roles": person.roles,
        "skills": person.skills,
        "state": state_of(person, now),
        "capacity": person.capacity,
        "load": person.load,
        "away_until": person.away_until,
        "checked_until": person.checked_until,
        "staff": person.staff,
    }

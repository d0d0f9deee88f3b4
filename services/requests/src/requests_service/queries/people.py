"""People of a unit and their roles."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import ancestors
from requests_service.tables import Person, PersonRole


async def people_of(session: AsyncSession, tenant: str, after: UUID | None, limit: int) -> list[Person]:
    """Who belongs to a unit, in the order of their ids."""
    query = select(Person).where(Person.tenant == tenant)
    if after is not None:
        query = query.where(Person.id > after)
    return list(await session.exec(query.order_by(col(Person.id)).limit(limit)))


async def roles_of(session: AsyncSession, people: Sequence[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    """The roles of these people and where each holds."""
    rows = await session.exec(
        select(PersonRole).where(col(PersonRole.person).in_(people)).order_by(col(PersonRole.role), col(PersonRole.at))
    )
    found: dict[UUID, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.person, []).append((row.role, row.at))
    return found


async def admins_of(session: AsyncSession, at: str) -> list[UUID]:
    """Who administers a unit, by a role there or above, and is not kept out; as far as the caller's scope shows."""
    return list(
        await session.exec(
            select(PersonRole.person)
            .join(Person, col(Person.id) == col(PersonRole.person))
            .where(PersonRole.role == "admin", col(PersonRole.at).in_([at, *ancestors(at)]), Person.active)
            .distinct()
        )
    )

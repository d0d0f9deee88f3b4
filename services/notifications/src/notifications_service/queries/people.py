"""Who stands for an office over a place, and which language a person chose."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import ancestors
from notifications_service.domain.audiences import Official

_OFFICIALS = text(
    "SELECT person, role, at FROM person_roles WHERE at = ANY (:places) AND role = ANY (:roles) ORDER BY person, role"
)
_LOCALES = text("SELECT person, locale FROM preferences WHERE person = ANY (:people)")


async def officials(session: AsyncSession, place: str, roles: Collection[str]) -> list[Official]:
    """Everyone who has one of the roles at a place or above it."""
    values = {"places": [place, *ancestors(place)], "roles": sorted(roles)}
    return [Official(row.person, row.role, row.at) for row in await session.execute(_OFFICIALS, values)]


async def locales(session: AsyncSession, people: Collection[UUID]) -> dict[UUID, str]:
    """The languages of those who chose one; the API sees its caller's own only."""
    if not people:
        return {}
    rows = await session.execute(_LOCALES, {"people": list(people)})
    return {row.person: row.locale for row in rows}

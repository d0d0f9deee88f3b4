"""Who stands for an office over a place, and what a person chose."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import ancestors
from notifications_service.domain.audiences import Official
from notifications_service.domain.choices import Choices

_OFFICIALS = text(
    "SELECT person, role, at FROM person_roles WHERE at = ANY (:places) AND role = ANY (:roles) ORDER BY person, role"
)
_CHOSEN = text("SELECT person, locale, choices FROM preferences WHERE person = ANY (:people)")


async def officials(session: AsyncSession, place: str, roles: Collection[str]) -> list[Official]:
    """Everyone who has one of the roles at a place or above it."""
    values = {"places": [place, *ancestors(place)], "roles": sorted(roles)}
    return [Official(row.person, row.role, row.at) for row in await session.execute(_OFFICIALS, values)]


@dataclass(frozen=True)
class Chosen:
    """What a person chose: a language, or None, and when they are told by which channel."""

    locale: str | None = None
    choices: Choices = field(default_factory=dict)


async def chosen_by(session: AsyncSession, people: Collection[UUID]) -> dict[UUID, Chosen]:
    """What those chose who chose anything; the API sees its caller's own only."""
    if not people:
        return {}
    rows = await session.execute(_CHOSEN, {"people": list(people)})
    return {row.person: Chosen(row.locale, row.choices) for row in rows}

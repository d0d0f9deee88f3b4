"""Villages by what people type: part of the name, its pinyin, its initials, or the beginning of the code."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import ancestors
from requests_service.domain.finding import plain

# Over villages alone, by their partial index: a city has some hundreds, a province some ten thousands.
_FIND = text(
    """
    SELECT code, name FROM org_units
    WHERE level = 'village' AND (name LIKE :within OR found_by LIKE :within OR code LIKE :from_here)
    ORDER BY name NOT LIKE :from_here, length(name), code LIMIT :limit
    """
)
_NAMES = text("SELECT code, name FROM org_units WHERE code = ANY(CAST(:codes AS text[]))")


@dataclass(frozen=True)
class Found:
    """A village, and the names above it, the nearest first."""

    code: str
    name: str
    above: tuple[str, ...]


async def find_units(session: AsyncSession, words: str, limit: int = 20) -> list[Found]:
    """Villages that these words find, the best first; none for no words."""
    sought = plain(words)
    if not sought:
        return []
    values = {"within": f"%{sought}%", "from_here": f"{sought}%", "limit": limit}
    rows = (await session.execute(_FIND, values)).all()
    codes = sorted({above for row in rows for above in ancestors(row.code)})
    names = {row.code: row.name for row in (await session.execute(_NAMES, {"codes": codes})).all()}
    return [
        Found(row.code, row.name, tuple(names[above] for above in ancestors(row.code) if above in names))
        for row in rows
    ]


async def name_of(session: AsyncSession, code: str) -> str | None:
    """The name of a unit; None where there is no such unit."""
    rows = (await session.execute(_NAMES, {"codes": [code]})).all()
    return str(rows[0].name) if rows else None

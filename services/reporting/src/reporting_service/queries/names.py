"""The names of keys: units, services, people."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.queries.snapshots import Reading, place_of

_UNITS = text("SELECT code AS key, name FROM org_units WHERE generation = :generation AND code = ANY(:keys)")
_PEOPLE = text(
    "SELECT id::text AS key, name FROM people WHERE generation = :generation AND id = ANY(CAST(:keys AS uuid[]))"
)
# The nearest offer of it at or above the unit, else the highest below.
_SERVICES = text(
    """
    SELECT DISTINCT ON (code) code AS key, name FROM services
    WHERE generation = :generation AND code = ANY(:keys)
      AND (starts_with(:org, tenant) OR (tenant >= :org AND tenant < :bound))
    ORDER BY code, starts_with(:org, tenant) DESC,
        CASE WHEN starts_with(:org, tenant) THEN -length(tenant) ELSE length(tenant) END
    """
)
_ANYTHING = text(
    """
    SELECT EXISTS (SELECT FROM org_units WHERE generation = :generation AND code >= :unit AND code < :unit_bound)
        OR EXISTS (SELECT FROM facts WHERE generation = :generation AND tenant >= :org AND tenant < :bound)
    """
)


async def names_of(session: AsyncSession, reading: Reading, org: str, by: str, keys: Iterable[str]) -> dict[str, str]:
    """The names of a report's keys; a key without a known name is left out."""
    wanted = sorted(set(keys))
    statement = {"service": _SERVICES, "volunteer": _PEOPLE}.get(by, _UNITS)
    if not wanted or by in ("day", "month"):
        return {}
    values: dict[str, object] = {"generation": reading.generation, "keys": wanted}
    if by == "volunteer":
        values["keys"] = [UUID(key) for key in wanted]
    elif by == "service":
        place = place_of(org)
        values |= {"org": place["org"], "bound": place["bound"]}
    return {row.key: row.name for row in await session.execute(statement, values)}


async def is_known(session: AsyncSession, reading: Reading, org: str) -> bool:
    """Whether a unit is in the directory, has units under it, or requests."""
    place = place_of(org)
    values = {"generation": reading.generation, "org": place["org"], "bound": place["bound"]}
    found = await session.execute(_ANYTHING, {**values, "unit": org, "unit_bound": org + ":"})
    return bool(found.scalar_one())

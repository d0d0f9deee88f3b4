"""One request's fact, for whoever may see it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from reporting_service.domain.facts import Fact

_FACT = text(
    """
    SELECT tenant, grid, number, status, resident, reporter, counted_at, halves::text AS halves FROM facts
    WHERE generation = (SELECT generation FROM generations WHERE state = 'active') AND request_id = :id
      AND status IS NOT NULL
    """
)
_NAMES = text(
    """
    SELECT id::text AS id, name FROM people
    WHERE generation = (SELECT generation FROM generations WHERE state = 'active') AND id = ANY(CAST(:ids AS uuid[]))
    """
)


class Journey(NamedTuple):
    """A fact with what decides who may see it."""

    fact: Fact
    grid: str | None
    number: str
    status: str
    people: frozenset[UUID]
    counted_at: datetime | None


async def find_journey(session: AsyncSession, id: UUID) -> Journey | None:
    """The fact of a request in the session's scope, None where its submission has not come or is out of reach."""
    row = (await session.execute(_FACT, {"id": id})).one_or_none()
    if row is None:
        return None
    people = frozenset(filter(None, (row.resident, row.reporter)))
    fact = Fact.load(id, row.tenant, orjson.loads(row.halves))
    return Journey(fact, row.grid, row.number, row.status, people, row.counted_at)


async def masked_names(session: AsyncSession, ids: set[str]) -> dict[str, str]:
    """Masked names by id; whoever is not in the directory is left out."""
    if not ids:
        return {}
    rows = await session.execute(_NAMES, {"ids": [UUID(id) for id in sorted(ids)]})
    return {row.id: row.name for row in rows}

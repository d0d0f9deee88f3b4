"""Keeps the copies of the directory: names of units, services and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from lianhu_kit.statements import Statements
from reporting_service.events.directory import Deleted, OrgUnit, Service, Volunteer
from reporting_service.events.trimmed import Trimmed

_UNITS = text(
    """
    INSERT INTO org_units (generation, code, name)
    SELECT :generation, * FROM unnest(CAST(:code AS text[]), CAST(:name AS text[]))
    ON CONFLICT (generation, code) DO UPDATE SET name = excluded.name
    """
)
_SERVICES = text(
    """
    INSERT INTO services (generation, tenant, code, name)
    SELECT :generation, * FROM unnest(CAST(:tenant AS text[]), CAST(:code AS text[]), CAST(:name AS text[]))
    ON CONFLICT (generation, tenant, code) DO UPDATE SET name = excluded.name
    """
)
_PEOPLE = text(
    """
    INSERT INTO people (generation, id, tenant, name)
    SELECT :generation, * FROM unnest(CAST(:id AS uuid[]), CAST(:tenant AS text[]), CAST(:name AS text[]))
    ON CONFLICT (generation, id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name
    """
)
# A tombstone names its entity by the key alone: a code, `tenant/code`, or an id.
_GONE = (
    text("DELETE FROM org_units WHERE generation = :generation AND code = ANY(CAST(:keys AS text[]))"),
    text("DELETE FROM services WHERE generation = :generation AND tenant || '/' || code = ANY(CAST(:keys AS text[]))"),
    text("DELETE FROM people WHERE generation = :generation AND id::text = ANY(CAST(:keys AS text[]))"),
)


async def keep_names(session: Statements, generation: int, told: Sequence[tuple[str, Trimmed]]) -> None:
    """Keeps what directory events (key, event) say; the last of a key counts. Three statements at most, and
    three more where something was deleted."""
    last = dict(told)  # the order of a key is the order of its events
    for kind, statement in ((OrgUnit, _UNITS), (Service, _SERVICES), (Volunteer, _PEOPLE)):
        rows = [last[key].__dict__ for key in sorted(last) if isinstance(last[key], kind)]
        if rows:
            columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in kind.model_fields}
            await session.execute(statement, {"generation": generation, **columns})
    gone = sorted(key for key, event in last.items() if isinstance(event, Deleted))
    if gone:
        for statement in _GONE:
            await session.execute(statement, {"generation": generation, "keys": gone})

"""Org units, the catalogue, households: written by admins, many at a time, and published as they stand."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import sqlstate
from lianhu_kit.divisions import ancestors, level_of
from lianhu_kit.outbox import record
from lianhu_kit.problems import Conflict, FieldError, Invalid
from requests_service.events.directory import HouseholdUpserted, OrgUnitUpserted, ServiceUpserted
from requests_service.handlers.people import announce
from requests_service.handlers.spelling import found_by
from requests_service.tables import Household, OrgUnit

# Each writes a whole list in one round trip, in key order so that two writers never wait for each other crosswise.
# What did not change gives no row, and so no event. What was removed once goes on from its last number.
_UNITS = text(
    """
    INSERT INTO org_units AS kept (code, level, name, settings, found_by, sequence)
    SELECT code, level, name, settings, found_by,
           1 + COALESCE((SELECT sequence FROM removed_entities WHERE key = given.code), 0)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (code text, level text, name text, settings jsonb, found_by text)
    ORDER BY code
    ON CONFLICT (code) DO UPDATE SET name = excluded.name, settings = excluded.settings, found_by = excluded.found_by,
        sequence = kept.sequence + 1
    WHERE (kept.name, kept.settings, kept.found_by)
        IS DISTINCT FROM (excluded.name, excluded.settings, excluded.found_by)
    RETURNING *
    """
)
_SERVICES = text(
    """
    INSERT INTO services AS kept
    SELECT given.* FROM jsonb_populate_recordset(NULL::services, CAST(:rows AS jsonb)) AS given
    ORDER BY given.tenant, given.code
    ON CONFLICT (tenant, code) DO UPDATE SET
        name = excluded.name, name_en = excluded.name_en, description = excluded.description, kind = excluded.kind,
        questions = excluded.questions, limits = excluded.limits, guardian_consent = excluded.guardian_consent,
        route_default = excluded.route_default, skill = excluded.skill, places_default = excluded.places_default,
        position = excluded.position, active = excluded.active, sequence = kept.sequence + 1
    WHERE to_jsonb(kept) - 'sequence' IS DISTINCT FROM to_jsonb(excluded) - 'sequence'
    RETURNING *
    """
)
_HOUSEHOLDS = text(
    """
    INSERT INTO households AS kept (id, tenant, grid, group_code, code, address, linking_person, sequence)
    SELECT id, tenant, grid, group_code, code, address, linking_person,
           1 + COALESCE((SELECT sequence FROM removed_entities WHERE key = given.id::text), 0)
    FROM jsonb_populate_recordset(NULL::households, CAST(:rows AS jsonb)) AS given ORDER BY given.id
    ON CONFLICT (id) DO UPDATE SET
        tenant = excluded.tenant, grid = excluded.grid, group_code = excluded.group_code, code = excluded.code,
        address = excluded.address, linking_person = excluded.linking_person, sequence = kept.sequence + 1
    WHERE to_jsonb(kept) - 'sequence' IS DISTINCT FROM to_jsonb(excluded) - 'sequence'
    RETURNING *
    """
)


async def put_units(session: AsyncSession, items: Sequence[Mapping[str, Any]]) -> int:
    """Adds or changes org units: `code`, `name`, `settings`. Answers how many changed. A grid needs its village."""
    await _require_villages(session, [item["code"] for item in items], "code")
    rows = [{**item, "level": level_of(item["code"]), "found_by": found_by(item["name"])} for item in items]
    changed = await _write(session, _UNITS, rows)
    await record(
        session,
        [
            OrgUnitUpserted(
                code=row["code"],
                level=row["level"],
                name=row["name"],
                parent=next(iter(ancestors(row["code"])), None),
                settings=row["settings"],
            ).outgoing(row["sequence"])
            for row in changed
        ],
    )
    return len(changed)


async def put_services(session: AsyncSession, items: Sequence[Mapping[str, Any]]) -> int:
    """Adds or changes services of catalogues. Answers how many changed."""
    changed = await _write(session, _SERVICES, [{**item, "sequence": 1} for item in items])
    told = ServiceUpserted.model_fields
    await record(
        session,
        [ServiceUpserted(**{name: row[name] for name in told}).outgoing(row["sequence"]) for row in changed],
    )
    return len(changed)


async def put_default_services(session: AsyncSession, at: str) -> int:
    """Makes the default catalogue the one of a unit: all villages under it inherit it. Answers how many changed."""
    if await session.get(OrgUnit, at) is None:
        raise Invalid([FieldError("at", "There is no such unit. Make it with PUT /v1/org-units first.")])
    return await put_services(session, [{**entry, "tenant": at} for entry in default_catalogue()])


@cache
def default_catalogue() -> tuple[dict[str, Any], ...]:
    """The catalogue that comes with Lianhu, in its order; limits in seconds."""
    stored = json.loads(files("requests_service").joinpath("data/catalogue.json").read_text("utf-8"))
    return tuple(
        {
            "name_en": None,
            "questions": [],
            "guardian_consent": False,
            "route_default": "volunteers",
            "skill": None,
            "places_default": 1,
            "active": True,
            "position": position,
            **entry,
            "limits": stored["limits"][entry["limits"]],
        }
        for position, entry in enumerate(stored["services"], start=1)
    )


async def put_households(session: AsyncSession, items: Sequence[Mapping[str, Any]]) -> int:
    """Adds or changes households. Whose linking households changed is published anew. Answers how many changed."""
    changed, linking = await write_households(session, items)
    if changed:
        await announce(session, linking)
    return changed


async def write_households(session: AsyncSession, items: Sequence[Mapping[str, Any]]) -> tuple[int, set[UUID]]:
    """The same, with those whose linking households changed left to be announced: how many, and who."""
    await _require_villages(session, [item["tenant"] for item in items], "tenant")
    known = await session.exec(
        select(Household.linking_person).where(
            col(Household.id).in_([item["id"] for item in items]), col(Household.linking_person).is_not(None)
        )
    )
    touched: set[UUID | None] = set(known)
    changed = await _write(session, _HOUSEHOLDS, items)
    touched |= {row["linking_person"] for row in changed}
    await record(
        session,
        [
            HouseholdUpserted(
                id=row["id"],
                tenant=row["tenant"],
                grid=row["grid"],
                group=row["group_code"],
                linking_person=row["linking_person"],
            ).outgoing(row["sequence"])
            for row in changed
        ],
    )
    return len(changed), {person for person in touched if person}


async def _require_villages(session: AsyncSession, codes: Sequence[str], field: str) -> None:
    """A grid, group or household lies in a village that is known, or comes with it."""
    wanted = {code[:12] for code in codes if len(code) > 12 or field == "tenant"} - set(
        codes if field == "code" else ()
    )
    known = set(await session.exec(select(OrgUnit.code).where(col(OrgUnit.code).in_(wanted)))) if wanted else set()
    errors = [
        FieldError(f"items.{place}.{field}", "Its village is not known. Make it with PUT /v1/org-units first.")
        for place, code in enumerate(codes)
        if code[:12] in wanted - known
    ]
    if errors:
        raise Invalid(errors)


async def _write(session: AsyncSession, statement: Any, rows: Sequence[Mapping[str, Any]]) -> Sequence[RowMapping]:
    try:
        result = await session.execute(statement, {"rows": orjson.dumps(rows, default=str).decode()})
    except DBAPIError as error:
        if sqlstate(error) == "42501":  # row-level security: the id is there already, beyond the caller's reach
            raise Conflict("id-in-use", "One of these ids is in use elsewhere. Take a new one.") from None
        if sqlstate(error) == "23505":
            raise Invalid(
                [FieldError("items", "Two households of a village share a code. Give each its own.")]
            ) from None
        if sqlstate(error) == "21000":
            raise Invalid([FieldError("items", "The same key stands there twice. Send each item once.")]) from None
        raise
    return result.mappings().all()

"""People with roles, and what dispatch and notifications need of those who work."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now, sqlstate
from lianhu_kit.outbox import record
from lianhu_kit.problems import Conflict, FieldError, Invalid
from requests_service.domain.masking import mask_name
from requests_service.domain.working import WORKING_ROLES, can_be_ordered, works
from requests_service.events.directory import RoleAt, VolunteerUpserted
from requests_service.queries.people import admins_of
from requests_service.tables import Person

# `sequence` counts what was published of a person: nothing of those who never worked.
_PEOPLE = text(
    """
    INSERT INTO people AS kept (id, tenant, name, phone, locale, active, sequence, created_at)
    SELECT id, tenant, name, phone, locale, active,
           COALESCE((SELECT sequence FROM removed_entities WHERE key = given.id::text), 0), :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (id uuid, tenant text, name text, phone text, locale text, active boolean)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name, phone = excluded.phone,
        locale = excluded.locale, active = excluded.active
    RETURNING id, xmax = 0 AS added
    """
)
_FORGET_ROLES = text("DELETE FROM person_roles WHERE person = ANY(CAST(:people AS uuid[]))")
_ROLES = text(
    """
    INSERT INTO person_roles (person, role, at, tenant)
    SELECT DISTINCT person, role, at, tenant
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (person uuid, role text, at text, tenant text)
    """
)
_PROFILES = text(
    """
    INSERT INTO volunteers SELECT given.*
    FROM jsonb_populate_recordset(NULL::volunteers, CAST(:rows AS jsonb)) AS given ORDER BY given.person
    ON CONFLICT (person) DO UPDATE SET tenant = excluded.tenant, grid = excluded.grid, skills = excluded.skills,
        capacity = excluded.capacity, away_until = excluded.away_until, checked_until = excluded.checked_until
    """
)
_LOCK = text("SELECT id FROM people WHERE id = ANY(CAST(:people AS uuid[])) ORDER BY id FOR UPDATE")
# Takes the next number for everybody who works or ever did, and answers all that is published of them.
_ANNOUNCE = text(
    """
    WITH roles AS (
        SELECT person, jsonb_agg(jsonb_build_object('role', role, 'at', at) ORDER BY role, at)
                           FILTER (WHERE role = ANY(CAST(:working AS text[]))) AS roles
        FROM person_roles WHERE person = ANY(CAST(:people AS uuid[])) GROUP BY person
    ), homes AS (
        SELECT linking_person AS person, array_agg(id ORDER BY id) AS homes FROM households
        WHERE linking_person = ANY(CAST(:people AS uuid[])) GROUP BY linking_person
    )
    UPDATE people SET sequence = people.sequence + 1
    FROM people AS same LEFT JOIN roles ON roles.person = same.id LEFT JOIN homes ON homes.person = same.id
    LEFT JOIN volunteers AS profile ON profile.person = same.id
    WHERE people.id = same.id AND people.id = ANY(CAST(:people AS uuid[]))
      AND (roles.roles IS NOT NULL OR people.sequence > 0)
    RETURNING people.id, people.name, people.tenant, people.active, people.sequence, roles.roles, homes.homes,
              profile.grid, profile.skills, profile.capacity, profile.away_until, profile.checked_until
    """
)
_GIVE = text(
    """
    INSERT INTO person_roles (person, role, at, tenant) VALUES (:person, :role, :at, :tenant) ON CONFLICT DO NOTHING
    RETURNING person
    """
)
_TAKE = text("DELETE FROM person_roles WHERE person = :person AND role = :role AND at = :at RETURNING person")
DEFAULT_CAPACITY = 3
LAST_ADMIN = "Nobody else administers this unit. Give somebody else the role first."


async def put_people(session: AsyncSession, items: Sequence[Mapping[str, Any]]) -> Mapping[UUID, bool]:
    """Adds people, or replaces what is kept of them, with all their roles. Answers whose record is new.

    An item: `id`, `tenant`, `name`, `phone`, `locale`, `active`, `roles` [{role, at}], `volunteer` (profile) or None.
    """
    ids = [item["id"] for item in items]
    if len(set(ids)) != len(ids):
        raise Invalid([FieldError("items", "The same person stands there twice. Send each once.")])
    fields = ("id", "tenant", "name", "phone", "locale", "active")
    rows = [{name: item[name] for name in fields} for item in items]
    try:
        result = await session.execute(_PEOPLE, {"rows": _json(rows), "now": now(session)})
    except DBAPIError as error:
        if sqlstate(error) == "42501":  # row-level security: somebody beyond the caller's reach
            raise Conflict("id-in-use", "One of these ids belongs to somebody elsewhere. Take a new one.") from None
        raise
    added = {row.id: row.added for row in result}
    await session.execute(_FORGET_ROLES, {"people": ids})
    roles = [
        {"person": item["id"], "role": role["role"], "at": role["at"], "tenant": item["tenant"]}
        for item in items
        for role in item["roles"]
    ]
    await session.execute(_ROLES, {"rows": _json(roles)})
    profiles = [
        {**item["volunteer"], "person": item["id"], "tenant": item["tenant"]} for item in items if item["volunteer"]
    ]
    if profiles:
        await session.execute(_PROFILES, {"rows": _json(profiles)})
    await announce(session, ids)
    return added


async def give_role(session: AsyncSession, person: Person, role: str, at: str) -> None:
    """Gives somebody known a role at a code; nothing is published where they held it."""
    values = {"person": person.id, "role": role, "at": at, "tenant": person.tenant}
    if (await session.execute(_GIVE, values)).first() is not None:
        await announce(session, [person.id])


async def take_role(session: AsyncSession, person: Person, role: str, at: str, *, by: UUID) -> None:
    """Takes a role away; nothing is published where they did not hold it.

    Raises Conflict where somebody would take their own away and nobody else administered the unit.
    """
    if role == "admin" and person.id == by:
        await require_other_admin(session, at, by)
    values = {"person": person.id, "role": role, "at": at}
    if (await session.execute(_TAKE, values)).first() is not None:
        await announce(session, [person.id])


async def require_other_admin(session: AsyncSession, at: str, person: UUID) -> None:
    """Raises Conflict where nobody but this person administers a unit, as far as the caller's scope shows."""
    # Locked, then read again: two who leave at once must not both find the other there.
    await session.execute(_LOCK, {"people": sorted({person, *await admins_of(session, at)})})
    if not set(await admins_of(session, at)) - {person}:
        raise Conflict("last-admin", LAST_ADMIN)


async def announce(session: AsyncSession, people: Collection[UUID]) -> None:
    """Publishes the present state of those among these people who work, or once worked."""
    if not people:
        return
    await session.execute(_LOCK, {"people": sorted(people)})
    values = {"people": sorted(people), "working": sorted(WORKING_ROLES)}
    rows = (await session.execute(_ANNOUNCE, values)).all()
    await record(session, [_told(row).outgoing(row.sequence) for row in sorted(rows, key=lambda row: row.id)])


def _told(row: Any) -> VolunteerUpserted:
    roles = [RoleAt(**role) for role in row.roles or ()]
    names = {role.role for role in roles}
    return VolunteerUpserted(
        id=row.id,
        name=mask_name(row.name),
        tenant=row.tenant,
        grid=row.grid,
        roles=roles,
        staff=can_be_ordered(names),
        skills=row.skills or [],
        capacity=DEFAULT_CAPACITY if row.capacity is None else row.capacity,
        away_until=row.away_until,
        checked_until=row.checked_until,
        linking_households=row.homes or [],
        active=row.active and works(names),
    )


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=str).decode()

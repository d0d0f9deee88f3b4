"""The directory's copies: units and services by name and language, who holds an office, who links a household."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.envelope import ReceivedEvent
from notifications_service.domain.audiences import OFFICES
from notifications_service.events.directory import (
    Deleted,
    HouseholdUpserted,
    OrgUnitUpserted,
    ServiceUpserted,
    VolunteerUpserted,
)
from notifications_service.handlers.hear import name_of

_UNIT = text(
    """
    INSERT INTO org_units (code, name, locale, quiet_hours)
    VALUES (:code, :name, :locale, CAST(:quiet_hours AS text[]))
    ON CONFLICT (code) DO UPDATE
    SET name = excluded.name, locale = excluded.locale, quiet_hours = excluded.quiet_hours
    """
)
_SERVICE = text(
    """
    INSERT INTO services (tenant, code, name) VALUES (:tenant, :code, :name)
    ON CONFLICT (tenant, code) DO UPDATE SET name = excluded.name
    """
)
# A person's offices, as they are now: those that ended go, new ones come, in one round trip.
_OFFICES = text(
    """
    WITH now_held AS (
        SELECT DISTINCT * FROM unnest(CAST(:roles AS text[]), CAST(:places AS text[])) AS given (role, at)),
    ended AS (
        DELETE FROM person_roles p WHERE p.person = :person
            AND NOT EXISTS (SELECT FROM now_held n WHERE n.role = p.role AND n.at = p.at))
    INSERT INTO person_roles (person, role, at) SELECT :person, role, at FROM now_held ON CONFLICT DO NOTHING
    """
)
_HOUSEHOLD = text(
    """
    INSERT INTO households (id, tenant, linking_person) VALUES (:id, :tenant, :linking_person)
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, linking_person = excluded.linking_person
    """
)
_HELD = frozenset[str]().union(*OFFICES.values())


async def unit(session: AsyncSession, _event: ReceivedEvent, data: OrgUnitUpserted) -> None:
    """A unit's name, language and quiet hours."""
    own = data.settings.model_dump(include={"locale", "quiet_hours"})
    await session.execute(_UNIT, {"code": data.code, "name": data.name, **own})


async def service(session: AsyncSession, _event: ReceivedEvent, data: ServiceUpserted) -> None:
    """A service's name."""
    await session.execute(_SERVICE, data.model_dump())


async def person(session: AsyncSession, _event: ReceivedEvent, data: VolunteerUpserted) -> None:
    """A person's offices; other roles are told by name and need no copy, nor do names."""
    held = [one for one in data.roles if one.role in _HELD] if data.active else []
    values = {"person": data.id, "roles": [one.role for one in held], "places": [one.at for one in held]}
    await session.execute(_OFFICES, values)


async def household(session: AsyncSession, _event: ReceivedEvent, data: HouseholdUpserted) -> None:
    """A household's linking person."""
    await session.execute(_HOUSEHOLD, data.model_dump())


async def deleted(session: AsyncSession, event: ReceivedEvent, _data: Deleted) -> None:
    """People and households go; names of units and services stay, as requests that are under way still show them."""
    kind = name_of(event.type)
    if kind == "volunteer.upserted":
        await session.execute(text("DELETE FROM person_roles WHERE person = CAST(:key AS uuid)"), {"key": event.key})
    elif kind == "household.upserted":
        await session.execute(text("DELETE FROM households WHERE id = CAST(:key AS uuid)"), {"key": event.key})

"""Copies of the directory, and what waits for them: people may be told of after work was opened for them."""

import json
from datetime import timedelta
from operator import itemgetter
from uuid import UUID, uuid5

from sqlalchemy import delete, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import State
from dispatch_service.events.consumed import HouseholdUpserted, OrgUnitUpserted, VolunteerUpserted
from dispatch_service.handlers.ordering import ORDER
from dispatch_service.tables import Assignment, Household, OrgUnit, Volunteer
from lianhu_kit.context import caused_by, current_cause
from lianhu_kit.database import at_end, now
from lianhu_kit.divisions import level_of
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.timers import arm

NEWCOMERS = "newcomers"  # a village's timer: its open assignments are offered to who became eligible
WIDEN = "widen"  # the same for one assignment
_VILLAGES = UUID("d9c1f0a2-5a4e-5c57-9d3c-9a6d0f0f5c11")
_LOOKS = "dispatch.looks"
_SETTLE = timedelta(seconds=1)  # many people of a village come at once: one look at the end

# Somebody whose profile was set here keeps its skills, capacity and absence; load is never the directory's.
_UPSERT = text(
    """
    INSERT INTO volunteers AS kept (id, tenant, grid, name, roles, staff, skills, capacity, load, away_until,
                                    checked_until, linking_households, active)
    VALUES (:id, :tenant, :grid, :name, CAST(:roles AS jsonb), :staff, CAST(:skills AS jsonb), :capacity, 0,
            :away_until, :checked_until, CAST(:linking_households AS jsonb), :active)
    ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, grid = excluded.grid, name = excluded.name,
        roles = excluded.roles, staff = excluded.staff, checked_until = excluded.checked_until,
        linking_households = excluded.linking_households, active = excluded.active,
        skills = CASE WHEN kept.profile_set_at IS NULL THEN excluded.skills ELSE kept.skills END,
        capacity = CASE WHEN kept.profile_set_at IS NULL THEN excluded.capacity ELSE kept.capacity END,
        away_until = CASE WHEN kept.profile_set_at IS NULL THEN excluded.away_until ELSE kept.away_until END
    """
)


async def keep_unit(session: AsyncSession, data: OrgUnitUpserted) -> None:
    """Keeps a unit with its settings; they count from the next wave on."""
    await session.merge(OrgUnit(code=data.code, parent=data.parent, settings=data.settings))


async def keep_household(session: AsyncSession, data: HouseholdUpserted) -> None:
    """Keeps a household; its linking person may be offered what is open."""
    await session.merge(
        Household(id=data.id, tenant=data.tenant, grid=data.grid, linking_person=data.linking_person, gone=False)
    )
    look_again(session, data.tenant)


async def keep_volunteer(session: AsyncSession, data: VolunteerUpserted) -> None:
    """Keeps somebody with a working role; wakes the work that waits for them."""
    lists = data.model_dump(mode="json", include={"roles", "skills", "linking_households"})
    encoded = {name: json.dumps(value, ensure_ascii=False) for name, value in lists.items()}
    await session.execute(_UPSERT, {**data.model_dump(), **encoded})
    waiting = await session.exec(
        select(Assignment.id, Assignment.tenant).where(
            col(Assignment.staff) == data.id, col(Assignment.state) == State.ROUTED
        )
    )
    for assignment, tenant in waiting.all():
        await arm(session, ORDER, assignment, now(session), tenant=tenant)
    look_again(session, data.tenant)


def look_again(session: AsyncSession, tenant: str) -> None:
    """Soon offers a village's open assignments to who became eligible; nothing above a village.

    A village's timer is shared by all of its people: it is set at the end, in the order of villages.
    """
    if level_of(tenant) == "village":
        session.info.setdefault(_LOOKS, {})[tenant] = current_cause()
        at_end(session, "look again", _arm_looks)


async def _arm_looks(session: AsyncSession) -> None:
    for tenant, cause in sorted(session.info.pop(_LOOKS).items(), key=itemgetter(0)):
        village = uuid5(_VILLAGES, tenant)
        with caused_by(cause.id, cause.traceparent):
            await arm(session, NEWCOMERS, village, now(session) + _SETTLE, tenant=tenant)


async def newcomers(session: AsyncSession, tenant: str) -> None:
    """Arms one look per open assignment of a village: each in a transaction of its own."""
    statement = select(Assignment.id).where(
        col(Assignment.tenant) == tenant,
        col(Assignment.state).in_([State.ROUTED, State.OFFERED]),
        col(Assignment.route) == "volunteers",
    )
    for assignment in (await session.exec(statement.order_by(col(Assignment.id)))).all():
        await arm(session, WIDEN, assignment, now(session), tenant=tenant)


async def forget(session: AsyncSession, event: ReceivedEvent) -> None:
    """Follows a deletion: people and households stay as ended, since what they did stays; units go."""
    if event.type.startswith("lianhu.org-unit."):
        await session.execute(delete(OrgUnit).where(col(OrgUnit.code) == event.key))
    elif event.type.startswith("lianhu.household."):
        household = await session.get(Household, UUID(event.key))
        if household is not None:
            household.gone = True
    elif event.type.startswith("lianhu.volunteer."):
        person = await session.get(Volunteer, UUID(event.key), populate_existing=True)
        if person is not None:
            person.active = False
            person.staff = False

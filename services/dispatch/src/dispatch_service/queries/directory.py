"""What the copies of the directory say."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain import ladder
from dispatch_service.domain.eligibility import Candidate
from dispatch_service.domain.ladder import Step
from dispatch_service.tables import Assignment, Household, OrgUnit, Volunteer
from lianhu_kit.divisions import LENGTHS


async def knows(session: AsyncSession, village: str) -> bool:
    """Whether the directory has told of a village. Units above it may never come: a village can stand alone."""
    return await session.get(OrgUnit, village) is not None


async def settings_at(session: AsyncSession, code: str) -> dict[str, Any]:
    """The settings of the org units that hold at a code, each from the nearest unit that sets it."""
    units = await _units(session, code)
    return ladder.inherited({unit.code: unit.settings for unit in units.values()}, code)


async def labels_at(session: AsyncSession, code: str) -> str:
    """The set of labels that holds at a code; pages name moves and states by it."""
    return str((await settings_at(session, code)).get("label_set") or "default")


async def _units(session: AsyncSession, code: str) -> dict[str, OrgUnit]:
    prefixes = [code[:length] for length in LENGTHS if length <= len(code)]
    units = await session.exec(select(OrgUnit).where(col(OrgUnit.code).in_(prefixes)))
    return {unit.code: unit for unit in units}


async def household(session: AsyncSession, id: UUID) -> Household | None:
    """A household, if it was told of; one that is gone again is still known."""
    return await session.get(Household, id, populate_existing=True)


async def volunteer(session: AsyncSession, person: UUID) -> Volunteer | None:
    """Somebody with a working role, if they were told of."""
    return await session.get(Volunteer, person, populate_existing=True)


async def volunteers(session: AsyncSession, people: Iterable[UUID]) -> dict[UUID, Volunteer]:
    """Several people by id; whoever is unknown is left out."""
    found = await session.exec(select(Volunteer).where(col(Volunteer.id).in_(list(people))))
    return {one.id: one for one in found}


async def in_circle(session: AsyncSession, assignment: Assignment, step: Step) -> Sequence[Volunteer]:
    """The active people whom a wave would reach, before the rules are asked; by id."""
    people = select(Volunteer).where(col(Volunteer.active))
    if step is Step.LINKING_HOUSEHOLD:
        if assignment.household is None:
            return []
        linked = await household(session, assignment.household)
        own = col(Volunteer.linking_households).contains([str(assignment.household)])
        links = or_(own, col(Volunteer.id) == linked.linking_person) if linked and not linked.gone else own
        people = people.where(links, col(Volunteer.tenant) == assignment.tenant)
    elif step is Step.GRID:
        if assignment.grid is None:
            return []
        people = people.where(col(Volunteer.tenant) == assignment.tenant, col(Volunteer.grid) == assignment.grid)
    else:
        people = people.where(col(Volunteer.tenant) == assignment.tenant)
    statement = people.order_by(col(Volunteer.id)).execution_options(populate_existing=True)
    return (await session.exec(statement)).all()


def candidate(person: Volunteer, load_change: int = 0) -> Candidate:
    """Somebody as the rules see them; `load_change` is what this transaction has moved their load by already."""
    return Candidate(
        person=person.id,
        active=person.active,
        roles=frozenset(role["role"] for role in person.roles),
        skills=frozenset(person.skills),
        load=max(0, person.load + load_change),
        capacity=person.capacity,
        away_until=person.away_until,
        checked_until=person.checked_until,
    )

"""Taking and freeing places outside the hot path: holdings, and each person's load with them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.tables import Assignment, Holding, Volunteer
from lianhu_kit.database import now

# People are locked in the order of their ids: this is the only statement that changes several loads.
_LOAD = text(
    """
    WITH people AS (SELECT id FROM volunteers WHERE id = ANY(:people) ORDER BY id FOR UPDATE)
    UPDATE volunteers SET load = greatest(load + :change, 0) FROM people WHERE volunteers.id = people.id
    """
)


async def change_load(session: AsyncSession, people: Iterable[UUID], change: int) -> None:
    """Moves the load of people by a number of assignments."""
    ids = sorted(people)
    if ids:
        await session.flush()
        await session.execute(_LOAD, {"people": ids, "change": change})


async def take_place(session: AsyncSession, assignment: Assignment, person: Volunteer, via: str) -> None:
    """Gives a person a place of a locked assignment; somebody who held one before begins anew."""
    holding = Holding(
        assignment_id=assignment.id,
        person=person.id,
        tenant=assignment.tenant,
        name=person.name,
        via=via,
        claimed_at=now(session),
    )
    await session.merge(holding)
    assignment.taken += 1
    await change_load(session, [person.id], 1)


async def free_places(session: AsyncSession, holdings: Sequence[Holding]) -> list[UUID]:
    """Ends holdings that are not completed; answers whose they were. The caller counts `taken`."""
    freed = [holding for holding in holdings if holding.completed_at is None and holding.ended_at is None]
    for holding in freed:
        holding.ended_at = now(session)
    await change_load(session, [holding.person for holding in freed], -1)
    return [holding.person for holding in freed]

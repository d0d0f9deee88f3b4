"""Taking and freeing places outside the hot path: holdings, and each person's load with them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.tables import Assignment, Holding, Volunteer
from lianhu_kit.database import at_end, now

# People are locked last in a transaction and in the order of their ids: somebody's load is shared by all of their
# assignments, and a batch of events that locked one between two requests would cross the claims of that person.
_LOAD = text(
    """
    WITH people AS (
        SELECT v.id, given.change
        FROM unnest(CAST(:people AS uuid[]), CAST(:changes AS integer[])) AS given (id, change)
        JOIN volunteers v ON v.id = given.id ORDER BY v.id FOR UPDATE OF v
    )
    UPDATE volunteers SET load = greatest(load + change, 0) FROM people WHERE volunteers.id = people.id
    """
)
_CHANGES = "dispatch.load changes"


def change_load(session: AsyncSession, people: Iterable[UUID], change: int) -> None:
    """Moves the load of people by a number of assignments, at the end of this transaction."""
    changes = session.info.setdefault(_CHANGES, Counter())
    for person in people:
        changes[person] += change
        at_end(session, "load", _write_loads)


def load_change(session: AsyncSession, person: UUID) -> int:
    """By how much this transaction has moved somebody's load, which no read of theirs shows yet."""
    changes: Counter[UUID] = session.info.get(_CHANGES, Counter())
    return changes[person]


async def _write_loads(session: AsyncSession) -> None:
    changes = {person: change for person, change in session.info.pop(_CHANGES).items() if change}
    if changes:
        await session.flush()
        await session.execute(_LOAD, {"people": list(changes), "changes": list(changes.values())})


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
    change_load(session, [person.id], 1)


def free_places(session: AsyncSession, holdings: Sequence[Holding]) -> list[UUID]:
    """Ends holdings that are not completed; answers whose they were. The caller counts `taken`."""
    freed = [holding for holding in holdings if holding.completed_at is None and holding.ended_at is None]
    for holding in freed:
        holding.ended_at = now(session)
    change_load(session, [holding.person for holding in freed], -1)
    return [holding.person for holding in freed]

"""Which requests a caller reaches: by the place of their role, by holding it, or because it is their own."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, text, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.access import Access
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from lianhu_kit.tokens import Grant
from requests_service.tables import Holder, Request

# The role that opens most comes first: where somebody has several, it is the one that counts.
STRENGTH = (
    "clerk",
    "branch_secretary",
    "grid_leader",
    "supervisor",
    "grid_worker",
    "volunteer",
    "resident",
    "integrator",
    "operator",
    "admin",
)
_VILLAGE = text("SELECT village_of_own_request(:request, :person)")
_VILLAGES = text("SELECT villages_of_person(:person)")
# Two requests at once are locked in the order of their ids, so that nobody waits for anybody crosswise.
_LOCK = text("SELECT id FROM requests WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")


def by_strength(access: Access) -> list[Grant]:
    """The caller's grants, the one that opens most first."""
    return sorted(access.grants, key=lambda grant: (STRENGTH.index(grant.role), len(grant.at)))


def reaches(grant: Grant, person: UUID | None) -> ColumnElement[bool]:
    """The rows among those of the grant's village that the grant reaches."""
    own = or_(col(Request.reporter) == person, col(Request.resident) == person) if person else false()
    holds = exists().where(col(Holder.request_id) == col(Request.id), col(Holder.person) == person)
    grid: ColumnElement[bool] = true()
    if len(grant.at) > len(grant.scope):
        grid = and_(col(Request.grid) >= grant.at, col(Request.grid) < grant.at + ":")
    if grant.role == "resident":
        return own
    if grant.role == "volunteer":
        return holds
    if grant.role == "grid_worker":
        return or_(grid, own, holds)
    return grid


async def find(
    session: AsyncSession, access: Access, request_id: UUID, *, lock: bool = False, beside: UUID | None = None
) -> tuple[Grant, Request]:
    """A request and the grant that reaches it; NotFound where none does, as if it were not there.

    With `lock` the row is locked, and that of `beside` with it.
    """
    for grant in by_strength(access):
        scope = grant.scope
        if grant.role == "resident":
            village = (await session.execute(_VILLAGE, {"request": request_id, "person": access.person})).scalar()
            if village is None:
                continue
            scope = village
        await enter_scope(session, scope, access.person)
        if beside is not None:
            await session.execute(_LOCK, {"ids": [request_id, beside]})
        query = select(Request).where(Request.id == request_id, reaches(grant, access.person))
        found = (await session.exec(query.with_for_update(of=Request) if lock else query)).one_or_none()
        if found is not None:
            return grant, found
    raise NotFound()


async def find_to_see_contact(session: AsyncSession, access: Access, request_id: UUID) -> tuple[Grant, Request]:
    """A request as `find` does; for volunteers also one that they may hold without that being known here yet."""
    try:
        return await find(session, access, request_id)
    except NotFound:
        for grant in by_strength(access):
            if grant.role in ("volunteer", "grid_worker"):
                await enter_scope(session, grant.scope, access.person)
                found = await session.get(Request, request_id)
                if found is not None:
                    return grant, found
        raise


async def villages_of(session: AsyncSession, person: UUID) -> list[str]:
    """The villages in which somebody has orders of their own."""
    return sorted((await session.execute(_VILLAGES, {"person": person})).scalars())

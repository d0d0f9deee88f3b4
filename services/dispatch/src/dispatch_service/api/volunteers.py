"""Volunteers and their profiles."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from dispatch_service.api.acting import LEADERS, WORKERS
from dispatch_service.handlers.profiles import set_profile
from dispatch_service.queries import volunteers
from dispatch_service.tables import Volunteer
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, DivisionCode, Line, Moment, Page, Session, page_of
from lianhu_kit.database import enter_scope, now
from lianhu_kit.tokens import Grant

router = APIRouter(prefix="/v1/volunteers", tags=["volunteers"])
Overseers = Annotated[Access, permits(*LEADERS, "admin")]
Editors = Annotated[Access, permits(*WORKERS, *LEADERS, "admin")]


class Profile(Body):
    """The whole profile; what is left out is empty, and nobody is away."""

    skills: list[Line] = Field(default_factory=list, max_length=50)
    capacity: int = Field(ge=0, le=100)
    away_until: Moment | None = None


@router.get("")
async def list_volunteers(
    access: Overseers,
    session: Session,
    paging: Page,
    tenant: DivisionCode | None = None,
    grid: DivisionCode | None = None,
    skill: str | None = None,
) -> dict[str, Any]:
    """People with a working role in the caller's reach, by id; names are masked. 404 outside one's reach."""
    narrowed = grid or tenant
    widest = min(access.grants, key=lambda grant: len(grant.at))
    grant = access.covering(narrowed) if narrowed else widest
    await enter_scope(session, grant.scope, access.person)
    found = await volunteers.page(
        session, at=grant.at, tenant=tenant, grid=grid, skill=skill, after=paging.after_id, limit=paging.limit
    )
    clock = now(session)
    items = [volunteers.item(one, clock) for one in found]
    return page_of(items, paging.limit, [items[: paging.limit][-1]["id"]] if items else None)


@router.put("/{volunteer_id}")
async def put_volunteer(volunteer_id: UUID, body: Profile, access: Editors, session: Session) -> dict[str, Any]:
    """Sets somebody's skills, capacity and absence: one's own, or, by a leader, the clerk or an admin, in their reach.

    From then on they are set here; what the directory tells of these three no longer counts.
    """

    async def load(grant: Grant) -> Volunteer | None:
        if grant.role in WORKERS and volunteer_id != access.person:
            return None
        at = grant.scope if grant.role in WORKERS else grant.at
        return await volunteers.locked(session, volunteer_id, at)

    _, person = await access.locate(session, load)
    await set_profile(session, person, skills=list(body.skills), capacity=body.capacity, away_until=body.away_until)
    await session.flush()
    return volunteers.item(person, now(session))

"""Reading assignments."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Request as Call

from dispatch_service.api.acting import LEADERS, WORKERS, WORKING, among, locale_of
from dispatch_service.domain.states import State
from dispatch_service.queries import assignments
from dispatch_service.queries.assignments import Filter
from lianhu_kit.access import Access, permits
from lianhu_kit.api import DivisionCode, Page, Session, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from lianhu_kit.tokens import Grant

router = APIRouter(prefix="/v1/assignments", tags=["assignments"])
DESK = (*LEADERS, "supervisor")
Readers = Annotated[Access, permits(*WORKING, "supervisor")]


@router.get("")
async def list_assignments(
    call: Call,
    access: Readers,
    session: Session,
    paging: Page,
    request: UUID | None = None,
    tenant: DivisionCode | None = None,
    state: State | None = None,
    mine: Annotated[
        Literal["offered", "held"] | None, Query(description="what is offered to me, or what I hold")
    ] = None,
    grid: DivisionCode | None = None,
) -> dict[str, Any]:
    """Assignments in the caller's reach, newest first; for those without a desk, only their own.

    `tenant` is a village or a unit above it; without it and `grid` the caller's widest place counts. 404 outside one's
    reach.
    """
    after = paging.after_id
    last: list[dict[str, Any]] = []
    for grant in _grants(access, grid or tenant, mine, every=request is not None):
        await enter_scope(session, grant.scope, access.person)
        wanted = Filter(
            person=access.person,
            scope=grant.scope,
            at=None if mine or grant.role in WORKERS else grant.at,
            own=grant.role in WORKERS,
            request=request,
            tenant=tenant,
            grid=grid,
            state=state,
            mine=mine,
            after=after,
            limit=paging.limit,
        )
        if last := list(await assignments.page(session, wanted)):
            break
    items = [assignments.item(row, locale_of(call)) for row in last]
    return page_of(items, paging.limit, [items[: paging.limit][-1]["id"]] if items else None)


@router.get("/{assignment_id}")
async def read_assignment(call: Call, assignment_id: UUID, access: Readers, session: Session) -> dict[str, Any]:
    """One assignment; for the desk with its holders, what they reported, and the moves with their words."""

    async def load(grant: Grant) -> dict[str, Any] | None:
        desk = grant.role in DESK
        wanted = Filter(person=access.person, at=grant.at if desk else None, own=not desk, id=assignment_id, limit=1)
        rows = await assignments.page(session, wanted)
        return rows[0] if rows else None

    desk_first = Access(access.caller, tuple(sorted(access.grants, key=lambda grant: grant.role not in DESK)))
    grant, row = await desk_first.locate(session, load)
    details = await assignments.details(session, assignment_id) if grant.role in DESK else {}
    return {**assignments.item(row, locale_of(call)), **details}


def _grants(access: Access, place: str | None, mine: str | None, *, every: bool) -> list[Grant]:
    """The grants to look under, the first that finds something counts; NotFound outside the caller's reach."""
    for roles in (WORKERS, DESK) if mine else (DESK, WORKERS):
        fitting = among(access, *roles)
        if not fitting.grants:
            continue
        if place is None:
            widest = sorted(fitting.grants, key=lambda grant: len(grant.at))
            return [*widest, *among(access, *WORKERS).grants] if every else widest[:1]
        try:
            return [fitting.covering(place)]
        except NotFound:
            continue
    raise NotFound()

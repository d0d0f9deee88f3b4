"""Sending someone: the village accepts or has accepted, and dispatch is asked for people."""

from typing import Literal
from uuid import UUID

from sqlmodel import col, select

from lianhu_kit.problems import Conflict, FieldError, Invalid
from requests_service.domain import orders
from requests_service.domain.about import require_seen
from requests_service.domain.statuses import Move
from requests_service.domain.working import STAFF_ROLES
from requests_service.events.published import DispatchRequested
from requests_service.handlers.case import Case
from requests_service.handlers.summing_up import write_summary
from requests_service.queries import units
from requests_service.tables import Holder, Person, PersonRole

Route = Literal["volunteers", "staff"]


async def dispatch(
    case: Case, *, route: Route, staff: UUID | None, grid: str | None, places: int | None, summary: str | None = None
) -> None:
    """Sends an accepted request to the volunteers, or to the member of staff that is named.

    UnseenByVillage for what the village must not see.

    `summary` is for one that the town took on without; Invalid where it holds what may not travel.
    """
    require_seen(case.request.about)
    if summary is not None:
        await write_summary(case, summary)
    await place_in(case, grid)
    await send_out(case, route=route, staff=staff, places=places)
    await case.save()


async def place_in(case: Case, grid: str | None) -> None:
    """Puts the request into a grid of its village; Invalid for any other."""
    if grid is None:
        return
    if not grid.startswith(case.request.tenant) or not await units.unit_exists(case.session, grid):
        raise Invalid([FieldError("grid", "The village has no such grid. See GET /v1/org-units?under=<village>.")])
    case.request.grid = grid


async def send_out(case: Case, *, route: Route, staff: UUID | None, places: int | None) -> None:
    """Moves the request to dispatched and asks dispatch for people; rework goes to someone else."""
    request = case.request
    minor = orders.is_minor_visit(request.served_kind, request.kind)
    case.move(Move.DISPATCH)
    if request.summary is None:
        raise Conflict("no-summary", "Nobody has written what may travel. Send a summary with it.")
    seats = orders.places_for(places, default=request.places, minor=minor)
    if seats is None:
        raise Invalid([FieldError("places", "A visit to a child needs two people: 2 or more, or leave it out.")])
    exclude = await _earlier_doers(case) if request.reopened else []
    await _check_staff(case, route, staff, exclude)
    request.route, request.places = route, seats
    request.round += 1
    case.tell(
        DispatchRequested,
        round=request.round,
        number=request.number,
        service=request.service,
        kind=request.kind,
        summary=request.summary,
        grid=request.grid,
        household=request.household,
        route=route,
        staff=staff,
        places=seats,
        urgent=request.urgent,
        minor=minor,
        skill=request.skill,
        limits=case.limits,
        exclude=exclude,
    )


async def _earlier_doers(case: Case) -> list[UUID]:
    """Who did it before: rework is for someone else."""
    rows = await case.session.exec(
        select(Holder.person)
        .where(Holder.request_id == case.request.id, col(Holder.state).in_(("held", "completed")))
        .distinct()
    )
    return sorted(rows)


async def _check_staff(case: Case, route: Route, staff: UUID | None, exclude: list[UUID]) -> None:
    """Only staff can be ordered, and only by name."""
    if route == "volunteers":
        if staff is not None:
            raise Invalid(
                [FieldError("staff", "Volunteers are asked, not ordered. Leave it out, or take route staff.")]
            )
        return
    if staff is None:
        raise Invalid([FieldError("staff", "Route staff needs the person who is ordered.")])
    if staff in exclude:
        raise Invalid([FieldError("staff", "Rework goes to someone else. Name another member of staff.")])
    rows = await case.session.exec(
        select(PersonRole.at)
        .join(Person, col(Person.id) == col(PersonRole.person))
        .where(PersonRole.person == staff, Person.active, col(PersonRole.role).in_(STAFF_ROLES))
    )
    tenant = case.request.tenant
    if not any(at.startswith(tenant) or tenant.startswith(at) for at in rows):
        raise Invalid([FieldError("staff", "Nobody on the staff of this village has this id.")])

"""A dispatch was requested: an assignment is opened, routed, and offered, or ordered to staff."""

from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.visits import places_for
from dispatch_service.events.consumed import DispatchRequested
from dispatch_service.events.published import Routed
from dispatch_service.handlers import ordering, waves
from dispatch_service.handlers.announcing import announce
from dispatch_service.handlers.ending import cancel_open
from dispatch_service.queries import directory
from dispatch_service.queries.locking import lock_request
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.database import now
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import NotYet
from lianhu_kit.timers import arm


async def open_assignment(
    session: AsyncSession, settings: Settings, event: ReceivedEvent, data: DispatchRequested
) -> None:
    """Opens the assignment of a round and begins with it. NotYet while the directory has not told of the village.

    A household that is not known yet is waited for a moment, so that its linking household is asked first.
    """
    if not await directory.knows(session, event.tenant):
        raise NotYet(event.tenant)
    grid = data.grid
    if data.household is not None:
        household = await directory.household(session, data.household)
        patient_until = event.time + timedelta(seconds=settings.patience_seconds)
        if household is None and now(session) < patient_until:
            raise NotYet(str(data.household))
        grid = grid or (household.grid if household else None)
    if grid is None:
        grid = (await directory.settings_at(session, event.tenant)).get("default_grid")

    request = await _request(session, event.tenant, data)
    if request is None:
        return
    assignment = Assignment(
        id=new_id(),
        request_id=request.id,
        tenant=event.tenant,
        round=data.round,
        grid=grid[:15] if isinstance(grid, str) and len(grid) >= 15 else None,
        household=data.household,
        service=data.service,
        summary=data.summary,
        route=data.route,
        staff=data.staff if data.route == "staff" else None,
        skill=data.skill,
        urgent=data.urgent,
        minor=data.minor,
        places=places_for(data.places, minor=data.minor),
        limits=data.limits,
        excluded=[str(person) for person in data.exclude],
        opened_at=now(session),
    )
    session.add(assignment)
    await session.flush()
    routed = Routed(service=assignment.service, urgent=assignment.urgent, minor=assignment.minor, route=data.route)
    await announce(session, request, assignment, routed, by=data.by)
    if data.route == "volunteers":
        await waves.advance(session, settings, request, assignment)
    elif assignment.staff is not None:
        await _order(session, settings, request, assignment, assignment.staff, by=data.by)


async def _request(session: AsyncSession, tenant: str, data: DispatchRequested) -> Request | None:
    """The request's row, locked and brought to this round; None where this round or a later one was opened before."""
    request = await lock_request(session, data.request_id)
    if request is None:
        request = Request(
            id=data.request_id,
            tenant=tenant,
            number=data.number,
            service=data.service,
            kind=data.kind,
            summary=data.summary,
            round=data.round,
            opened_at=now(session),
        )
        session.add(request)
        await session.flush()
        return request
    if request.round >= data.round:
        return None
    await cancel_open(session, request, "replaced", by=data.by)
    request.round, request.ended = data.round, None
    request.service, request.kind, request.summary = data.service, data.kind, data.summary
    return request


async def _order(
    session: AsyncSession,
    settings: Settings,
    request: Request,
    assignment: Assignment,
    person: UUID,
    *,
    by: UUID | None,
) -> None:
    """Orders the named member of staff; waits a moment for one whom the directory has not told of."""
    if await directory.volunteer(session, person) is not None:
        await ordering.order_or_return(session, settings, request, assignment, person, by=by)
        return
    assignment.awaits_until = now(session) + timedelta(seconds=settings.patience_seconds)
    await arm(session, ordering.ORDER, assignment.id, assignment.awaits_until, tenant=assignment.tenant)

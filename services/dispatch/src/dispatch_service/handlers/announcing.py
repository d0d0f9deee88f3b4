"""Publishing: each event takes the next sequence of its request, whose row the caller has locked."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import State
from dispatch_service.events.published import TOPIC, Published
from dispatch_service.tables import Assignment, Move, Request
from lianhu_kit.database import now
from lianhu_kit.outbox import OutgoingEvent, record


async def announce(
    session: AsyncSession,
    request: Request,
    assignment: Assignment,
    *events: Published,
    by: UUID | None,
    state: State | None = None,
    taken: int | None = None,
) -> None:
    """Records events with the assignment's standing after them; `state` and `taken` where it was briefly another."""
    outgoing = []
    for event in events:
        request.sequence += 1
        standing = {
            "request_id": str(assignment.request_id),
            "assignment_id": str(assignment.id),
            "round": assignment.round,
            "state": state or assignment.state,
            "places": assignment.places,
            "taken": assignment.taken if taken is None else taken,
            "grid": assignment.grid,
            "by": str(by) if by else None,
        }
        outgoing.append(
            OutgoingEvent(
                topic=TOPIC,
                key=str(request.id),
                sequence=request.sequence,
                type=event.type,
                subject=str(assignment.id),
                tenant=request.tenant,
                data={**standing, **event.data()},
            )
        )
    await record(session, outgoing)


def note(
    session: AsyncSession,
    assignment: Assignment,
    move: str,
    *,
    by: UUID | None,
    person: UUID | None = None,
    words: str | None = None,
) -> None:
    """Keeps a move with its words, which stay in this service."""
    session.add(
        Move(
            assignment_id=assignment.id,
            tenant=assignment.tenant,
            move=move,
            by=by,
            person=person,
            words=words,
            at=now(session),
        )
    )

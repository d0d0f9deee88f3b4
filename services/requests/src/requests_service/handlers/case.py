"""A request in hand: locked for a transaction, moved along the graph, its story kept, its events collected."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.context import caused_by, current_cause
from lianhu_kit.database import now
from lianhu_kit.outbox import OutgoingEvent, record
from lianhu_kit.timers import arm, disarm
from requests_service.domain.statuses import Move, Status, after
from requests_service.events.published import Limits, RequestEvent
from requests_service.tables import Request, Step


class Case:
    """One locked request. The request's row is locked before anything else: one lock order for all."""

    def __init__(self, session: AsyncSession, request: Request, by: UUID | None) -> None:
        self.session = session
        self.request = request
        self.by = by
        self._events: list[OutgoingEvent] = []
        self._timers: list[tuple[str, datetime]] = []
        self.told: UUID | None = None  # the last event that was written

    @classmethod
    async def lock(cls, session: AsyncSession, request_id: UUID, by: UUID | None = None) -> Self | None:
        """The request under lock, None where it is not in this transaction's scope."""
        request = await session.get(Request, request_id, with_for_update=True, populate_existing=True)
        return cls(session, request, by) if request else None

    @property
    def status(self) -> Status:
        """Where the request stands."""
        return Status(self.request.status)

    @property
    def now(self) -> datetime:
        """The database's clock of this transaction."""
        return now(self.session)

    @property
    def limits(self) -> Limits:
        """The limits as they stand."""
        return Limits(contact=self.request.contact_due, finish=self.request.finish_due)

    def move(self, move: Move) -> None:
        """Moves the request; IllegalTransition where the graph has no such move."""
        self.stand(after(self.status, move))

    def stand(self, status: Status) -> None:
        """Puts the request where it stands now, for moves that dispatch made."""
        self.request.status = status
        self.request.version += 1

    def tell(self, event: type[RequestEvent], *, details: dict[str, Any] | None = None, **data: Any) -> None:
        """Adds an event with the status as it is now, and the same as a step of the story.

        `details` are words for the story alone: they never travel.
        """
        self.request.sequence += 1
        told = event(request_id=self.request.id, status=self.request.status, by=self.by, **data)
        self._events.append(told.outgoing(sequence=self.request.sequence, tenant=self.request.tenant))
        self.note("requests", event.name, self.now, self.by, details)

    def note(
        self, service: str, step: str, at: datetime, by: UUID | None, details: dict[str, Any] | None = None
    ) -> None:
        """Adds a step to the story that is no event of ours."""
        self.session.add(
            Step(
                request_id=self.request.id,
                tenant=self.request.tenant,
                service=service,
                step=step,
                at=at,
                by=by,
                details=details or {},
            )
        )

    def arm(self, kind: str, due_at: datetime) -> None:
        """Sets a timer with the next saving; what it brings will name the last event told as its cause."""
        self._timers.append((kind, due_at))

    def clear(self) -> None:
        """No more work is owed: a clock that stood still, and what was asked about it, are over."""
        request = self.request
        request.suspended_at = request.suspended_until = None
        request.asked = request.asked_until = request.asked_by = None

    async def end(self) -> None:
        """The request has ended: nothing falls due any more."""
        self.request.closed_at = self.now
        self.clear()
        self._timers = []
        await disarm(self.session, self.request.id)

    async def save(self) -> Request:
        """Writes the request, its steps, its events and its timers into the transaction."""
        self.session.add(self.request)
        await self.session.flush()
        await record(self.session, self._events)
        self.told = self._events[-1].id if self._events else None
        cause = current_cause()
        with caused_by(str(self._events[-1].id) if self._events else cause.id, cause.traceparent):
            for kind, due_at in self._timers:
                await arm(
                    self.session,
                    kind,
                    self.request.id,
                    due_at,
                    tenant=self.request.tenant,
                    version=self.request.version,
                )
        self._events, self._timers = [], []
        return self.request

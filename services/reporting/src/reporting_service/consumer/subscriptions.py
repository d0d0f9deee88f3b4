"""Every event type that is read, and the batch handlers of the live worker and of a rebuild."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import Apply, Generation, Subscription
from lianhu_kit.statements import Statements
from reporting_service.domain.facts import Entry, Half
from reporting_service.domain.moments import micros
from reporting_service.events import directory, dispatch, notifications, requests
from reporting_service.events.trimmed import OfRequest, Trimmed, compact
from reporting_service.handlers.folding import Told, fold
from reporting_service.handlers.generations import Books, live_books
from reporting_service.handlers.names import keep_names

DIRECTORY = "lianhu.directory.v1"
TOPICS = {
    "lianhu.requests.v1": False,
    "lianhu.dispatch.v1": False,
    "lianhu.notifications.v1": False,
    DIRECTORY: True,
}
COMPACTED = [topic for topic, compacted in TOPICS.items() if compacted]
_HALVES: dict[str, tuple[Half, dict[str, type[OfRequest]]]] = {
    "request": ("requests", requests.MODELS),
    "dispatch": ("dispatch", dispatch.MODELS),
    "notification": ("notifications", notifications.MODELS),
}
_STEPS: dict[str, tuple[Half, str]] = {
    f"lianhu.{noun}.{step}.v1": (half, step) for noun, (half, models) in _HALVES.items() for step in models
}
SUBSCRIPTIONS: dict[str, Subscription] = {
    **{
        f"lianhu.{noun}.{step}.v1": Subscription(model)
        for noun, (_, models) in _HALVES.items()
        for step, model in models.items()
    },
    "lianhu.org-unit.upserted.v1": Subscription(directory.OrgUnit),
    "lianhu.service.upserted.v1": Subscription(directory.Service),
    "lianhu.volunteer.upserted.v1": Subscription(directory.Volunteer),
    f"deleted:{DIRECTORY}": Subscription(directory.Deleted),
}
# What waits costs less together: a request's events that lie near each other cost as one, live and in a rebuild.
BATCH = 2000
_BOOKS = "reporting.books"


def live(zone: ZoneInfo) -> Generation:
    """Asks at each batch's begin which generation is the active one, and holds it while the batch runs."""

    async def ask(session: Statements) -> int:
        books = session.info.get(_BOOKS)
        if books is None:
            books = session.info[_BOOKS] = await live_books(session, zone)
        generation: int = books.generation
        return generation

    return ask


def applying(books: Books | None = None) -> Apply:
    """The batch handler: into these books, or into those that `live` found for the transaction."""

    async def apply(session: Statements, events: list[tuple[ReceivedEvent, BaseModel]]) -> None:
        kept: Books = books or session.info[_BOOKS]
        told: list[Told] = []
        names: list[tuple[str, Trimmed]] = []
        for event, data in events:
            if isinstance(data, OfRequest):
                if data.request_id is not None:
                    told.append(told_by(event, data, data.request_id))
            elif isinstance(data, Trimmed):
                names.append((event.key, data))
        await keep_names(session, kept.generation, names)
        await fold(session, kept, told)

    return apply


def told_by(event: ReceivedEvent, data: OfRequest, request_id: UUID) -> Told:
    """An event of a request as it is folded."""
    half, step = _STEPS[event.type]
    fields: dict[str, Any] = compact(data)
    if half == "notifications":
        fields["delivery"] = fields.pop("delivery_id")
    return Told(request_id, event.tenant, half, Entry(event.sequence or 0, step, micros(event.time), fields))

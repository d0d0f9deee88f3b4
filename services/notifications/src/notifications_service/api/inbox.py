"""A person's inbox: read in pages, or as a stream that says when something comes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Page, Session, page_of
from lianhu_kit.database import Database, enter_scope, now
from lianhu_kit.problems import NotFound
from notifications_service.api.doorbells import Doorbells
from notifications_service.api.reach import PEOPLE, person_of
from notifications_service.queries import messages
from notifications_service.tables import Message

router = APIRouter(tags=["inbox"])
_SHOWN_AT_ONCE = 50  # newer messages than a stream sends at once stand in the list


class InboxItem(BaseModel):
    """One message, in the language that the person had when it came."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    tenant: str
    request_id: UUID | None
    number: str | None
    purpose: str
    template: str
    locale: str
    title: str
    body: str
    created_at: datetime
    read_at: datetime | None


class Inbox(BaseModel):
    """A page of messages, newest first, and how many are unread in all."""

    items: list[InboxItem]
    unread: int
    next: str | None = None


class Reading(BaseModel):
    """A message that was read, and how many are left."""

    id: UUID
    read_at: datetime
    unread: int


@router.get("/v1/inbox", response_model_exclude_unset=True)
async def read_inbox(
    session: Session,
    access: Annotated[Access, permits(*PEOPLE)],
    page: Page,
    unread: Annotated[bool, Query(description="only what has not been read")] = False,
) -> Inbox:
    """The caller's own messages."""
    person = person_of(access)
    await enter_scope(session, "", person)
    rows = await messages.newest(session, person, before=page.after_id, limit=page.limit + 1, unread_only=unread)
    items = [InboxItem.model_validate(row) for row in rows]
    answer = page_of(items, page.limit, [rows[page.limit - 1].id] if len(rows) > page.limit else None)
    return Inbox(**answer, unread=await messages.unread(session, person))


@router.post("/v1/inbox/{id}/read")
async def mark_read(session: Session, access: Annotated[Access, permits(*PEOPLE)], id: UUID) -> Reading:
    """Marks one of the caller's messages as read; again, the first time stands."""
    person = person_of(access)
    await enter_scope(session, "", person)
    first = await messages.mark_read(session, person, id, now(session))
    if first is None:
        raise NotFound()
    return Reading(id=id, read_at=first, unread=await messages.unread(session, person))


@router.get("/v1/inbox/stream", response_class=EventSourceResponse)
async def stream_inbox(request: Request, access: Annotated[Access, permits(*PEOPLE)]) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `unread` (a count) at once and after each change, `message` for each that comes.

    Read the list first: a stream begins where it opens. It ends after a token's lifetime, and when the service stops;
    browsers then open the next by themselves.
    """
    person = person_of(access)
    database: Database = request.app.state.database
    bells: Doorbells = request.app.state.doorbells
    ends = asyncio.get_running_loop().time() + request.app.state.settings.stream_seconds
    with bells.of(person) as bell:
        count, seen = await _look(database, person)
        yield ServerSentEvent(event="unread", data={"unread": count}, retry=2000)
        shown = {item.id for item in seen}
        while await bell.rings_before(ends):
            count, items = await _look(database, person)
            for item in reversed(items):
                if item.id not in shown:
                    fields: dict[str, Any] = InboxItem.model_validate(item).model_dump(mode="json")
                    yield ServerSentEvent(event="message", id=str(item.id), data=fields)
            shown = {item.id for item in items} | (shown if len(items) == _SHOWN_AT_ONCE else set())
            yield ServerSentEvent(event="unread", data={"unread": count})


async def _look(database: Database, person: UUID) -> tuple[int, list[Message]]:
    """What is unread; a short transaction of its own, so that an open stream holds no connection."""
    async with database.transaction() as session:
        await enter_scope(session, "", person)
        items = await messages.newest(session, person, before=None, limit=_SHOWN_AT_ONCE, unread_only=True)
        return await messages.unread(session, person), list(items)

"""A person's inbox as a page: what they were told, the newest first, live while they look."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import text

from lianhu_kit.api import Page, Session, encode_cursor
from lianhu_kit.database import enter_scope, now
from lianhu_kit.problems import NotFound
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from notifications_service.api.inbox import stream_inbox
from notifications_service.api.reach import PEOPLE
from notifications_service.queries import messages

router = APIRouter(include_in_schema=False)
Reader = Annotated[Visitor, needs(*PEOPLE)]
_READ_ALL = text("UPDATE messages SET read_at = :now WHERE person = :person AND read_at IS NULL")


@router.get("/inbox")
async def inbox(request: Request, visitor: Reader, session: Session, page: Page) -> Response:
    """What one was told: this is also the log of it, each with its time and whether it was read."""
    await enter_scope(session, "", visitor.person)
    rows = await messages.newest(session, visitor.person, before=page.after_id, limit=page.limit + 1, unread_only=False)
    following = encode_cursor([rows[page.limit - 1].id]) if len(rows) > page.limit else None
    return pages_of(request).show(
        visitor, "inbox/list.html", rows=rows[: page.limit], unread=await messages.unread(session, visitor.person),
        following=following,
    )  # fmt: skip


@router.get("/inbox/live", response_class=EventSourceResponse)
async def live(request: Request, visitor: Reader) -> AsyncIterator[ServerSentEvent]:
    """The stream of `GET /v1/inbox/stream`, for a page: how much is unread, and what comes."""
    async for event in stream_inbox(request, visitor.access):
        yield event


@router.post("/inbox/{id}/read")
async def read_one(
    request: Request, visitor: Reader, form: Guarded, session: Session, id: Annotated[UUID, Path()]
) -> Response:
    """Marks one as read."""
    await enter_scope(session, "", visitor.person)
    if await messages.mark_read(session, visitor.person, id, now(session)) is None:
        raise NotFound()
    return pages_of(request).go(visitor, "/inbox")


@router.post("/inbox/read-all")
async def read_all(request: Request, visitor: Reader, form: Guarded, session: Session) -> Response:
    """Marks all as read."""
    await enter_scope(session, "", visitor.person)
    await session.execute(_READ_ALL, {"person": visitor.person, "now": now(session)})
    return pages_of(request).go(visitor, "/inbox")

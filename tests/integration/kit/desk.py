"""A tiny API over the tiny service: one route for each thing that the kit promises."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlalchemy import text

from lianhu_kit.access import Access, permits, public
from lianhu_kit.api import Body, DivisionCode, Line, Page, Session, VillageCode, Words, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.idempotency import IdempotencyKey, recall, remember
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import PayloadTooLarge
from lianhu_kit.problems import Conflict, FieldError, Invalid, Problem, TooMany

router = APIRouter()
Clerk = Annotated[Access, permits("clerk", "supervisor")]


class NotToday(Exception):
    """An error of the tiny service's own domain."""


class NewNote(Body):
    """A note to write."""

    at: VillageCode
    title: Line
    words: Words = "…"
    count: int = 1
    more: dict[str, Any] = Field(default_factory=dict)
    twin: str | None = None
    area: DivisionCode | None = None


@router.post("/v1/notes", status_code=201)
async def write(body: NewNote, request: Request, access: Clerk, session: Session, key: IdempotencyKey = None) -> Any:
    """Writes a note, once per idempotency key."""
    grant = access.covering(body.at)
    await enter_scope(session, grant.scope, access.person)
    call: dict[str, Any] = {"caller": str(access.person), "route": "POST /v1/notes", "body": await request.body()}
    stored = await recall(session, key, **call)
    if stored is not None:
        return JSONResponse(stored.answer, stored.status)
    identifier = new_id()
    await session.execute(
        text("INSERT INTO notes (id, tenant, words, twin) VALUES (:id, :tenant, :words, :twin)"),
        {"id": identifier, "tenant": body.at, "words": body.words, "twin": body.twin},
    )
    if body.title == "wait":
        await request.app.state.entered()
    answer = {"id": str(identifier), "words": body.words}
    await remember(session, key, **call, tenant=body.at, status=201, answer=answer)
    if body.title == "fail":
        raise ZeroDivisionError("the secret 13800138000 is in here")
    return answer


@router.get("/v1/notes")
async def read_all(access: Clerk, session: Session, page: Page, at: Annotated[str, Query()]) -> dict[str, Any]:
    """Notes of a division, page by page."""
    await enter_scope(session, access.covering(at).scope)
    sql = "SELECT id FROM notes WHERE tenant >= :at AND tenant < :at || ':' AND id > :after ORDER BY id LIMIT :limit"
    (after,) = page.place(UUID) or (UUID(int=0),)
    rows = (await session.execute(text(sql), {"at": at, "after": after, "limit": page.limit + 1})).scalars().all()
    items = [{"id": str(each)} for each in rows]
    return page_of(items, page.limit, [items[page.limit - 1]["id"]] if len(items) > page.limit else None)


@router.get("/v1/notes/{note}")
async def read(note: UUID, access: Clerk, session: Session) -> dict[str, Any]:
    """One note, wherever one of the caller's grants reaches it."""

    async def load(_grant: object) -> str | None:
        found = await session.execute(text("SELECT tenant FROM notes WHERE id = :id"), {"id": note})
        tenant: str | None = found.scalar_one_or_none()
        return tenant

    grant, tenant = await access.locate(session, load)
    return {"tenant": tenant, "role": grant.role, "at": grant.at}


_PROBLEMS: dict[str, Exception] = {
    "conflict": Conflict("illegal-move", "It is closed. Open a new one.", status_now="closed"),
    "often": TooMany("Try again in a while.", after=7),
    "fields": Invalid([FieldError("a.b", "must be right")]),
    "domain": NotToday(),
    "large": PayloadTooLarge(),
    "bug": RuntimeError("call 13800138000 for 张三"),
}


@router.get("/v1/problems/{name}")
async def fail(name: str, _access: Annotated[Access, public()]) -> None:
    """Fails as asked."""
    raise _PROBLEMS[name]


@router.get("/v1/me")
async def me(access: Annotated[Access, permits("clerk", anonymous=True)]) -> dict[str, Any]:
    """Who calls, token or not."""
    return {"person": str(access.person), "roles": sorted(access.roles)}


def not_today(_error: NotToday) -> Problem:
    """The answer to an error of the domain."""
    return Problem(409, "not-today", "Come again tomorrow.")


unguarded = APIRouter()


@unguarded.get("/v1/unguarded", dependencies=[Depends(lambda: None)])
async def anybody() -> None:
    """A route that names no roles."""

"""Transactions that lock crosswise: a call is done again, what is put off to the end closes no circle."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.station import NOTED, Note, Station, incoming
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session
from lianhu_kit.application import create_application
from lianhu_kit.database import at_end, enter_scope
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound, Subscription
from support import bearer, village

router = APIRouter()
_LOCK = "SELECT 1 FROM notes WHERE id = $1 FOR UPDATE"


class Two(Body):
    """Two notes, locked in this order."""

    first: UUID
    second: UUID


@router.post("/v1/cross")
async def cross(body: Two, access: Annotated[Access, permits("clerk")], session: Session, request: Request) -> Any:
    """Locks two notes and writes on the second; says so in between."""
    await enter_scope(session, access.grants[0].scope, access.person)
    await session.execute(text("SELECT 1 FROM notes WHERE id = :id FOR UPDATE"), {"id": body.first})
    request.app.state.calls += 1
    await request.app.state.between()
    await session.execute(text("UPDATE notes SET words = words || '.' WHERE id = :id"), {"id": body.second})
    return {"calls": request.app.state.calls}


async def two_notes(station: Station, tenant: str) -> tuple[UUID, UUID]:
    """Two notes of a village."""
    first, second = new_id(), new_id()
    for each in (first, second):
        await station.rows(
            "INSERT INTO notes (id, tenant) VALUES (:id, :tenant) RETURNING id", tenant, id=each, tenant=tenant
        )
    return first, second


async def test_a_call_that_lost_a_deadlock_is_done_again_and_its_caller_hears_nothing_of_it(station: Station) -> None:
    tenant = village()
    first, second = await two_notes(station, tenant)
    app = create_application(
        station.settings.model_copy(update={"database_url": station.api.url}),
        title="Cross", routers=[router], required_revision="0001",
    )  # fmt: skip
    app.state.calls = 0
    # The other side waits without looking for deadlocks itself: it is always the call that is given up.
    other = await asyncpg.connect(station.superuser, server_settings={"deadlock_timeout": "1min"})
    transaction = other.transaction()
    await transaction.start()
    await other.execute(_LOCK, second)
    crossed: list[asyncio.Task[str]] = []
    entered = asyncio.Event()

    async def between() -> None:
        if not crossed:
            crossed.append(asyncio.create_task(other.execute(_LOCK, first)))
            entered.set()

    async def give_way() -> None:
        await crossed[0]  # the call was given up, so the lock came free
        await transaction.commit()

    app.state.between = between
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cross", timeout=30)
        )
        call = asyncio.create_task(
            client.post("/v1/cross", json={"first": str(first), "second": str(second)}, headers=bearer("clerk", tenant))
        )
        try:
            await asyncio.wait_for(entered.wait(), 20)
            await asyncio.wait_for(give_way(), 20)
            answer = await call
        finally:
            await other.close()
    assert (answer.status_code, answer.json()) == (200, {"calls": 2})
    assert await station.rows("SELECT words FROM notes WHERE id = :id", tenant, id=second) == [(".",)]


async def test_what_is_put_off_happens_once_last_in_order_and_inside_the_transaction(station: Station) -> None:
    done: list[str] = []

    def noted(name: str) -> Any:
        async def work(session: AsyncSession) -> None:
            done.append(f"{name} {(await session.execute(text('SELECT 1'))).scalar()}")

        return work

    async with station.worker.transaction() as session:
        at_end(session, "b", noted("second"))
        at_end(session, "a", noted("first"))
        at_end(session, "a", noted("never"))
        done.append("body")
    assert done == ["body", "first 1", "second 1"]
    try:
        async with station.worker.transaction() as session:
            at_end(session, "a", noted("failed"))
            raise LookupError
    except LookupError:
        pass
    assert len(done) == 3


async def test_a_batch_goes_in_the_order_of_what_its_handlers_lock_and_each_key_in_its_own(station: Station) -> None:
    tenant = village()
    seen: list[tuple[str, int | None]] = []

    async def handle(_session: AsyncSession, event: ReceivedEvent, _data: Note) -> None:
        seen.append((event.key, event.sequence))

    def locks(data: Note) -> str:
        return data.words

    inbound = Inbound(
        "kit", station.worker, {"kit.locks": False}, {NOTED: Subscription(Note, handle, locks=locks)}, generation=9001
    )
    records = [
        incoming("kit.locks", key, sequence, tenant, data={"words": row}, offset=offset)
        for offset, (key, sequence, row) in enumerate(
            [("a", 1, "z"), ("b", 1, "y"), ("a", 2, "z"), ("c", 1, "x"), ("b", 2, "y")]
        )
    ]
    await inbound.receive(records)
    assert seen == [("c", 1), ("b", 1), ("b", 2), ("a", 1), ("a", 2)]

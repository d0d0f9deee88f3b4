"""A lost database comes back from the topics: everything told is known again, and nobody is told twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from integration.notifications.conftest import Place, Service
from lianhu_kit.database import Database
from lianhu_kit.identifiers import new_id
from lianhu_kit.rereading import Refused
from lianhu_kit.upgrading import migrate
from notifications_service.__main__ import MIGRATIONS
from notifications_service.app import REVISION, voice_of
from notifications_service.consumer.rebuild import Rebuilt, rebuild
from support.conditions import eventually
from support.stores import LocalPostgres

KEPT = (
    "id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience, person, recipient, about, "
    "attempt, state, reason, event_id, caller, words, outcome, created_at, updated_at"
)


@pytest.fixture
async def fresh(notifications: Service, postgres: LocalPostgres, tmp_path: Path) -> AsyncIterator[Any]:
    """An empty database in place of the service's, and the settings of a worker over it."""
    urls = await asyncio.to_thread(postgres.create, "notifications")
    await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)
    settings = notifications.settings.model_copy(
        update={"database_url": urls.worker, "kafka_bootstrap": notifications.kafka, "state_directory": tmp_path}
    )
    database = Database(urls.worker, application_name="tests", pool_size=2)
    yield settings, database
    await database.close()


async def _rows(database: Database, sql: str, scope: str) -> list[dict[str, Any]]:
    async with database.transaction() as session:
        await session.execute(text("SELECT set_config('lianhu.scope', :scope, true)"), {"scope": scope})
        return [dict(row) for row in (await session.execute(text(sql), {"t": scope})).mappings()]


async def _history(service: Service, place: Place) -> None:
    """Inboxes, calls of every outcome with their next tries, a merge, a withdrawal that ends open calls."""
    resident, volunteer = new_id(), new_id()
    first, second, third = place.order(), place.order(), place.order()
    await service.bus.send(
        first.submitted(resident=resident),
        first.request("accepted", status="accepted", urgent=False, limits={"contact": None, "finish": None}, grid=None),
        first.offered(volunteer),
        first.claimed(volunteer),
        first.completed(),
        second.submitted(),
        second.request("asked", status="awaiting_resident", missing_count=2),
        third.submitted(),
        third.claimed(volunteer),
    )
    await service.told(first, "confirm-work", "visit-coming", "task-open")
    await service.told(second, "request-asked")
    await service.told(third, "visit-coming")
    (asked,) = await service.deliveries(second, channel="call")
    assert (await service.outcome(place, str(asked["id"]), "no_answer")).status_code == 200
    (again,) = await service.deliveries(second, channel="call", state="due")
    assert (await service.outcome(place, str(again["id"]), "wrong_number", new_id())).status_code == 200
    await service.told(second, "call-wrong-number")
    await service.bus.send(third.request("withdrawn", status="withdrawn"))

    async def over() -> bool:
        return not await service.deliveries(third, channel="call", state="due")

    await eventually(over)
    await service.settled()


async def test_everything_told_comes_back_and_nobody_is_told_twice(notifications: Service, fresh: Any) -> None:
    service = notifications
    settings, database = fresh
    place = await service.place()
    await _history(service, place)
    wanted = f"SELECT {KEPT} FROM deliveries WHERE tenant = :t ORDER BY id"
    inboxes = "SELECT id, person, template, locale, title, body FROM messages WHERE tenant = :t ORDER BY id"
    before, boxes = await service.rows(wanted, place.code, t=place.code), len(await service.published(place.code))
    assert len(before) >= 10
    done = await rebuild(settings, voice_of(settings), REVISION, print)
    assert done.left == 0
    assert await _rows(database, wanted, place.code) == before
    assert len(await _rows(database, inboxes, place.code)) == sum(
        row["channel"] == "inbox" and row["state"] == "sent" for row in before
    )
    # Nothing goes out of what the topics knew, in this village.
    assert await _rows(database, "SELECT type, subject FROM outbox WHERE tenant = :t", place.code) == []
    assert len(await service.published(place.code)) == boxes
    with pytest.raises(Refused, match="has heard events already"):
        await rebuild(settings, voice_of(settings), REVISION, print)


async def test_what_was_never_published_is_told_once_and_old_events_tell_nobody_who_came_later(
    notifications: Service, fresh: Any
) -> None:
    service = notifications
    settings, database = fresh
    place = await service.place()
    old = place.order()
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await service.bus.send(old.submitted(time=long_ago))
    await service.told(old, "request-new")
    await service.settled()
    late_clerk = new_id()
    await service.bus.send(place.person(late_clerk, "clerk", place.code))
    done: Rebuilt = await rebuild(settings, voice_of(settings), REVISION, print)
    assert done.parked == 0
    told = await _rows(
        database, "SELECT person, template FROM deliveries WHERE tenant = :t AND template = 'request-new'", place.code
    )
    assert [row["person"] for row in told] == [place.clerk]

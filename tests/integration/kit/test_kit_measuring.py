"""Each metric moves when its thing happens."""

from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from integration.kit.room import TOPIC, Room
from integration.kit.station import NOTED, Station
from lianhu_kit.application import create_application
from lianhu_kit.database import Database
from lianhu_kit.measuring import Measuring
from lianhu_kit.relay import Relay
from support import village


def shown(name: str, **labels: str) -> float:
    """A metric's value now; 0 where nothing moved it yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def measured(station: Station, name: str) -> float:
    await Measuring("kit", station.worker).books()
    return shown(name, service="kit")


async def test_outbox_depth_and_age(station: Station) -> None:
    before = await measured(station, "lianhu_outbox_events")
    await station.note(village(), "kit.measured", key := str(uuid4()), count=3)
    assert await measured(station, "lianhu_outbox_events") - before == 3
    await station.rows("UPDATE outbox SET time = time - interval '1 hour' WHERE aggregateid = :k RETURNING 1", k=key)
    assert await measured(station, "lianhu_outbox_oldest_seconds") >= 3600
    await station.rows("UPDATE outbox SET refused = 'too large' WHERE aggregateid = :k RETURNING 1", k=key)
    assert await measured(station, "lianhu_outbox_refused_events") == 3
    assert shown("lianhu_outbox_events", service="kit") == before
    await station.rows("DELETE FROM outbox WHERE aggregateid = :k RETURNING 1", k=key)


async def test_parked_and_waiting_with_their_ages(station: Station) -> None:
    room = Room(station)
    parked, waiting = await measured(station, "lianhu_parked_events"), shown("lianhu_waiting_events", service="kit")
    key = str(uuid4())
    await room.inbound.receive([room.event(key, 3)])
    await room.inbound.receive([room.event(str(uuid4()), 1, type=NOTED.replace(".v1", ".v9"))])
    await room.station.rows("UPDATE waiting SET since = since - interval '2 hours' WHERE key = :k RETURNING 1", k=key)
    await room.station.rows(
        "UPDATE parked SET parked_at = parked_at - interval '2 hours' WHERE generation = :g RETURNING 1",
        g=room.generation,
    )
    assert await measured(station, "lianhu_waiting_events") - waiting == 1
    assert shown("lianhu_waiting_oldest_seconds", service="kit") >= 7200
    assert shown("lianhu_parked_events", service="kit") - parked == 1
    assert shown("lianhu_parked_oldest_seconds", service="kit") >= 7200
    assert shown("lianhu_events_consumed_total", service="kit", topic=TOPIC, outcome="waiting") >= 1


async def test_timers_overdue_and_how_late_the_latest_is(station: Station) -> None:
    before = await measured(station, "lianhu_timers_overdue")
    insert = """
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    VALUES (:a, 'late', :t, clock_timestamp() - interval '5 minutes', 0, '', '') RETURNING 1
    """
    await station.rows(insert, a=(aggregate := uuid4()), t=village())
    assert await measured(station, "lianhu_timers_overdue") - before == 1
    assert shown("lianhu_timers_overdue_oldest_seconds", service="kit") >= 300
    await station.rows("DELETE FROM timers WHERE aggregate = :a RETURNING 1", a=aggregate)


async def test_published_events_are_counted_by_type_and_batches_by_size(station: Station, new_topic: object) -> None:
    make = new_topic
    assert callable(make)
    topic = await make()
    before = shown("lianhu_events_published_total", service="kit", type=NOTED)
    batches = shown("lianhu_relay_batch_events_count", service="kit")
    await station.note(village(), topic, str(uuid4()), count=4)
    relay = Relay(station.settings, station.worker)
    try:
        while await station.value("SELECT count(*) FROM outbox WHERE aggregatetype = :t", t=topic):
            await relay.step()
    finally:
        await relay.close()
    assert shown("lianhu_events_published_total", service="kit", type=NOTED) - before >= 4
    assert shown("lianhu_relay_batch_events_count", service="kit") > batches


async def test_connections_in_use_their_limit_and_waits_for_one(station: Station) -> None:
    database = Database(station.settings.database_url, application_name="kit-pool", pool_size=1)
    pool = database.engine.sync_engine.pool
    assert shown("lianhu_database_connections_limit", pool="kit-pool") == 2
    async with database.transaction() as first, database.transaction() as second:
        for session in (first, second):
            await session.execute(text("SELECT 1"))
        assert shown("lianhu_database_connections", pool="kit-pool") == 2
        vars(pool)["_timeout"] = 0.05
        with pytest.raises(PoolTimeout):
            async with database.transaction() as third:
                await third.execute(text("SELECT 1"))
    assert shown("lianhu_database_connections", pool="kit-pool") == 0
    assert shown("lianhu_database_wait_timeouts_total", pool="kit-pool") == 1
    assert shown("lianhu_database_wait_seconds_count", pool="kit-pool") == 3
    await database.close()


async def test_refused_calls_are_counted_by_the_type_of_their_problem(station: Station) -> None:
    app = create_application(station.settings, title="Measured", routers=[], required_revision="0001")
    before = shown("lianhu_calls_refused_total", service="kit", type="not-found")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kit") as client:
        assert (await client.get("/nowhere")).status_code == 404
    assert shown("lianhu_calls_refused_total", service="kit", type="not-found") - before == 1
    await app.state.database.close()

"""What is forgotten by age and what is not: days of published events, inbox rows, idempotency keys."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from integration.kit.station import Station
from lianhu_kit import retention
from lianhu_kit.database import sqlstate
from lianhu_kit.identifiers import new_id
from lianhu_kit.retention import RULES, Retention
from support import eventually, village

_PUBLISH = text(
    """
    INSERT INTO published (position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant,
                           time, traceparent, causationid, published_at)
    VALUES (1, :id, 'kit.kept', 'k', 0, 't', 's', '{}', 1, :tenant, :at, '', '', :at)
    """
)


def keeping(station: Station, **days: int) -> Retention:
    """The job, with other days."""
    return Retention(station.settings.model_copy(update=days), station.worker)


async def day_of(station: Station, days_ago: int) -> date:
    """A day by the database's clock, in UTC."""
    found: date = await station.value(
        "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date - CAST(:d AS int)", d=days_ago
    )
    return found


async def publish(station: Station, day: date, tenant: str) -> str:
    """One event published at noon of a day that has a partition; answers the partition's name."""
    name = f"published_{day:%Y%m%d}"
    owner = await asyncpg.connect(station.owner)
    try:
        await owner.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF published "
            f"FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
        )
    finally:
        await owner.close()
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=12)
    async with station.worker.transaction() as session:
        await session.execute(_PUBLISH, {"id": new_id(), "tenant": tenant, "at": at})
    return name


async def partitions(station: Station) -> set[str]:
    """The parts of `published` that there are."""
    sql = "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'published'::regclass"
    return {row.name for row in await station.rows(sql)}


async def test_published_days_are_dropped_when_old_enough_and_no_day_sooner(station: Station) -> None:
    tenant = village()
    old, edge, young = [await publish(station, await day_of(station, ago), tenant) for ago in (60, 42, 39)]
    forgotten = await keeping(station, keep_published_days=41).round()
    assert forgotten["published"] == 2
    left = await partitions(station)
    assert left.isdisjoint({old, edge})
    assert {young, "published_other"} <= left
    assert await station.value("SELECT count(*) FROM published WHERE tenant = :t", t=tenant) == 1
    assert (await keeping(station, keep_published_days=41).round()).get("published", 0) == 0


async def test_nothing_published_is_dropped_where_it_is_kept_for_ever(station: Station) -> None:
    name = await publish(station, date(2001, 2, 3), village())
    await keeping(station, keep_published_days=0).round()
    assert name in await partitions(station)
    assert (await keeping(station).round())["published"] >= 1
    assert name not in await partitions(station)


async def test_the_days_ahead_are_made_and_what_came_without_one_ages_too(station: Station) -> None:
    tenant = village()
    owner = await asyncpg.connect(station.owner)
    try:
        await owner.execute(f"DROP TABLE IF EXISTS published_{await day_of(station, -7):%Y%m%d}")
    finally:
        await owner.close()
    far, old = datetime(1999, 1, 1, tzinfo=UTC), datetime.now(UTC)
    async with station.worker.transaction() as session:
        await session.execute(_PUBLISH, {"id": new_id(), "tenant": tenant, "at": far})
        await session.execute(_PUBLISH, {"id": new_id(), "tenant": tenant, "at": old})
    assert await station.value("SELECT count(*) FROM published_other WHERE tenant = :t", t=tenant) == 1
    forgotten = await keeping(station).round()
    assert forgotten["published_other"] >= 1
    assert f"published_{await day_of(station, -7):%Y%m%d}" in await partitions(station)
    assert await station.value("SELECT count(*) FROM published WHERE tenant = :t", t=tenant) == 1


async def test_inbox_rows_go_in_small_chunks_and_only_when_old(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 40)
    monkeypatch.setattr(retention, "REST_SECONDS", 0)
    insert = (
        "INSERT INTO inbox (generation, id, received_at) SELECT 77, 'i' || n, "
        "clock_timestamp() - make_interval(days => CASE WHEN n <= 100 THEN 31 ELSE 29 END) "
        "FROM generate_series(1, 150) AS n RETURNING id"
    )
    await station.rows(insert)
    assert (await keeping(station).round())["inbox"] == 100
    assert await station.value("SELECT count(*) FROM inbox WHERE generation = 77") == 50


async def test_a_round_is_bounded(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 10)
    monkeypatch.setattr(retention, "MOST", 20)
    insert = (
        "INSERT INTO inbox (generation, id, received_at) SELECT 78, 'i' || n, "
        "clock_timestamp() - interval '90 days' FROM generate_series(1, 50) AS n RETURNING id"
    )
    await station.rows(insert)
    assert (await keeping(station).round())["inbox"] == 20
    assert (await keeping(station).round())["inbox"] == 20


async def test_of_several_workers_one_at_a_time_forgets_and_nothing_is_counted_twice(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 10)
    insert = (
        "INSERT INTO inbox (generation, id, received_at) SELECT 79, 'i' || n, "
        "clock_timestamp() - interval '90 days' FROM generate_series(1, 55) AS n RETURNING id"
    )
    await station.rows(insert)
    before = int(await station.value("SELECT count(*) FROM inbox WHERE received_at < now() - interval '31 days'"))
    async with station.worker.transaction() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(hashtext('lianhu retention'))"))
        rounds = [asyncio.create_task(keeping(station).round()) for _ in range(3)]
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

        async def all_wait() -> bool:
            return int(await station.value(waits)) >= 3

        await eventually(all_wait)
        assert await station.value("SELECT count(*) FROM inbox WHERE generation = 79") == 55
    assert sum(each["inbox"] for each in await asyncio.gather(*rounds)) == before
    assert await station.value("SELECT count(*) FROM inbox WHERE generation = 79") == 0


async def test_a_reader_of_published_is_waited_for_shortly_and_the_next_round_drops(station: Station) -> None:
    name = await publish(station, date(2002, 3, 4), village())
    async with station.worker.transaction() as reader:
        await reader.execute(text("SELECT count(*) FROM published"))
        with pytest.raises(DBAPIError) as refused:
            await keeping(station).round()
        assert sqlstate(refused.value) == "55P03"
    assert name in await partitions(station)
    await keeping(station).round()
    assert name not in await partitions(station)


async def test_only_the_worker_may_drop_and_nobody_everything(station: Station) -> None:
    for database, days, code in ((station.api, 400, "42501"), (station.worker, 0, "P0001")):
        with pytest.raises(DBAPIError) as refused:
            async with database.transaction() as session:
                await session.execute(text("SELECT lianhu_drop_published(:days)"), {"days": days})
        assert sqlstate(refused.value) == code


async def test_each_rule_finds_its_rows_by_an_index(station: Station) -> None:
    for rule in RULES:
        if rule.table == "published_other":
            continue  # normally empty
        async with station.worker.transaction() as session:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            explained = text("EXPLAIN " + rule.chunk.text)
            plan = "\n".join((await session.execute(explained, {"days": 1, "chunk": 1})).scalars())
        assert "Index Scan" in plan, plan
        assert f"Seq Scan on {rule.table}" not in plan, plan

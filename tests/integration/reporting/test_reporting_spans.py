"""Sums of months and of all time are those of the days, at every moment, whoever counted the days."""

import asyncio
import random
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lianhu_kit.database import Database
from reporting_service.domain.rules import DAYS_ALONE, FILLING, RULES
from reporting_service.domain.spans import Span
from reporting_service.handlers import filling
from reporting_service.handlers.generations import live_books
from reporting_service.queries import snapshots, sums
from support.places import village
from support.sending import mixed
from support.walks import orders

APART = """
    SELECT basis, month, tenant, service, measure, kept.value, summed.value
    FROM (SELECT * FROM span_tallies WHERE value <> 0) AS kept
    FULL JOIN (
        SELECT generation, basis, month, tenant, service, measure, sum(value) AS value
        FROM tallies, LATERAL (VALUES (date '-infinity'), (date_trunc('month', day::timestamp)::date)) AS span (month)
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(value) <> 0
    ) AS summed USING (generation, basis, month, tenant, service, measure)
    WHERE kept.value IS DISTINCT FROM summed.value
"""
ZONE = ZoneInfo("Asia/Shanghai")
DAYS = [
    None, date(2026, 1, 1), date(2026, 1, 7), date(2026, 1, 20), date(2026, 1, 30), date(2026, 1, 31),
    date(2026, 2, 1), date(2026, 2, 14), date(2026, 2, 28), date(2026, 3, 1), date(2027, 1, 1),
]  # fmt: skip
SPANS = [Span(first, last) for first in DAYS for last in DAYS if None in (first, last) or first <= last]  # type: ignore[operator]


async def counted(stage: Any, seed: int, homes: list[str], number: int = 60) -> None:
    """Orders that are all counted."""
    await stage.send(mixed(orders(seed, homes, number), random.Random(seed)))
    await stage.applied()


async def test_a_span_is_the_same_from_months_and_from_days_whatever_its_edges(make_stage: Any) -> None:
    stage = await make_stage()
    homes = [village("850000001"), village("850000002")]
    async with stage.working(workers=2):
        await counted(stage, 61, homes)
    assert await stage.rows("SELECT 1 FROM span_tallies LIMIT 1")
    assert await stage.rows(APART) == []
    database = Database(stage.settings.database_url, application_name="tests", pool_size=1)
    try:
        async with database.transaction() as session:
            await snapshots.begin(session)
            whole = await snapshots.read_under(session, "85", ZONE)
            assert whole.spans
            days = whole._replace(spans=False)
            for number, span in enumerate(SPANS):
                for by in ("village", "town", "service", "month", "day"):
                    for basis in ("submitted", "happened"):
                        org = ("85", homes[number % 2])[number % 3 == 0]
                        from_spans = await sums.read(session, whole, org, span, by, basis)
                        from_days = await sums.read(session, days, org, span, by, basis)
                        assert _held(from_spans) == _held(from_days), (span, by, basis, org)
    finally:
        await database.close()


def _held(read: sums.Read) -> Any:
    """Sums without those that came back to zero."""
    rows = {key: {measure: value for measure, value in row.items() if value} for key, row in read.sums.items()}
    total = {measure: value for measure, value in read.total.items() if value}
    return {key: row for key, row in rows.items() if row}, total, read[1:3], read[4:]


async def test_what_a_release_without_them_counted_is_filled_while_batches_go_on(make_stage: Any) -> None:
    stage = await make_stage()
    homes = [village("850000003") for _ in range(3)]
    async with stage.working():
        await counted(stage, 62, homes)
    await stage.rows("DELETE FROM span_tallies RETURNING 1")
    await stage.rows(f"UPDATE generations SET rules = {DAYS_ALONE} RETURNING 1")
    shown = await stage.get("tallies", "supervisor", homes[0][:9])
    assert shown["total"]["submitted"] == 60  # readers take the days
    async with stage.working(workers=2):
        await counted(stage, 63, homes)
    shown = await stage.get("tallies", "supervisor", homes[0][:9])
    assert shown["total"]["submitted"] == 120
    assert [row.rules for row in await stage.rows("SELECT rules FROM generations")] == [RULES]
    assert await stage.rows(APART) == []


async def test_ended_midway_it_begins_anew_and_the_release_before_counts_no_more(make_stage: Any) -> None:
    stage = await make_stage()
    homes = [village("850000004") for _ in range(2)]
    async with stage.working():
        await counted(stage, 64, homes, 20)
    await stage.rows("DELETE FROM span_tallies WHERE tenant = :t RETURNING 1", t=homes[0])
    await stage.rows(f"UPDATE generations SET rules = {DAYS_ALONE} RETURNING 1")
    half = filling._Filling()
    for _ in range(2):  # the first step stops the release before, the second makes one village's sums
        async with stage.database.transaction() as session:
            assert await half.step(session)
    assert [row.rules for row in await stage.rows("SELECT rules FROM generations")] == [FILLING]
    async with stage.database.transaction() as session:
        assert (await live_books(session, ZONE)).generation == 1  # this release's batches go on
    await filling.fill(stage.database, asyncio.Event())
    assert [row.rules for row in await stage.rows("SELECT rules FROM generations")] == [RULES]
    assert await stage.rows(APART) == []
    await filling.fill(stage.database, asyncio.Event())  # nothing is left to do


@pytest.mark.parametrize("rules", [None, 0, RULES])
async def test_nothing_is_filled_where_there_is_nothing_to_fill(make_stage: Any, rules: int | None) -> None:
    stage = await make_stage()
    await stage.rows("UPDATE generations SET rules = :rules RETURNING 1", rules=rules)
    await asyncio.wait_for(filling.fill(stage.database, asyncio.Event()), 10)
    assert [row.rules for row in await stage.rows("SELECT rules FROM generations")] == [rules]

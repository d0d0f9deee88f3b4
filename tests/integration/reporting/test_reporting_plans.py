"""Tallies, journeys and the projection are read by index: none reads a growing table whole among many rows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from bench.crowds import ORDINARY, fill, fill_books
from lianhu_kit.inbound import Record
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from reporting_service.app import MIGRATIONS, create_app, create_work
from reporting_service.settings import Settings
from support import bearer
from support.plans import Explained, explained
from support.walks import orders

GROWING = {"facts", "tallies", "span_tallies", "volunteer_tallies", "positions", "inbox", "waiting"}
BY = ("village", "grid", "service", "volunteer", "day", "month")
MONTH = f"from={datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}&to={datetime.now(UTC):%Y-%m-%d}"
# Tallies of people, as many as the others.
PEOPLE = """
    INSERT INTO volunteer_tallies (generation, basis, tenant, day, service, grid, person, measure, value)
    SELECT generation, basis, tenant, day, service, grid, gen_random_uuid(), measure, value FROM tallies
"""


class Crowd:
    """Reporting among twenty thousand requests of sixty villages and a big one."""

    def __init__(self, urls: Any, rows: Any, shared: dict[str, Any]) -> None:
        self.rows = rows
        self.app = create_app(Settings(database_url=urls.api, **shared))
        settings = Settings(database_url=urls.worker, **shared)
        self.worker = Worker(settings, create_work(settings))

    async def get(self, *paths: str) -> Explained:
        """The plans of some calls of the village's clerk, each of which must succeed."""
        transport = httpx.ASGITransport(self.app)
        with explained(self.app.state.database.engine) as seen:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://reporting", headers=bearer("clerk", ORDINARY)
            ) as client:
                for path in paths:
                    answer = await client.get(f"/v1/{path}")
                    assert answer.is_success, f"{path}: {answer.text}"
        return seen


@pytest.fixture(scope="module")
async def crowd(postgres: Any, jwks_file: Any, tmp_path_factory: Any) -> AsyncIterator[Crowd]:
    """The service, its calls over ASGI and its worker driven by hand, without a broker."""
    urls = await asyncio.to_thread(postgres.create, "reporting")
    await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)
    rows = await asyncpg.connect(postgres.cluster.url("postgres", urls.owner.rsplit("/", 1)[1]))
    await fill(rows, "reporting", 20_000, villages=60)
    await rows.execute(PEOPLE)
    await fill_books(rows, 20_000)
    made = Crowd(urls, rows, {"auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state")})
    async with made.app.router.lifespan_context(made.app):
        yield made
    await made.worker.database.close()
    await rows.close()


async def test_no_report_reads_a_growing_table_whole(crowd: Crowd) -> None:
    asked = [
        f"tallies?org={ORDINARY}&{MONTH}&by={by}&basis={basis}" for by in BY for basis in ("submitted", "happened")
    ]
    seen = await crowd.get(*asked, f"tallies?org={ORDINARY}", f"tallies?org={ORDINARY}001&{MONTH}")
    assert seen.faults(GROWING) == []


async def test_a_months_tallies_are_bounded_by_its_days(crowd: Crowd) -> None:
    seen = await crowd.get(f"tallies?org={ORDINARY}&{MONTH}")
    bounds = [
        str(node.get("Index Cond"))
        for plan in seen.of("FROM tallies")
        for node in plan.nodes()
        if node.get("Index Name") == "tallies_pkey"
    ]
    assert bounds
    assert all("day >=" in bound and "day <=" in bound for bound in bounds), bounds


async def test_all_time_and_whole_months_read_no_days(crowd: Crowd) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    month = f"from={last:%Y-%m}-01&to={last:%Y-%m-%d}"
    asked = [f"{by}&basis=submitted" for by in ("village", "town", "service", "month")]
    seen = await crowd.get(
        *(f"tallies?org={ORDINARY}&by={how}{span}" for how in asked for span in ("", f"&{month}")),
        f"tallies?org={ORDINARY}&basis=happened",
    )
    sums = seen.of("FROM span_tallies")
    assert sums
    assert not [plan.statement for plan in sums if "FROM tallies" in plan.statement]
    assert all("month" in str(node["Index Cond"]) for plan in sums for node in plan.nodes() if "Index Cond" in node)
    assert seen.faults(GROWING) == []


async def test_no_batch_reads_a_growing_table_whole(crowd: Crowd) -> None:
    events = orders(7, [ORDINARY], 5)
    with explained(crowd.worker.database.engine) as seen:
        for place, event in enumerate(events):
            headers = {
                "ce_specversion": "1.0", "ce_id": event.id, "ce_source": "/lianhu/requests", "ce_type": event.type,
                "ce_subject": event.subject, "ce_time": event.time.isoformat(), "ce_tenant": event.tenant,
                "ce_sequence": str(event.sequence), "content-type": "application/json",
            }  # fmt: skip
            encoded = [(name, str(value).encode()) for name, value in headers.items()]
            value = orjson.dumps(event.data)
            await crowd.worker.inbound.receive([Record(event.topic, 0, place, event.key.encode(), value, encoded)])
    assert await crowd.rows.fetchval("SELECT count(*) FROM parked") == 0
    assert seen.of("UPDATE facts")
    assert seen.faults(GROWING) == []

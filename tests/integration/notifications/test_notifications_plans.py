"""Inbox, call list and what events tell are read by index: none reads a growing table whole among many rows."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from bench.crowds import ORDINARY, fill, fill_books
from integration.notifications.conftest import migrate_in_thread
from lianhu_kit.inbound import Record
from lianhu_kit.worker import Worker
from notifications_service.app import create_app, work
from notifications_service.settings import Settings
from support import bearer
from support.plans import explained

GROWING = {"requests", "deliveries", "messages", "positions", "timers", "published", "waiting"}
PEOPLE = """
    INSERT INTO person_roles (person, role, at)
    SELECT gen_random_uuid(), 'volunteer', '990778' || lpad((n % 500)::text, 6, '0') FROM generate_series(1, 20000) AS n
"""


class Crowd:
    """Notifications among twenty thousand requests of sixty villages and a big one."""

    def __init__(self, urls: Any, rows: Any, shared: dict[str, Any]) -> None:
        self.rows = rows
        self.app = create_app(Settings(database_url=urls.api, **shared))
        settings = Settings(database_url=urls.worker, **shared)
        self.worker = Worker(settings, work(settings))

    async def tell(self, move: str, key: str, sequence: int, **data: Any) -> None:
        """An event of the requests topic arrives."""
        headers = {
            "ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_source": "/lianhu/requests",
            "ce_type": f"lianhu.request.{move}.v1", "ce_subject": key, "ce_time": datetime.now(UTC).isoformat(),
            "ce_tenant": ORDINARY, "ce_sequence": str(sequence), "content-type": "application/json",
        }  # fmt: skip
        encoded = [(name, value.encode()) for name, value in headers.items()]
        value = json.dumps({"request_id": key, "by": None, **data}).encode()
        await self.worker.inbound.receive([Record("lianhu.requests.v1", 0, sequence, key.encode(), value, encoded)])
        assert not await self.rows.fetchval("SELECT count(*) FROM parked")


@pytest.fixture(scope="module")
async def crowd(postgres: Any, jwks_file: Any, tmp_path_factory: Any) -> AsyncIterator[Crowd]:
    """The service, its calls over ASGI and its worker driven by hand, without a broker."""
    urls = postgres.create("notifications")
    migrate_in_thread(urls.owner)
    rows = await asyncpg.connect(postgres.cluster.url("postgres", urls.owner.rsplit("/", 1)[1]))
    await fill(rows, "notifications", 20_000, villages=60)
    await rows.execute(PEOPLE)
    await fill_books(rows, 20_000)
    made = Crowd(urls, rows, {"auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state")})
    async with made.app.router.lifespan_context(made.app):
        yield made
    made.app.state.doorbells.stop()
    await made.worker.database.close()
    await rows.close()


async def test_no_call_reads_a_growing_table_whole(crowd: Crowd) -> None:
    person = await crowd.rows.fetchval("SELECT person FROM messages WHERE tenant = $1 LIMIT 1", ORDINARY)
    message = await crowd.rows.fetchval("SELECT id FROM messages WHERE person = $1", person)
    call, request = await crowd.rows.fetchrow(
        "SELECT id, request_id FROM deliveries WHERE tenant = $1 AND channel = 'call' AND state = 'due'", ORDINARY
    )
    clerk, resident = bearer("clerk", ORDINARY), bearer("resident", ORDINARY, person)
    transport = httpx.ASGITransport(crowd.app)
    with explained(crowd.app.state.database.engine) as seen:
        async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as client:
            for method, path, headers, body in (
                ("GET", "inbox", resident, None),
                ("GET", "inbox?unread=true", resident, None),
                ("POST", f"inbox/{message}/read", resident, None),
                ("GET", f"calls?tenant={ORDINARY}&state=due", clerk, None),
                ("GET", "calls", clerk, None),
                ("GET", f"calls?request={request}", clerk, None),
                ("GET", "calls?state=due", bearer("volunteer", ORDINARY, uuid4()), None),
                ("POST", f"calls/{call}", clerk, {"outcome": "no_answer"}),
                ("GET", "deliveries", clerk, None),
                ("GET", f"deliveries?request={request}", clerk, None),
            ):
                answer = await client.request(method, f"/v1/{path}", headers=headers, json=body)
                assert answer.is_success, f"{method} {path}: {answer.text}"
    assert seen.faults(GROWING) == []


async def test_the_lists_of_a_village_come_in_order(crowd: Crowd) -> None:
    transport = httpx.ASGITransport(crowd.app)
    with explained(crowd.app.state.database.engine) as seen:
        async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as client:
            for path in ("calls?state=due", "deliveries"):
                answer = await client.get(f"/v1/{path}", headers=bearer("clerk", ORDINARY))
                assert answer.json()["items"], answer.text
    lists = seen.of("ORDER BY deliveries.tenant")
    assert not [plan.statement for plan in lists if "LIMIT" in plan.statement and plan.sorts()]


async def test_no_event_or_timer_reads_a_growing_table_whole(crowd: Crowd) -> None:
    request = str(uuid4())
    with explained(crowd.worker.database.engine) as seen:
        await crowd.tell(
            "submitted", request, 1, status="submitted", number="12345678", service="tap", kind="convenience",
            grid=None, household=None, channel="desk", reporter=None, resident=None, guardian=False, minor=False,
            served_kind="adult", served_id=None, public=False, urgent=False, limits={"contact": None, "finish": None},
            confirm_seconds=60,
        )  # fmt: skip
        await crowd.tell(
            "completed", request, 2, status="completed", round=1, via="dispatch", evidence="word",
            confirm_by=datetime.now(UTC).isoformat(),
        )  # fmt: skip
        await crowd.tell("closed", request, 3, status="closed_unconfirmed", how="unconfirmed")
        await crowd.worker.timers.step()
    assert await crowd.rows.fetchval("SELECT count(*) FROM deliveries WHERE request_id::text = $1", request)
    assert seen.faults(GROWING) == []

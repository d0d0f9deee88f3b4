"""Hot calls, events and timers of dispatch read by index: none reads a growing table whole among many rows."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from bench.crowds import ORDINARY, fill, fill_books
from dispatch_service.app import create_app, worker
from dispatch_service.settings import Settings
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.inbound import Record
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from support import bearer
from support.browsing import Person
from support.plans import explained

MIGRATIONS = Path(__file__).parents[3] / "services" / "dispatch" / "migrations"
GROWING = {"requests", "assignments", "offers", "holdings", "moves", "volunteers", "positions", "timers", "published"}
GRID = ORDINARY + "001"
# People of other villages: as many as a city has.
PEOPLE = """
    INSERT INTO volunteers (id, tenant, name, roles, staff, skills, capacity, load, linking_households, active)
    SELECT gen_random_uuid(), '990778' || lpad((n % 500)::text, 6, '0'), '甲*', '[]', false, '[]', 5, 0, '[]', true
    FROM generate_series(1, 20000) AS n
"""


class Crowd:
    """Dispatch among twenty thousand requests of sixty villages and a big one."""

    def __init__(self, urls: Any, rows: Any, shared: dict[str, Any]) -> None:
        self.rows = rows
        self.app = create_app(Settings(database_url=urls.api, **shared))
        settings = Settings(database_url=urls.worker, **shared)
        self.worker = Worker(settings, worker(settings))

    async def tell(self, type: str, key: str, sequence: int, **data: Any) -> None:
        """An event of the requests topic or the directory arrives."""
        topic = "lianhu.requests.v1" if type.startswith("request.") else "lianhu.directory.v1"
        headers = {
            "ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_source": "/lianhu/requests",
            "ce_type": f"lianhu.{type}.v1", "ce_subject": key, "ce_time": datetime.now(UTC).isoformat(),
            "ce_tenant": ORDINARY, "ce_sequence": str(sequence), "content-type": "application/json",
        }  # fmt: skip
        encoded = [(name, value.encode()) for name, value in headers.items()]
        await self.worker.inbound.receive(
            [Record(topic, 0, sequence, key.encode(), json.dumps(data).encode(), encoded)]
        )
        assert not await self.rows.fetchval("SELECT count(*) FROM parked")


@pytest.fixture(scope="module")
async def crowd(postgres: Any, jwks_file: Path, tmp_path_factory: Any) -> AsyncIterator[Crowd]:
    """The service, its calls over ASGI and its worker driven by hand, without a broker."""
    urls = postgres.create("dispatch")
    await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)
    rows = await asyncpg.connect(postgres.cluster.url("postgres", urls.owner.rsplit("/", 1)[1]))
    await fill(rows, "dispatch", 20_000, villages=60)
    await rows.execute(PEOPLE)
    await fill_books(rows, 20_000)
    made = Crowd(urls, rows, {"auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state")})
    async with made.app.router.lifespan_context(made.app):
        yield made
    await made.worker.database.close()
    await rows.close()


async def test_no_call_reads_a_growing_table_whole(crowd: Crowd) -> None:
    offered, person = await crowd.rows.fetchrow(
        "SELECT id, person FROM assignments a JOIN offers ON assignment_id = id "
        "WHERE a.tenant = $1 AND state = 'offered'",
        ORDINARY,
    )
    mine, desk = bearer("volunteer", ORDINARY, person), bearer("clerk", ORDINARY)
    with explained(crowd.app.state.database.engine) as seen:
        transport = httpx.ASGITransport(crowd.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch") as client:
            for method, path, headers in (
                ("GET", "?mine=offered", mine),
                ("GET", "?mine=held", mine),
                ("GET", "", mine),
                ("GET", "", desk),
                ("GET", f"?tenant={ORDINARY}&state=offered", desk),
                ("GET", "", bearer("grid_leader", GRID)),
                ("GET", f"/{offered}", mine),
                ("GET", f"/{offered}", desk),
                ("POST", f"/{offered}/claim", mine),
                ("POST", f"/{offered}/claim", mine),
                ("POST", f"/{offered}/release", mine),
            ):
                body = {"reason": "临时有事"} if path.endswith("release") else None
                answer = await client.request(method, f"/v1/assignments{path}", headers=headers, json=body)
                assert answer.is_success, f"{method} {path}: {answer.text}"
            answer = await client.get("/v1/volunteers", headers=desk)
            assert answer.is_success, answer.text
    assert seen.faults(GROWING) == []


async def test_written_orders_are_read_by_their_own_index(crowd: Crowd) -> None:
    with explained(crowd.app.state.database.engine) as seen:
        transport = httpx.ASGITransport(crowd.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch") as client:
            village, supervisor = (Person(client, [("supervisor", at)], uuid4()) for at in (ORDINARY, ORDINARY[:9]))
            assert (await village.get("/board/supervised")).status == 200
            assert (await supervisor.get("/board/supervised")).status == 200
            request = await crowd.rows.fetchval("SELECT request_id FROM assignments WHERE tenant = $1", ORDINARY)
            found = await supervisor.get(f"/board/requests/{request}")
            assert (await supervisor.get(found.location or "")).status == 200
    assert seen.faults(GROWING) == []
    lists = seen.of("supervised_until IS NOT NULL")
    assert {"assignments_supervised"} == {name for plan in lists for name in _indexes_of(plan.nodes(), "assignments")}


async def test_the_desks_list_comes_in_order(crowd: Crowd) -> None:
    with explained(crowd.app.state.database.engine) as seen:
        transport = httpx.ASGITransport(crowd.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch") as client:
            answer = await client.get("/v1/assignments", headers=bearer("clerk", ORDINARY))
            assert len(answer.json()["items"]) == 50
    lists = seen.of("a.id DESC")
    assert {"assignments_list"} == {name for plan in lists for name in _indexes_of(plan.nodes(), "assignments")}


def _indexes_of(nodes: Any, table: str) -> set[str]:
    return {node["Index Name"] for node in nodes if node.get("Relation Name") == table and "Index Name" in node}


async def test_no_event_or_timer_reads_a_growing_table_whole(crowd: Crowd) -> None:
    request, person, household = str(new_id()), str(new_id()), str(new_id())
    with explained(crowd.worker.database.engine) as seen:
        await crowd.tell(
            "org-unit.upserted", ORDINARY, 1, code=ORDINARY, level="village", name="示例村", parent=None, settings={}
        )
        await crowd.tell(
            "household.upserted", household, 1, id=household, tenant=ORDINARY, grid=GRID, group=None,
            linking_person=person,
        )  # fmt: skip
        await crowd.tell(
            "volunteer.upserted", person, 1, id=person, name="甲*", tenant=ORDINARY, grid=GRID, staff=False, skills=[],
            roles=[{"role": "volunteer", "at": ORDINARY}], capacity=5, away_until=None, checked_until=None,
            linking_households=[household], active=True,
        )  # fmt: skip
        await crowd.tell(
            "request.dispatch-requested", request, 1, request_id=request, status="dispatched", by=str(new_id()),
            round=1, number=new_number(), service="tap", kind="convenience", summary="厨房水龙头漏水", grid=GRID,
            household=household, route="volunteers", staff=None, places=1, urgent=False, minor=False, skill=None,
            limits={"contact": None, "finish": None}, exclude=[],
        )  # fmt: skip
        await crowd.rows.execute("UPDATE timers SET due_at = now() WHERE kind <> 'finish'")
        assert await crowd.worker.timers.step() > 0
        await crowd.tell("request.withdrawn", request, 2, request_id=request, status="withdrawn", by=None)
    state = await crowd.rows.fetchval("SELECT state FROM assignments WHERE request_id = $1", UUID(request))
    assert state == "cancelled"
    assert seen.faults(GROWING) == []

"""A dispatch service at work: its API in this process, its worker on the real broker and database."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaProducer

from dispatch_service.app import create_app, worker
from dispatch_service.settings import Settings
from lianhu_kit.database import Database
from lianhu_kit.divisions import ancestors
from lianhu_kit.envelope import encode
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.kafka import new_consumer, new_producer
from lianhu_kit.outbox import OutgoingEvent
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from support.conditions import eventually
from support.contracts import check, check_outgoing, check_stream
from support.infrastructure import running_kafka
from support.people import bearer
from support.places import village

MIGRATIONS = Path(__file__).parents[3] / "services" / "dispatch" / "migrations"
PATIENCE = 1.0
Json = dict[str, Any]


@dataclass
class Stage:
    """What a test has: calls, events in, events out, the owner's view of the database."""

    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    database: Database
    records: list[Any]
    urls: Any
    sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    sent: list[Any] = field(default_factory=list)
    checked: int = 0
    by_key: dict[str, list[Any]] = field(default_factory=dict)
    app: Any = None

    async def tell(self, topic: str, type: str, key: str, subject: str, tenant: str, data: Json | None) -> None:
        """Publishes an event as its owner would: checked against its contract, next in its key's line."""
        sequence = self.sequences[topic, key] = self.sequences.get((topic, key), 0) + 1
        event = OutgoingEvent(topic, key, sequence, f"lianhu.{type}.v1", subject, tenant, data)
        check_outgoing(event)
        row: Any = {
            "id": event.id, "aggregateid": key, "type": event.type, "subject": subject, "payload": event.payload(),
            "sequence": sequence, "tenant": tenant, "time": datetime.now(UTC),
            "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01", "causationid": str(new_id()),
        }  # fmt: skip
        headers, encoded, value = encode(row, "/lianhu/requests")
        self.sent.append((topic, headers, encoded, value))
        await self.producer.send_and_wait(topic, value=value, key=encoded, headers=headers)

    async def again(self) -> int:
        """Publishes everything once more, as a refill does."""
        for topic, headers, key, value in self.sent:
            await self.producer.send_and_wait(topic, value=value, key=key, headers=headers)
        return len(self.sent)

    def events(self, request: str) -> list[Any]:
        """The events of a request on the dispatch topic, in order, each checked against its contract."""
        for record in self.records[self.checked :]:
            self.checked += 1
            event = check(record)
            self.by_key.setdefault(event.key, []).append(event)
        return self.by_key.get(request, [])

    def types(self, request: str) -> list[str]:
        """The short names of a request's events: `offered`, `claimed` …"""
        return [event.type.split(".")[2] for event in self.events(request)]

    async def until(self, request: str, *types: str) -> list[Any]:
        """Waits until the request's events are exactly these; answers them."""

        async def same() -> bool:
            assert self.types(request) == list(types)
            return True

        await eventually(same)
        return self.events(request)

    async def until_last(self, request: str, type: str) -> Any:
        """Waits until the request's last event is of this type; answers it."""

        async def last() -> bool:
            assert self.types(request)[-1:] == [type]
            return True

        await eventually(last)
        return self.events(request)[-1]

    def gapless(self, request: str) -> None:
        """The request's events are numbered 1, 2, 3 …, each as its contract says."""
        mine = [record for record in self.records if record.key.decode() == request]
        assert [event.sequence for event in check_stream(mine)] == list(range(1, len(mine) + 1))

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the worker's role reads in a village; `tenant` sets the scope."""
        async with self.database.transaction() as session:
            scope = sa.text("SELECT set_config('lianhu.scope', :scope, true)")
            await session.execute(scope, {"scope": values.get("tenant", "")})
            return list((await session.execute(sa.text(statement), values)).all())

    async def call(
        self, method: str, path: str, headers: dict[str, str], json: Json | None = None, **params: str
    ) -> httpx.Response:
        """A call under /v1."""
        return await self.client.request(method, f"/v1/{path}", headers=headers, json=json, params=params)


@dataclass
class Village:
    """A village that belongs to one test."""

    stage: Stage
    code: str = field(default_factory=village)

    @property
    def grid(self) -> str:
        """Its first grid."""
        return self.code + "001"

    async def told(self, **wave_seconds: int) -> "Village":
        """The directory tells of the village and of all that it lies in."""
        waves = {"linking_household": 600, "grid": 600, "village": 600, "leader": 600, **wave_seconds}
        for code in [*reversed(ancestors(self.code)), self.code]:
            settings = {"wave_seconds": waves} if code == self.code else {}
            await self.unit(code, settings)
        return self

    async def unit(self, code: str, settings: Json) -> None:
        """The directory tells of a unit."""
        parent = ancestors(code)[0] if ancestors(code) else None
        levels = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village", 15: "grid"}
        data = {
            "code": code, "level": levels[len(code)], "name": "试验单位", "parent": parent, "settings": settings,
        }  # fmt: skip
        await self.stage.tell("lianhu.directory.v1", "org-unit.upserted", code, code, code, data)

    async def person(self, **given: Any) -> UUID:
        """The directory tells of somebody; a volunteer of the first grid unless said otherwise."""
        id = UUID(str(given.pop("id", new_id())))
        role = given.pop("role", "volunteer")
        data = {
            "id": str(id), "name": "甲*", "tenant": self.code, "grid": self.grid,
            "roles": [{"role": role, "at": self.code}], "staff": role == "grid_worker", "skills": [], "capacity": 5,
            "away_until": None, "checked_until": None, "linking_households": [], "active": True, **given,
        }  # fmt: skip
        tenant = data["tenant"]
        await self.stage.tell("lianhu.directory.v1", "volunteer.upserted", str(id), str(id), tenant, data)
        return id

    async def household(self, linking: UUID | None = None, **given: Any) -> str:
        """The directory tells of a household."""
        id = str(given.pop("id", new_id()))
        data = {
            "id": id, "tenant": self.code, "grid": self.grid, "group": None,
            "linking_person": str(linking) if linking else None, **given,
        }  # fmt: skip
        await self.stage.tell("lianhu.directory.v1", "household.upserted", id, id, self.code, data)
        return id

    async def known(self, *people: UUID) -> None:
        """Waits until dispatch has heard of the village and these people."""

        async def all_known() -> bool:
            found = await self.stage.rows(
                "SELECT (SELECT count(*) FROM volunteers WHERE id = ANY(:people)), "
                "(SELECT count(*) FROM org_units WHERE code = :tenant)",
                people=list(people),
                tenant=self.code,
            )
            return tuple(found[0]) == (len(people), 1)

        await eventually(all_known)

    async def request(self, id: str | None = None, **given: Any) -> str:
        """The village wants somebody sent; answers the request's id."""
        id = id or str(new_id())
        due = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        data = {
            "request_id": id, "status": "dispatched", "by": str(new_id()), "round": 1, "number": new_number(),
            "service": "home-repair", "kind": "convenience", "summary": "厨房水龙头漏水", "grid": self.grid,
            "household": None, "route": "volunteers", "staff": None, "places": 1, "urgent": False, "minor": False,
            "skill": None, "limits": {"contact": due, "finish": due}, "exclude": [], **given,
        }  # fmt: skip
        await self.stage.tell("lianhu.requests.v1", "request.dispatch-requested", id, id, self.code, data)
        return id

    async def move(self, request: str, type: str, status: str, **given: Any) -> None:
        """Something else happens to the request."""
        data = {"request_id": request, "status": status, "by": None, **given}
        await self.stage.tell("lianhu.requests.v1", f"request.{type}", request, request, self.code, data)

    def as_(self, person: UUID, role: str = "volunteer", at: str | None = None) -> dict[str, str]:
        """The header of somebody's token."""
        return bearer(role, at or self.code, person)

    async def act(
        self, person: UUID, request: str, move: str, json: Json | None = None, *, role: str = "volunteer"
    ) -> httpx.Response:
        """Somebody makes a move on a request's latest assignment."""
        assignment = self.stage.events(request)[-1].data["assignment_id"]
        path = f"assignments/{assignment}/{move}"
        return await self.stage.call("POST", path, self.as_(person, role), json)

    async def offered(self, *people: UUID, **given: Any) -> str:
        """A request that was offered to these people and nobody else."""
        await self.known(*people)
        request = await self.request(**given)
        events = await self.stage.until(request, "routed", "offered")
        assert events[-1].data["people"] == sorted(map(str, people))
        return request


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A broker that only this service's tests write to: no other service's worker answers what they send."""
    with running_kafka() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
async def stage(kafka: str, postgres: Any, jwks_file: Path, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    """The service, running for the whole session."""
    urls = postgres.create("dispatch")
    await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)

    def settings(url: str) -> Settings:
        return Settings(
            database_url=url,
            kafka_bootstrap=kafka,
            auth_jwks=str(jwks_file),
            state_directory=tmp_path_factory.mktemp("dispatch"),
            patience_seconds=PATIENCE,
            database_pool=10,
        )

    app = create_app(settings(urls.api))
    at_work = Worker(settings(urls.worker), worker(settings(urls.worker)), group=f"dispatch-{new_id()}")
    producer = new_producer(settings(urls.worker), "tests")
    reader = new_consumer(settings(urls.worker), group=None, client="tests")
    await producer.start()
    reader.subscribe(["lianhu.dispatch.v1"])
    await reader.start()
    stop, records = asyncio.Event(), []

    async def read() -> None:
        while not stop.is_set():
            for batch in (await reader.getmany(timeout_ms=100)).values():
                records.extend(batch)

    tasks = [asyncio.create_task(at_work.run(stop)), asyncio.create_task(read())]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://dispatch") as client:
        database = Database(urls.worker, application_name="tests", pool_size=2)
        yield Stage(client, producer, database, records, urls, app=app)
        stop.set()
        await asyncio.wait(tasks, timeout=15)
        for task in tasks:
            assert task.exception() is None
        await database.close()
    await producer.stop()
    await reader.stop()
    await app.state.database.close()


@pytest.fixture
async def here(stage: Stage) -> Village:
    """A village that the directory has told of, with waves of ten minutes."""
    return await Village(stage).told()

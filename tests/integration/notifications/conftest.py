"""A notifications service of its own: its database, its worker and its API, on the session's broker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.smtp import SMTP
from sqlalchemy import text

from integration.notifications.outward import House, Postmaster, Town
from lianhu_kit.context import new_traceparent
from lianhu_kit.database import Database, enter_scope
from lianhu_kit.envelope import encode
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from notifications_service.__main__ import MIGRATIONS
from notifications_service.app import create_app, work
from notifications_service.settings import Settings
from support.conditions import eventually
from support.contracts import check
from support.declared import topic_of
from support.infrastructure import running_kafka
from support.people import bearer
from support.places import village
from support.stores import LocalPostgres

OWNERS = {"request": "requests", "dispatch": "dispatch"}


@dataclass(frozen=True)
class Sent:
    """A record as it went to the broker, so that it can go again."""

    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Bus:
    """Publishes what the other services would, each event held against its contract."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._sequences: dict[tuple[str, str], int] = {}

    def event(
        self, type: str, key: str, tenant: str, data: dict[str, Any] | None, *, subject: str | None = None,
        time: datetime | None = None,
    ) -> Sent:  # fmt: skip
        """The next event of a key, not yet sent: tests send in the order that they like."""
        full = f"lianhu.{type}.v1"
        topic = topic_of(full).name
        self._sequences[topic, key] = sequence = self._sequences.get((topic, key), 0) + 1
        row: Any = {
            "id": str(new_id()), "type": full, "subject": subject or key, "tenant": tenant, "sequence": sequence,
            "time": time or datetime.now(UTC), "aggregateid": key, "traceparent": new_traceparent(),
            "causationid": str(new_id()), "payload": None if data is None else orjson.dumps(data).decode(),
        }  # fmt: skip
        owner = OWNERS.get(type.split(".", maxsplit=1)[0], "requests")
        headers, raw_key, value = encode(row, f"/lianhu/{owner}")
        sent = Sent(topic, raw_key, value, headers)
        check(sent)
        return sent

    async def send(self, *events: Sent) -> None:
        """Sends them in this order, each acknowledged before the next."""
        for event in events:
            await self._producer.send_and_wait(event.topic, value=event.value, key=event.key, headers=event.headers)


@dataclass
class Order:
    """One request of a place, as a source of its events."""

    bus: Bus
    tenant: str
    id: UUID = field(default_factory=new_id)
    assignment: UUID = field(default_factory=new_id)
    number: str = field(default_factory=new_number)
    status: str = "submitted"

    def request(self, move: str, *, status: str | None = None, by: UUID | None = None, time: datetime | None = None,
                **data: Any) -> Sent:  # fmt: skip
        """An event of the requests topic."""
        self.status = status or self.status
        common = {"request_id": self.id, "status": self.status, "by": by}
        return self.bus.event(f"request.{move}", str(self.id), self.tenant, {**common, **data}, time=time)

    def submitted(self, *, by: UUID | None = None, time: datetime | None = None, **data: Any) -> Sent:
        """The first event; a test says what matters to it."""
        known = {
            "number": self.number, "service": "home-repair", "kind": "convenience", "grid": None, "household": None,
            "channel": "desk", "reporter": None, "resident": None, "guardian": False, "minor": False,
            "served_kind": "adult", "served_id": None, "public": False, "urgent": False,
            "limits": {"contact": None, "finish": None}, "confirm_seconds": 60,
        }  # fmt: skip
        return self.request("submitted", by=by, time=time, **{**known, **data})

    def completed(self, via: str = "dispatch") -> Sent:
        """Done, to be confirmed."""
        return self.request(
            "completed", status="completed", round=1, via=via, evidence="word",
            confirm_by=datetime.now(UTC).isoformat(),
        )  # fmt: skip

    def limit(self, name: str, limit: str) -> Sent:
        """A limit near or passed."""
        return self.request(name, limit=limit, due_at="2026-03-04T14:30:00+08:00")

    def dispatch(
        self, move: str, *, by: UUID | None = None, time: datetime | None = None, state: str = "offered", **data: Any
    ) -> Sent:
        """An event of the dispatch topic."""
        common = {
            "request_id": self.id, "assignment_id": self.assignment, "round": 1, "state": state, "places": 1,
            "taken": 0, "grid": None, "by": by,
        }  # fmt: skip
        return self.bus.event(
            f"dispatch.{move}", str(self.id), self.tenant, {**common, **data}, subject=str(self.assignment), time=time
        )

    def offered(self, *people: UUID, wave: int = 1, until: str | None = None) -> Sent:
        """Shown to people."""
        return self.dispatch("offered", wave=wave, audience="village", people=list(people), offered_until=until)

    def claimed(self, person: UUID, **more: Any) -> Sent:
        """Taken by a person."""
        return self.dispatch("claimed", by=person, state="claimed", person=person, name="李*", via="offer", **more)


@dataclass
class Place:
    """A village of one test, with its desk."""

    bus: Bus
    code: str
    clerk: UUID = field(default_factory=new_id)

    def unit(self, code: str, level: str, name: str, **settings: Any) -> Sent:
        """A unit of the tree."""
        data = {"code": code, "level": level, "name": name, "parent": None, "settings": settings}
        return self.bus.event("org-unit.upserted", code, code, data)

    def person(self, person: UUID, role: str, at: str, *, active: bool = True) -> Sent:
        """A person with a working role."""
        data = {
            "id": person, "name": "王*", "tenant": at[:12], "grid": None, "roles": [{"role": role, "at": at}],
            "staff": True, "skills": [], "capacity": 0, "away_until": None, "checked_until": None,
            "linking_households": [], "active": active,
        }  # fmt: skip
        return self.bus.event("volunteer.upserted", str(person), at[:12], data)

    def household(self, household: UUID, linking: UUID | None) -> Sent:
        """A household and who links it."""
        data = {"id": household, "tenant": self.code, "grid": None, "group": None, "linking_person": linking}
        return self.bus.event("household.upserted", str(household), self.code, data)

    def service(self, code: str, name: str) -> Sent:
        """A service of the village's catalogue."""
        data = {
            "tenant": self.code, "code": code, "name": name, "kind": "convenience", "route_default": "volunteers",
            "skill": None, "guardian_consent": False, "places_default": 1, "active": True,
            "limits": {
                "contact": {"seconds": 60, "working": True}, "finish": {"seconds": 60, "working": True},
                "confirm": {"seconds": 60},
            },
        }  # fmt: skip
        return self.bus.event("service.upserted", f"{self.code}/{code}", self.code, data)

    def order(self) -> Order:
        """A new request of this village."""
        return Order(self.bus, self.code)


class Service:
    """The running service: its API, its database for a look inside, and what it published."""

    def __init__(self, database: Database, http: httpx.AsyncClient, settings: Settings, bus: Bus, kafka: str) -> None:
        self.database, self.http, self.settings, self.bus, self.kafka = database, http, settings, bus, kafka

    async def place(self, **unit_settings: Any) -> Place:
        """A fresh village with a clerk and a service, all of it known to the service."""
        place = Place(self.bus, village())
        await self.bus.send(
            place.unit(place.code, "village", "试验村", **unit_settings),
            place.service("home-repair", "家电维修"),
            place.person(place.clerk, "clerk", place.code),
        )

        async def known() -> bool:
            found = await self.rows(
                "SELECT (SELECT count(*) FROM org_units WHERE code = :code) + (SELECT count(*) FROM services "
                "WHERE tenant = :code) + (SELECT count(*) FROM person_roles WHERE at = :code) AS count",
                place.code, code=place.code,
            )  # fmt: skip
            return bool(found[0]["count"] == 3)

        await eventually(known)
        return place

    async def rows(self, sql: str, scope: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the worker sees them in a village."""
        async with self.database.transaction() as session:
            await session.execute(text("SELECT set_config('lianhu.scope', :scope, true)"), {"scope": scope})
            return [dict(row) for row in (await session.execute(text(sql), values)).mappings()]

    async def deliveries(self, order: Order, **where: Any) -> list[dict[str, Any]]:
        """The deliveries about a request, oldest first, that have these values."""
        found = await self.rows(
            "SELECT * FROM deliveries WHERE request_id = :id ORDER BY id", order.tenant, id=order.id
        )
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    async def told(self, order: Order, *templates: str) -> list[dict[str, Any]]:
        """Waits until these templates have been used for a request; all of its deliveries."""

        async def complete() -> list[dict[str, Any]]:
            found = await self.deliveries(order)
            missing = set(templates) - {row["template"] for row in found}
            assert not missing, f"not yet told: {missing}"
            return found

        return await eventually(complete)

    async def inbox(self, person: UUID, role: str, at: str, **query: Any) -> dict[str, Any]:
        """A person's inbox over HTTP."""
        answer = await self.http.get("/v1/inbox", headers=bearer(role, at, person), params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def calls(self, place: Place, **query: Any) -> list[dict[str, Any]]:
        """The call list as the village's clerk sees it."""
        headers = bearer("clerk", place.code, place.clerk)
        answer = await self.http.get("/v1/calls", headers=headers, params={"tenant": place.code, **query})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def outcome(self, place: Place, call: str, outcome: str, person: UUID | None = None) -> httpx.Response:
        """Records what came of a call, as the clerk or another."""
        headers = bearer("clerk", place.code, person or place.clerk)
        return await self.http.post(f"/v1/calls/{call}", headers=headers, json={"outcome": outcome})

    async def published(self, tenant: str) -> list[Any]:
        """Every record of a village on the notifications topic so far."""
        consumer = AIOKafkaConsumer(
            "lianhu.notifications.v1", bootstrap_servers=self.kafka, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(list(consumer.assignment()))
            found = []
            while any([await consumer.position(part) < end for part, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
            return [record for record in found if dict(record.headers)["ce_tenant"] == tenant.encode()]
        finally:
            await consumer.stop()

    async def settled(self) -> None:
        """Waits until the outbox is empty: everything decided so far is published."""

        async def empty() -> bool:
            return not await self.rows("SELECT 1 FROM outbox", "")

        await eventually(empty)


@asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """The API on a real socket, so that streams stream."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=5))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield server, f"http://127.0.0.1:{port}"
    finally:
        app.state.doorbells.stop()
        server.should_exit = True
        await serving


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A broker that only this service's tests write to: no other service's worker answers what they send."""
    with running_kafka() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def notifications_settings(
    postgres: LocalPostgres, kafka: str, jwks_file: Path, tmp_path_factory: Any
) -> dict[str, Settings]:
    """Settings of the API and of the worker over one migrated database."""
    urls = postgres.create("notifications")
    migrate_in_thread(urls.owner)
    shared = {
        "kafka_bootstrap": kafka,
        "auth_jwks": str(jwks_file),
        "state_directory": tmp_path_factory.mktemp("state"),
    }
    return {role: Settings(database_url=getattr(urls, role), **shared) for role in ("api", "worker")}


def migrate_in_thread(url: str) -> None:
    """Migrations run a loop of their own, which a thread must have for itself."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(migrate, MIGRATIONS, url).result()


@pytest.fixture(scope="session")
async def notifications(notifications_settings: dict[str, Settings], kafka: str) -> AsyncIterator[Service]:
    """The service at work."""
    stop = asyncio.Event()
    worker = Worker(notifications_settings["worker"], work(notifications_settings["worker"]))
    working = asyncio.create_task(worker.run(stop))
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    database = Database(notifications_settings["worker"].database_url, application_name="tests", pool_size=2)
    try:
        async with running_server(notifications_settings["api"]) as (_, url), httpx.AsyncClient(base_url=url) as http:
            yield Service(database, http, notifications_settings["api"], Bus(producer), kafka)
    finally:
        await producer.stop()
        await database.close()
        stop.set()
        await working


@pytest.fixture(scope="session")
def running_api() -> Any:
    """Starts further APIs: `async with running_api(settings) as (server, url)`."""
    return running_server


@pytest.fixture
async def post() -> AsyncIterator[tuple[Postmaster, str]]:
    """A real SMTP server on a free port."""
    master = Postmaster()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(master, hostname="mail.example"), "127.0.0.1", 0)
    try:
        yield master, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture(scope="module")
async def house(postgres: Any, jwks_file: Any, tmp_path_factory: Any) -> AsyncIterator[House]:
    """A service of these tests alone."""
    urls = postgres.create("notifications")
    migrate_in_thread(urls.owner)
    made = House(urls, {"auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state")})
    async with made.app.router.lifespan_context(made.app):
        yield made
    await made.http.aclose()
    await made.database.close()


@pytest.fixture
async def town(house: House) -> Town:
    """A fresh village; no other test's message is on its way."""
    async with house.database.transaction() as session:
        await enter_scope(session, "")
        await session.execute(text("DELETE FROM sendings"))
    return Town(house)

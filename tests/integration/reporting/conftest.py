"""Reporting at work: its API in this process, its worker on a real broker and database of its own."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from lianhu_kit.database import Database
from lianhu_kit.envelope import encode
from lianhu_kit.kafka import new_producer
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from lianhu_tools.stores.server import Urls
from reporting_service.app import MIGRATIONS, create_app, create_work
from reporting_service.consumer import TOPICS
from reporting_service.settings import Settings
from support.beginnings import begin_now
from support.conditions import eventually
from support.histories import Raw
from support.infrastructure import running_kafka
from support.people import bearer
from support.stores import LocalPostgres


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """A broker that only this service's tests write to: no other service's worker answers what they send."""
    with running_kafka() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def own_broker() -> Iterator[str]:
    """A broker that only the tests of rebuilds write to: a rebuild reads every event that there is."""
    with running_kafka() as broker:
        yield broker.bootstrap


def as_record(raw: Raw) -> dict[str, Any]:
    """An event as its service would send it."""
    owner = {"request": "requests", "dispatch": "dispatch", "notification": "notifications"}
    row: Any = {
        **{name: getattr(raw, name) for name in ("id", "type", "subject", "time", "tenant", "sequence")},
        "aggregateid": raw.key,
        "causationid": raw.id,
        "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        "payload": None if raw.data is None else json.dumps(raw.data),
    }
    headers, key, value = encode(row, f"/lianhu/{owner.get(raw.type.split('.')[1], 'requests')}")
    return {"topic": raw.topic, "headers": headers, "key": key, "value": value}


@dataclass
class Stage:
    """What a test has: events in, calls, the worker's view of the database."""

    urls: Urls
    settings: Settings
    worker_settings: Settings
    client: httpx.AsyncClient
    app: Any
    producer: AIOKafkaProducer
    database: Database
    lasts: dict[tuple[str, str], int] = field(default_factory=dict)
    group: str = field(default_factory=lambda: f"reporting-{secrets.token_hex(4)}")

    async def send(self, events: Iterable[Raw]) -> None:
        """Publishes events in just this order."""
        futures = []
        for event in events:
            futures.append(await self.producer.send(**as_record(event)))
            place = event.topic, event.key
            self.lasts[place] = max(self.lasts.get(place, 0), event.sequence)
        await asyncio.wait_for(asyncio.gather(*futures), 60)

    async def applied(self, seconds: float = 120) -> None:
        """Waits until everything that was sent has been applied by the active generation."""
        await eventually(self._all_applied, timeout=seconds)

    async def _all_applied(self) -> bool:
        rows = await self.rows(
            "SELECT topic, key, last FROM positions JOIN generations USING (generation) WHERE state = 'active'"
        )
        found = {(row.topic, row.key): row.last for row in rows}
        behind = {place: last for place, last in self.lasts.items() if found.get(place, 0) < last}
        assert not behind, f"{len(behind)} keys are behind"
        return True

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """What the worker's role reads."""
        async with self.database.transaction() as session:
            return list((await session.execute(text(statement), values)).all())

    async def get(self, path: str, role: str, at: str, person: str | None = None, **query: Any) -> Any:
        """A GET under /v1 that must succeed; its JSON. Reports are over the role's own place, unless `org` says."""
        if path in ("tallies", "reconciliation"):
            query.setdefault("org", at)
        answer = await self.client.get(f"/v1/{path}", headers=bearer(role, at, person), params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @asynccontextmanager
    async def working(self, workers: int = 1) -> AsyncIterator[None]:
        """Runs workers of one consumer group while the block runs."""
        stop = asyncio.Event()
        tasks = []
        for _ in range(workers):
            worker = Worker(self.worker_settings, create_work(self.worker_settings), group=self.group)
            tasks.append(asyncio.create_task(worker.run(stop)))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)


@pytest.fixture
async def make_stage(kafka: str, postgres: LocalPostgres, jwks_file: Path, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes stages, each with a fresh database and reading what is sent from then on; ends them with the test."""
    async with _Stages(kafka, postgres, jwks_file, tmp_path, from_now=True) as stages:
        yield stages.make


@pytest.fixture
async def make_whole(own_broker: str, postgres: LocalPostgres, jwks_file: Path, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes stages that read their broker from its beginning, as rebuilds do."""
    async with _Stages(own_broker, postgres, jwks_file, tmp_path, from_now=False) as stages:
        yield stages.make


@pytest.fixture
async def stage(make_stage: Any) -> Stage:
    """One stage."""
    made: Stage = await make_stage()
    return made


class _Stages:
    def __init__(self, broker: str, postgres: LocalPostgres, keys: Path, folder: Path, *, from_now: bool) -> None:
        self._broker, self._postgres, self._keys, self._folder = broker, postgres, keys, folder
        self._from_now = from_now
        self._ends: list[Any] = []

    async def __aenter__(self) -> "_Stages":
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in reversed(self._ends):
            await end

    def settings(self, url: str) -> Settings:
        """Settings for one role."""
        return Settings(
            database_url=url, kafka_bootstrap=self._broker, auth_jwks=str(self._keys), state_directory=self._folder,
            settle_seconds=0.7,
        )  # fmt: skip

    async def make(self) -> Stage:
        """A stage with a migrated database of its own."""
        urls: Urls = await asyncio.to_thread(self._postgres.create, "reporting")
        await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)
        api, worker = self.settings(urls.api), self.settings(urls.worker)
        app = create_app(api)
        living = app.router.lifespan_context(app)
        await living.__aenter__()
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting")
        producer = new_producer(worker, "tests")
        await producer.start()
        database = Database(urls.worker, application_name="tests", pool_size=3)
        self._ends += [living.__aexit__(None, None, None), client.aclose(), producer.stop(), database.close()]
        stage = Stage(urls, api, worker, client, app, producer, database)
        if self._from_now:
            await begin_now(self._broker, stage.group, TOPICS, database)
        return stage

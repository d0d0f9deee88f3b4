"""A tiny service for the kit's tests: one table of notes, one of effects, and whatever topics a test makes."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database, enter_scope
from lianhu_kit.envelope import ReceivedEvent, Record, encode
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import OutgoingEvent, record
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.upgrading import migrate
from support.stores import LocalPostgres

NOTED = "kit.note.written.v1"
_ENV = "from sqlalchemy import MetaData\nfrom lianhu_kit.upgrading import environment\n\nenvironment(MetaData())\n"
_FIRST = '''
from lianhu_kit.fencing import create_fences
from lianhu_kit.migrations import create_kit_tables, decide_on_parked, keep_by_age, protect, run

revision, down_revision, branch_labels, depends_on = "0001", None, None, None


def upgrade() -> None:
    create_kit_tables("kit")
    keep_by_age("kit")
    decide_on_parked("kit")
    create_fences("kit")
    run("""
        CREATE TABLE notes (
            id uuid PRIMARY KEY, tenant text COLLATE "C" NOT NULL, words text NOT NULL DEFAULT '',
            sequence bigint NOT NULL DEFAULT 0, twin text UNIQUE DEFERRABLE INITIALLY DEFERRED
        );
        CREATE TABLE effects (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text COLLATE "C" NOT NULL,
            topic text NOT NULL, key text NOT NULL, sequence bigint, event_id text NOT NULL, words text NOT NULL
        );
    """)
    protect("notes", "kit", api="SELECT, INSERT, UPDATE, DELETE")
    protect("effects", "kit")
'''


class Settings(ServiceSettings, service="kit"):
    """The tiny service's settings: those of every service."""


class Note(BaseModel):
    """What a consumer reads of a note."""

    words: str = ""


@dataclass(frozen=True)
class Station:
    """The tiny service: its database under each role, and settings for a worker."""

    owner: str
    api: Database
    worker: Database
    settings: Settings
    superuser: str

    async def close(self) -> None:
        """Closes the pools."""
        await self.api.close()
        await self.worker.close()

    async def note(self, tenant: str, topic: str, key: str, *, count: int = 1, hold: Any = None) -> None:
        """Commits `count` events of a key, sequences counted on the note's row, which is locked first."""
        async with self.worker.transaction() as session:
            await enter_scope(session, tenant)
            await next_events(session, tenant, topic, key, count)
            if hold is not None:
                await hold()

    async def value(self, sql: str, **values: Any) -> Any:
        """One value, seen by the worker role."""
        async with self.worker.transaction() as session:
            return (await session.execute(text(sql), values)).scalar()

    async def rows(self, sql: str, scope: str = "", **values: Any) -> list[Any]:
        """Rows, seen by the worker role in a scope."""
        async with self.worker.transaction() as session:
            await enter_scope(session, scope)
            return list((await session.execute(text(sql), values)).all())

    async def effects(self, tenant: str) -> list[tuple[str, int | None]]:
        """The effects in a village in the order in which they happened: key and sequence."""
        found = await self.rows("SELECT key, sequence FROM effects WHERE tenant = :t ORDER BY id", tenant, t=tenant)
        return [(row.key, row.sequence) for row in found]


async def next_events(session: AsyncSession, tenant: str, topic: str, key: str, count: int = 1) -> None:
    """Records the next events of a key in this transaction."""
    found = await session.execute(
        text(
            "INSERT INTO notes (id, tenant, sequence) VALUES (:id, :tenant, :count) "
            "ON CONFLICT (id) DO UPDATE SET sequence = notes.sequence + :count RETURNING sequence"
        ),
        {"id": UUID(key), "tenant": tenant, "count": count},
    )
    last: int = found.scalar_one()
    events = [
        OutgoingEvent(topic, key, sequence, NOTED, key, tenant, {"words": f"word {sequence}"})
        for sequence in range(last - count + 1, last + 1)
    ]
    await record(session, events)


async def make_station(postgres: LocalPostgres, bootstrap: str, jwks: Path, folder: Path) -> Station:
    """A fresh database, migrated, with its pools."""
    urls = await asyncio.to_thread(postgres.create, "kit")
    migrations = folder / "migrations"
    if not migrations.exists():
        (migrations / "versions").mkdir(parents=True)
        (migrations / "env.py").write_text(_ENV)
        (migrations / "versions" / "0001_first.py").write_text(_FIRST)
    await asyncio.to_thread(migrate, migrations, urls.owner)
    settings = Settings(
        database_url=urls.worker, kafka_bootstrap=bootstrap, auth_jwks=str(jwks), state_directory=folder / "state"
    )
    return Station(
        urls.owner,
        Database(urls.api, application_name="kit-api", pool_size=5),
        Database(urls.worker, application_name="kit-worker", pool_size=5),
        settings,
        postgres.cluster.url("postgres", urls.owner.rsplit("/", 1)[1]),
    )


async def keep_effect(session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
    """A handler that writes one row per event."""
    await session.execute(
        text(
            "INSERT INTO effects (tenant, topic, key, sequence, event_id, words) "
            "VALUES (:tenant, :topic, :key, :sequence, :id, :words)"
        ),
        {
            "tenant": event.tenant, "topic": event.topic, "key": event.key, "sequence": event.sequence,
            "id": event.id, "words": data.words,
        },
    )  # fmt: skip


def incoming(
    topic: str,
    key: str,
    sequence: int | None,
    tenant: str,
    *,
    type: str = NOTED,
    data: Mapping[str, Any] | None = None,
    offset: int = 0,
    id: str | None = None,
) -> Record:
    """A record as the kit's own relay would have sent it."""
    row: dict[str, Any] = {
        "id": id or str(new_id()),
        "aggregatetype": topic,
        "aggregateid": key,
        "type": type,
        "subject": key,
        "payload": json.dumps({"words": "good"} if data is None else data),
        "sequence": sequence,
        "tenant": tenant,
        "time": datetime.now(UTC),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "causationid": str(new_id()),
    }
    headers, raw_key, value = encode(row, "/lianhu/kit")
    if sequence is None:
        headers = [(name, content) for name, content in headers if name != "ce_sequence"]
    return Record(topic, 0, offset, raw_key, value, headers)


def changed(record: Record, **headers: bytes | None) -> Record:
    """The record with other headers: `ce_id=b"…"`, None leaves one out; `value=` replaces the content."""
    kept = [(name, content) for name, content in record.headers if name not in headers]
    kept += [(name, content) for name, content in headers.items() if content is not None]
    return replace(record, headers=kept)


async def make_topic(bootstrap: str, name: str, *, partitions: int = 2, compacted: bool = False) -> str:
    """Creates a topic for one test."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        settings = {"cleanup.policy": "compact" if compacted else "delete"}
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    finally:
        await admin.close()
    return name


async def produce(bootstrap: str, records: Sequence[Record]) -> None:
    """Sends records as an outside producer would."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for each in records:
            await producer.send_and_wait(each.topic, each.value, key=each.key, headers=list(each.headers))


async def consume(bootstrap: str, topic: str) -> list[Any]:
    """Everything that a topic holds now, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)
        partitions = [TopicPartition(topic, number) for number in sorted(found)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        read: list[Any] = []
        async with asyncio.timeout(20):
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    read += records
        return sorted(read, key=lambda each: (each.partition, each.offset))
    finally:
        await consumer.stop()


def sequences(records: Sequence[Any]) -> dict[str, list[int]]:
    """The sequences of each key, in the order of the topic."""
    found: dict[str, list[int]] = {}
    for each in records:
        found.setdefault(each.key.decode(), []).append(int(dict(each.headers)["ce_sequence"]))
    return found

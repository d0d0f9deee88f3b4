"""Keys whose topic is ahead of a restored database: found, fenced, listed, and lifted again.

A topic is ahead where its last sequence of a key is higher than the one that the key's row holds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from lianhu_kit.envelope import ReceivedEvent, Undecodable, decode
from lianhu_tools.faults import Fault

# Which row holds a key's sequence: topic → (table, the key as SQL over its columns).
ROWS: Mapping[str, Mapping[str, list[tuple[str, str]]]] = {
    "requests": {
        "lianhu.requests.v1": [("requests", "id::text")],
        "lianhu.directory.v1": [
            ("removed_entities", "key"),  # first: what came again since counts by its own row
            ("org_units", "code"),
            ("services", "tenant || '/' || code"),
            ("people", "id::text"),
            ("households", "id::text"),
        ],
    },
    "dispatch": {"lianhu.dispatch.v1": [("requests", "id::text")]},
    "notifications": {"lianhu.notifications.v1": [("deliveries", "id::text")]},
}
# Clocks differ: events are looked at from so long before the restored moment on.
MARGIN = timedelta(minutes=10)
SILENT_SECONDS = 60.0
_FENCE = """
INSERT INTO fences (topic, key, tenant, number, held, told, last_type, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (topic, key) DO UPDATE SET held = excluded.held, told = excluded.told, last_type = excluded.last_type,
    last_at = excluded.last_at, since = clock_timestamp(), lifted_at = NULL, lifted_because = NULL
"""
_LIFT = "UPDATE fences SET lifted_at = clock_timestamp(), lifted_because = $3 WHERE topic = $1 AND key = $2"


@dataclass(frozen=True)
class Fence:
    """A key that nothing is published for: `held` is its row's sequence (0: no row), `told` its topic's."""

    topic: str
    key: str
    tenant: str
    number: str | None
    held: int
    told: int
    last_type: str
    last_at: datetime


async def ahead(connection: "asyncpg.Connection[Any]", service: str, bootstrap: str, restored: datetime) -> list[Fence]:
    """The keys whose topic is ahead of the database behind `connection`, which is as it was at `restored`."""
    lasts, numbers = await _lasts(bootstrap, list(ROWS[service]), restored - MARGIN)
    found = []
    for topic, tables in ROWS[service].items():
        keys = [key for of, key in lasts if of == topic]
        held: dict[str, int] = {}
        for table, expression in tables:
            rows = await connection.fetch(
                f"SELECT {expression} AS key, sequence FROM {table} WHERE {expression} = ANY($1::text[])", keys
            )
            held |= {row["key"]: row["sequence"] for row in rows}
        for key in keys:
            last = lasts[topic, key]
            if (last.sequence or 0) > held.get(key, 0):
                found.append(
                    Fence(
                        topic, key, last.tenant, numbers.get(key), held.get(key, 0), last.sequence or 0, last.type,
                        last.time,
                    )
                )  # fmt: skip
    return sorted(found, key=lambda each: (each.topic, each.tenant, each.key))


async def _lasts(
    bootstrap: str, topics: list[str], since: datetime
) -> tuple[dict[tuple[str, str], ReceivedEvent], dict[str, str]]:
    """The last event of each key that has one since then, and the numbers that requests were given since then."""
    lasts: dict[tuple[str, str], ReceivedEvent] = {}
    numbers: dict[str, str] = {}
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await asyncio.wait_for(client.start(), 15)
        await client._client.set_topics(topics)
        partitions = [TopicPartition(topic, n) for topic in topics for n in client.partitions_for_topic(topic) or ()]
        begins = await client.offsets_for_times(dict.fromkeys(partitions, int(since.timestamp() * 1000)))
        ends = await client.end_offsets(partitions)
        left = {place for place in partitions if begins[place] and begins[place].offset < ends[place]}
        client.assign(left)
        for place in left:
            client.seek(place, begins[place].offset)
        while left:
            async with asyncio.timeout(SILENT_SECONDS):
                fetched = await client.getmany(timeout_ms=500)
            for record in (record for records in fetched.values() for record in records):
                _keep(lasts, numbers, record)
            left = {place for place in left if await client.position(place) < ends[place]}
    except (KafkaError, OSError, TimeoutError) as error:
        raise Fault(
            "The broker is away: without its topics nobody knows what was told. Bring it back first."
        ) from error
    finally:
        await client.stop()
    return lasts, numbers


def _keep(lasts: dict[tuple[str, str], ReceivedEvent], numbers: dict[str, str], record: Any) -> None:
    try:
        event = decode(record.topic, record.key, record.value, record.headers)
    except Undecodable:
        return  # a stranger's: no row of ours has such a key
    known = lasts.get((event.topic, event.key))
    if event.sequence is not None and (known is None or event.sequence > (known.sequence or 0)):
        lasts[event.topic, event.key] = event
    if isinstance(number := event.data.get("number"), str):
        numbers[event.key] = number


async def put_up(connection: "asyncpg.Connection[Any]", fences: list[Fence]) -> None:
    """Fences these keys; from now on every event for them is refused."""
    if not fences:
        return
    async with connection.transaction():
        rows = [tuple(vars(fence).values()) for fence in fences]
        await connection.executemany(_FENCE, rows)
        await connection.execute("ALTER TABLE outbox ENABLE TRIGGER fenced")


async def standing(connection: "asyncpg.Connection[Any]") -> list[Fence]:
    """The fences that stand."""
    rows = await connection.fetch(
        "SELECT topic, key, tenant, number, held, told, last_type, last_at FROM fences WHERE lifted_at IS NULL "
        "ORDER BY topic, tenant, key"
    )
    return [Fence(*row) for row in rows]


async def lift(connection: "asyncpg.Connection[Any]", service: str, key: str, because: str) -> tuple[int, int]:
    """Lets keys go on behind what their topic has had: `key`, or `all`. How many were lifted, and how many stay.

    A key without a row stays fenced: there is nothing to go on with. Fault where nothing is fenced under that key.
    """
    wanted = [fence for fence in await standing(connection) if key in ("all", fence.key)]
    if not wanted:
        raise Fault(f"Nothing is fenced under {key!r} in {service}; see `make fenced s={service}`.")
    lifted = 0
    async with connection.transaction():
        for fence in wanted:
            moved = 0
            for table, expression in ROWS[service][fence.topic]:
                done = await connection.execute(
                    f"UPDATE {table} SET sequence = $2 WHERE {expression} = $1 AND sequence < $2", fence.key, fence.told
                )
                moved += int(done.rpartition(" ")[2])
            if moved:
                lifted += 1
                await connection.execute(_LIFT, fence.topic, fence.key, because)
        if not await standing(connection):
            await connection.execute("ALTER TABLE outbox DISABLE TRIGGER fenced")
    return lifted, len(wanted) - lifted


def as_json(fences: list[Fence]) -> list[dict[str, Any]]:
    """For scripts."""
    shown: list[dict[str, Any]] = orjson.loads(orjson.dumps([vars(fence) for fence in fences]))
    return shown

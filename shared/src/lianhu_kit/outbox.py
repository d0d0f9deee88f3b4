"""The transactional outbox: an event is a row that commits with the change it tells of.

Columns as Debezium's outbox event router names them (id, aggregatetype, aggregateid, type, payload), so that
change-data-capture could replace the relay: `aggregatetype` is the topic, `aggregateid` the Kafka key.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.context import current_cause
from lianhu_kit.database import OUTBOX_CHANNEL, Noted, now, wake_after_commit
from lianhu_kit.identifiers import new_id

SHARDS = 16
TOLD = "lianhu.told"
LARGEST_PAYLOAD = 256 * 1024

# One statement for any number of events: `position` is handed out in their order.
INSERT = text(
    """
    INSERT INTO outbox (id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time,
                        traceparent, causationid)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]),
                         CAST(:shards AS smallint[]), CAST(:types AS text[]), CAST(:subjects AS text[]),
                         CAST(:payloads AS text[]), CAST(:sequences AS bigint[]), CAST(:tenants AS text[]),
                         CAST(:times AS timestamptz[]), CAST(:traceparents AS text[]), CAST(:causes AS text[]))
    """
)


class PayloadTooLarge(Exception):
    """An event's data is over 256 KiB: split it into several events, or carry a reference in place of the content."""


@dataclass(frozen=True)
class OutgoingEvent:
    """An event to publish. `sequence` is 1, 2, 3 … per topic and key; `data` None is a tombstone."""

    topic: str
    key: str
    sequence: int
    type: str
    subject: str
    tenant: str
    data: dict[str, Any] | None
    id: UUID = field(default_factory=new_id)
    time: datetime | None = None

    def payload(self) -> str | None:
        """The data as JSON; PayloadTooLarge over the limit."""
        if self.data is None:
            return None
        encoded = orjson.dumps(self.data)
        if len(encoded) > LARGEST_PAYLOAD:
            raise PayloadTooLarge(f"{self.type}: {len(encoded)} bytes, at most {LARGEST_PAYLOAD} are sent")
        return encoded.decode()


def shard_of(key: str) -> int:
    """The relay's shard of a key: stable over processes and versions, which Python's own hash is not."""
    return zlib.crc32(key.encode()) % SHARDS


async def record(session: AsyncSession, events: Sequence[OutgoingEvent]) -> None:
    """Puts events into the outbox of this transaction, in one round trip.

    Lock the row that holds the key's sequence first: then `position` is the order of commit for each key.
    """
    if not events:
        return
    cause = current_cause()
    await session.execute(
        INSERT,
        {
            "ids": [event.id for event in events],
            "topics": [event.topic for event in events],
            "keys": [event.key for event in events],
            "shards": [shard_of(event.key) for event in events],
            "types": [event.type for event in events],
            "subjects": [event.subject for event in events],
            "payloads": [event.payload() for event in events],
            "sequences": [event.sequence for event in events],
            "tenants": [event.tenant for event in events],
            "times": [event.time or now(session) for event in events],
            "traceparents": [cause.traceparent] * len(events),
            "causes": [cause.id] * len(events),
        },
    )
    session.info[TOLD] = (cause.id, str(events[-1].id))
    recorded(session)


def recorded(session: Noted) -> None:
    """Says that outbox rows were written in this transaction by other means than `record`: the relay is woken."""
    wake_after_commit(session, OUTBOX_CHANNEL)

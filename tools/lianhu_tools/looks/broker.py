"""What the broker holds, and how far each service has read it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from lianhu_tools.faults import Fault
from lianhu_tools.looks.databases import fetch
from lianhu_tools.stores.topics import Topic, declared
from lianhu_tools.topology import SERVICES, Topology

_DEADLINE = 20.0
_BACKLOG = """
SELECT (SELECT count(*) FROM outbox) AS unpublished, (SELECT count(*) FROM waiting) AS waiting,
       (SELECT count(*) FROM parked) AS parked
"""


@dataclass(frozen=True)
class TopicRow:
    """A declared topic and how many events it holds now."""

    name: str
    owner: str
    partitions: int
    cleanup: str
    retention: str
    events: int


@dataclass(frozen=True)
class LagRow:
    """How many events of a topic a service has not taken in yet."""

    service: str
    topic: str
    read: int
    lag: int


@dataclass(frozen=True)
class BacklogRow:
    """What a service still has to publish, what waits for a predecessor, and what was set aside."""

    service: str
    unpublished: int
    waiting: int
    parked: int


@dataclass(frozen=True)
class Lag:
    """Both halves of the way: into the broker, and out of it."""

    groups: list[LagRow]
    backlog: list[BacklogRow]

    @property
    def total(self) -> int:
        """0 when every event has arrived wherever it is read."""
        return sum(row.lag for row in self.groups) + sum(row.unpublished + row.waiting for row in self.backlog)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        groups, backlog = [asdict(row) for row in self.groups], [asdict(row) for row in self.backlog]
        return {"total": self.total, "groups": groups, "backlog": backlog}


async def topics(topology: Topology) -> list[TopicRow]:
    """Every declared topic with its number of events. Raises Fault when the broker is away."""
    known = declared(topology.topics_file)
    async with _deadline(topology):
        counts = await _counts(topology.kafka_bootstrap, known)
    return [
        TopicRow(
            topic.name,
            topic.owner,
            topic.partitions,
            topic.cleanup,
            "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms / 86_400_000:g} days",
            counts[topic.name],
        )
        for topic in known
    ]


async def lag(topology: Topology) -> Lag:
    """How far everyone is. Raises Fault when broker or database is away."""
    return Lag(await read(topology), await asyncio.gather(*(_backlog(topology, service) for service in SERVICES)))


async def read(topology: Topology) -> list[LagRow]:
    """How far every service has read every topic. Raises Fault when the broker is away."""
    async with _deadline(topology):
        return await _groups(topology.kafka_bootstrap, declared(topology.topics_file))


@asynccontextmanager
async def _deadline(topology: Topology) -> AsyncIterator[None]:
    """Bounds a talk with the broker, and says in one sentence when it is away."""
    try:
        async with asyncio.timeout(_DEADLINE):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise Fault(f"The broker at {topology.kafka_bootstrap} is away; see `make status`.") from error


async def _counts(bootstrap: str, known: list[Topic]) -> dict[str, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        places = [TopicPartition(topic.name, number) for topic in known for number in range(topic.partitions)]
        first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    finally:
        await consumer.stop()
    counts: dict[str, int] = defaultdict(int)
    for place in places:
        counts[place.topic] += last[place] - first[place]
    return counts


async def _groups(bootstrap: str, known: list[Topic]) -> list[LagRow]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await consumer.start()
        await admin.start()
        rows = []
        for service in SERVICES:
            read: dict[str, int] = defaultdict(int)
            missing: dict[str, int] = defaultdict(int)
            read_topics = {topic.name: topic for topic in known if service in topic.readers and not topic.planned}
            places = [TopicPartition(t.name, n) for t in read_topics.values() for n in range(t.partitions)]
            first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            committed = await admin.list_consumer_group_offsets(service, partitions=places)
            for place in places:
                at = committed[place].offset if place in committed and committed[place].offset >= 0 else None
                read[place.topic] += at or 0
                # tansu tells its end a little late, behind what was read of it
                missing[place.topic] += max(0, last[place] - (first[place] if at is None else at))
            rows += [LagRow(service, name, read[name], missing[name]) for name in read_topics]
        return rows
    finally:
        await admin.close()
        await consumer.stop()


async def _backlog(topology: Topology, service: str) -> BacklogRow:
    [row] = await fetch(topology, service, _BACKLOG)
    return BacklogRow(service, row["unpublished"], row["waiting"], row["parked"])

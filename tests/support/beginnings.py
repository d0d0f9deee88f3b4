"""A service that reads from now on: what other tests left on the topics is not this test's."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from lianhu_kit.database import Database

_KEEP = text(
    "INSERT INTO offsets (generation, topic, partition, next) VALUES (1, :topic, :partition, :next) "
    "ON CONFLICT (generation, topic, partition) DO UPDATE SET next = excluded.next"
)


async def begin_now(bootstrap: str, group: str, topics: Iterable[str], database: Database) -> None:
    """Sets a new group, and a new database as its worker sees it, to where the topics end now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(12)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.commit(ends)
    finally:
        await consumer.stop()
    rows = [{"topic": place.topic, "partition": place.partition, "next": end} for place, end in ends.items()]
    async with database.transaction() as session:
        await session.execute(_KEEP, rows)

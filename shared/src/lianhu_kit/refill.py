"""Publishes a topic's kept events again, in order and with their first ids: who deduplicates sees no change."""

import asyncio
from collections.abc import Callable

from aiokafka.errors import KafkaError
from sqlalchemy import text

from lianhu_kit.database import Database
from lianhu_kit.envelope import encode
from lianhu_kit.kafka import end_producer, new_producer
from lianhu_kit.relay import rounds
from lianhu_kit.settings import ServiceSettings

BATCH = 1000
_READ = text(
    """
    SELECT position, id, aggregatetype, aggregateid, type, subject, payload, sequence, tenant, time, traceparent,
           causationid
    FROM published WHERE aggregatetype = :topic AND position > :after ORDER BY position LIMIT :batch
    """
)


class NotRefilled(Exception):
    """The broker does not take the events: see that it is up and the topic made, then refill again from the start."""


async def refill(settings: ServiceSettings, topic: str, report: Callable[[int], None]) -> int:
    """Sends every kept event of a topic once more; answers how many. `report` is told the count as it grows.

    NotRefilled where the broker is away or has no such topic. Ended midway it is begun again: twice is harmless.
    """
    try:
        return await _refill(settings, topic, report)
    except (KafkaError, TimeoutError) as error:
        raise NotRefilled(
            f"{topic} could not be filled ({type(error).__name__}): see that the broker is up and the topic is made, "
            "then refill again. What arrived twice is dropped by its readers."
        ) from error


async def _refill(settings: ServiceSettings, topic: str, report: Callable[[int], None]) -> int:
    database = Database(settings.database_url, application_name=f"{settings.service}-refill", pool_size=2)
    producer = new_producer(settings, f"{settings.service}-refill")
    sent, after = 0, -1
    try:
        await asyncio.wait_for(producer.start(), 15)
        await asyncio.wait_for(producer.partitions_for(topic), 15)
        while True:
            async with database.transaction() as session:
                values = {"topic": topic, "after": after, "batch": BATCH}
                rows = (await session.execute(_READ, values)).mappings().all()
            if not rows:
                return sent
            for part in rounds(rows):
                records = [(row["aggregatetype"], encode(row, f"/lianhu/{settings.service}")) for row in part]
                futures = [
                    await producer.send(name, value=value, key=key, headers=headers)
                    for name, (headers, key, value) in records
                ]
                await asyncio.wait_for(asyncio.gather(*futures), 30)
            sent, after = sent + len(rows), rows[-1]["position"]
            report(sent)
    finally:
        await end_producer(producer)
        await database.close()

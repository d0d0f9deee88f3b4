"""Where a consumer goes on: where its database is, or where its group is, whichever comes first.

A group's offsets outlive a database that was lost, rebuilt or restored from a backup: who went on from them would never
see what that database has not. A database's own outlive a topic that was made anew, whose offsets begin at 0.
"""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from lianhu_kit.logs import logger

ANSWER_SECONDS = 8.0
_log = logger(__name__)


async def resume(
    client: AIOKafkaConsumer, partitions: Iterable[TopicPartition], kept: Mapping[tuple[str, int], int]
) -> None:
    """Moves a client to where each partition is to be read on. `kept`: the next offsets as the database keeps them.

    TimeoutError where the broker does not say what the group has committed.
    """
    for partition in partitions:
        committed = await asyncio.wait_for(client.committed(partition), ANSWER_SECONDS) or 0
        known = kept.get((partition.topic, partition.partition), 0)
        if known < committed:
            _log.warning(
                "the database is behind its group: read again from where it is",
                topic=partition.topic, partition=partition.partition, database=known, group=committed,
            )  # fmt: skip
        try:
            if start := min(known, committed):
                client.seek(partition, start)
            else:
                await asyncio.wait_for(client.seek_to_beginning(partition), ANSWER_SECONDS)
        except IllegalStateError:
            continue  # taken away meanwhile

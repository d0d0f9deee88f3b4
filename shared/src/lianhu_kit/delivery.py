"""Events to one topic: a batch per partition in place of a send and a future per event."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import murmur2


class Encoded(NamedTuple):
    """An event as it goes over the wire, with its place in the outbox and what decides its partition."""

    position: int
    headers: list[tuple[str, bytes]]
    key: bytes
    value: bytes | None
    hash: int

    @classmethod
    def of(cls, position: int, headers: list[tuple[str, bytes]], key: bytes, value: bytes | None) -> "Encoded":
        """The hash is the one of Java's client and of `send`: a key lies where any other client would put it."""
        return cls(position, headers, key, value, murmur2(key) & 0x7FFFFFFF)


class Delivery:
    """Sends events to a topic; notes each position in `acknowledged` at once, or in `refused` with the reason.

    A batch is taken by the broker as a whole or not at all: none of its events overtakes another.
    """

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, acknowledged: list[int], refused: dict[int, str]
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._acknowledged = acknowledged
        self._refused = refused

    async def run(self, events: Sequence[Encoded]) -> set[str]:
        """Sends all, the partitions side by side; answers the names of the errors that kept some from it."""
        try:
            numbers = sorted(await self._producer.partitions_for(self._topic))
        except Exception as error:
            return {type(error).__name__}
        by_partition: dict[int, list[Encoded]] = {}
        for event in events:
            by_partition.setdefault(numbers[event.hash % len(numbers)], []).append(event)
        failed = await asyncio.gather(
            *(self._to_partition(number, part) for number, part in by_partition.items()), return_exceptions=True
        )
        return {type(error).__name__ for error in failed if error is not None}

    async def _to_partition(self, number: int, events: Sequence[Encoded]) -> None:
        """As many batches as it takes, each acknowledged before the next is sent."""
        sent = 0
        while sent < len(events):
            batch = self._producer.create_batch()
            packed = 0
            for event in events[sent:]:
                if batch.append(timestamp=None, key=event.key, value=event.value, headers=event.headers) is None:
                    break
                packed += 1
            batch.close()
            part = events[sent : sent + packed]
            try:
                await (await self._producer.send_batch(batch, self._topic, partition=number))
            except MessageSizeTooLargeError:
                if packed > 1:  # one of them is too large: alone, each shows whether it is the one
                    for event in part:
                        await self._to_partition(number, [event])
                else:
                    self._refused[part[0].position] = "it is larger than the broker takes"
            else:
                self._acknowledged += [event.position for event in part]
            sent += packed

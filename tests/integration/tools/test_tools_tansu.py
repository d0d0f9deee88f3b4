"""The broker in memory: what the local system needs of it, and that it is filled again when it has forgotten."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from lianhu_tools.local.child import Child, Plan
from lianhu_tools.processes import free_port, listens
from lianhu_tools.stores import tansu, topics
from support import eventually
from support.stores import TOPICS

TOPIC = "lianhu.requests.v1"


class Looked:
    """A broker in memory that is kept running, and filled with one event whenever it begins anew."""

    def __init__(self, log: Path) -> None:
        self.memory = tansu.Memory(free_port())
        plan = Plan("kafka", self.memory.command(), log, ready=self._listens, again=self.fill)
        self.child = Child(plan, lambda: None)

    async def _listens(self) -> str | None:
        return None if listens(self.memory.port) else "nobody listens"

    async def began_again(self) -> bool:
        """Whether it was started a second time."""
        return self.child.starts == 2

    async def fill(self) -> None:
        """Makes the topics and publishes what is kept."""
        await topics.create(self.memory.bootstrap, topics.declared(TOPICS), seconds=20)
        producer = AIOKafkaProducer(bootstrap_servers=self.memory.bootstrap, acks="all", enable_idempotence=False)
        async with asyncio.timeout(20), producer:
            await producer.send_and_wait(TOPIC, b"kept", key=b"one")

    async def read(self) -> tuple[bytes | None, int]:
        """The first event of the topic and where a group's next one is, as it was committed."""
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=self.memory.bootstrap,
            group_id="look",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            metadata_max_age_ms=500,
        )
        async with asyncio.timeout(30), consumer:
            event = await consumer.getone()
            await consumer.commit()
            place = next(each for each in consumer.assignment() if each.partition == event.partition)
            return event.value, await consumer.committed(place) or 0


@pytest.fixture
async def looked(tmp_path: Path) -> AsyncIterator[Looked]:
    broker = Looked(tmp_path / "tansu.log")
    broker.child.start()
    try:
        assert await broker.child.wait_ready(20) is None
        yield broker
    finally:
        await broker.child.end()


async def test_topics_are_made_and_made_sure_of(looked: Looked) -> None:
    declared = topics.declared(TOPICS)
    assert len(await topics.create(looked.memory.bootstrap, declared, seconds=20)) == len(declared)
    assert await topics.create(looked.memory.bootstrap, declared, seconds=20) == []


async def test_killed_it_begins_empty_and_is_filled_again_by_itself(looked: Looked) -> None:
    await looked.fill()
    assert await looked.read() == (b"kept", 1)
    entry = looked.child.entry
    assert entry is not None
    os.kill(entry.pid, signal.SIGKILL)
    await eventually(looked.began_again)
    assert await looked.child.wait_ready(20) is None
    assert await looked.read() == (b"kept", 1)

"""A rebuild does not wait for ever for a broker that gives nothing: live batches may be waiting for the rebuild."""

import asyncio
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from lianhu_kit.database import Database
from reporting_service.consumer import replay
from reporting_service.handlers.generations import Books


class Mute:
    """A client whose partition ends at 5, and which never gets there."""

    here = TopicPartition("lianhu.requests.v1", 0)

    def assignment(self) -> set[TopicPartition]:
        return {self.here}

    async def end_offsets(self, _partitions: object) -> dict[TopicPartition, int]:
        return {self.here: 5}

    async def position(self, _partition: object) -> int:
        return 3

    async def getmany(self, **_more: Any) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        return {}


async def test_a_broker_that_gives_nothing_ends_the_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "STALL_SECONDS", 0.05)
    told: list[str] = []
    reading = replay._Reading(
        cast(AIOKafkaConsumer, Mute()), cast(Database, None), Books(2, ZoneInfo("Asia/Shanghai")), told.append
    )
    with pytest.raises(replay.Refused, match="gives no more events"):
        await asyncio.wait_for(reading.to_the_end(), 5)

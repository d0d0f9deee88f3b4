"""A topic that was lost is filled again from the kept published events: the same ids, in order, as often as tried."""

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from integration.kit.conftest import MakeTopic
from integration.kit.station import Station, consume, make_topic, sequences
from lianhu_kit import refill as refilling
from lianhu_kit.identifiers import new_id
from lianhu_kit.refill import NotRefilled, refill
from lianhu_kit.relay import Relay
from support import eventually, village


def _ids(records: list[Any]) -> dict[tuple[str, str], str]:
    return {
        (each.key.decode(), dict(each.headers)["ce_sequence"].decode()): dict(each.headers)["ce_id"].decode()
        for each in records
    }


async def _lose(kafka: str, topic: str) -> None:
    """The topic is gone with all its events, and made anew, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in await admin.list_topics()

        await eventually(gone, timeout=60)
    finally:
        await admin.close()
    await make_topic(kafka, topic, partitions=3)


async def test_a_lost_topic_is_filled_again_and_a_refill_that_ended_midway_is_begun_again(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, tenant, keys = await new_topic(partitions=3), village(), [str(new_id()) for _ in range(5)]
    for _ in range(4):
        for key in keys:
            await station.note(tenant, topic, key, count=2)
    relay, stop = Relay(station.settings, station.worker), asyncio.Event()
    running = asyncio.create_task(relay.run(stop))

    async def published() -> bool:
        return bool(await station.value("SELECT count(*) = 40 FROM published WHERE aggregatetype = :t", t=topic))

    await eventually(published, timeout=60)
    stop.set()
    await running
    before = _ids(await consume(kafka, topic))
    await _lose(kafka, topic)

    class Ended(Exception):
        """Whoever ran it went away."""

    def end(_sent: int) -> None:
        raise Ended

    monkeypatch.setattr(refilling, "BATCH", 7)
    with pytest.raises(Ended):
        await refill(station.settings, topic, end)
    assert 0 < len(await consume(kafka, topic)) < 40
    assert await refill(station.settings, topic, lambda _sent: None) == 40
    after = await consume(kafka, topic)
    assert _ids(after) == before
    for found in sequences(after).values():
        assert list(dict.fromkeys(found)) == list(range(1, 9)), "each comes first in its order"


async def test_a_topic_that_is_not_there_is_said_with_what_to_do(station: Station) -> None:
    with pytest.raises(NotRefilled, match="the topic is made"):
        await refill(station.settings, "kit.nowhere", lambda _sent: None)

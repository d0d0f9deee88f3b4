"""The consumer's lag, in events and in seconds, as its metrics show it."""

import time
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from lianhu_kit.consumer import Consumer

PLACE = TopicPartition("lag.topic", 0)


class Client:
    """As much of a consumer's client as the watch asks."""

    def __init__(self, end: int, position: int) -> None:
        self.end, self.at = end, position
        self.places = {PLACE}

    def assignment(self) -> set[TopicPartition]:
        return self.places

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.end)

    async def position(self, _place: TopicPartition) -> int:
        return self.at


def shown(name: str) -> float:
    found = REGISTRY.get_sample_value(name, {"service": "lag", "topic": PLACE.topic})
    assert found is not None
    return found


async def watched(consumer: Consumer, client: Client) -> tuple[float, float]:
    watch: Any = consumer._watch
    await watch(client)
    return shown("lianhu_consumer_lag_events"), shown("lianhu_consumer_lag_seconds")


async def test_lag_is_shown_in_events_and_in_the_seconds_that_an_unread_one_can_have_waited() -> None:
    settings: Any = SimpleNamespace(service="lag")
    inbound: Any = None
    consumer = Consumer(settings, inbound, topics={PLACE.topic: False}, group="lag")
    client = Client(end=10, position=3)
    consumer._reached[PLACE] = time.time() - 100  # what the last batch had
    events, seconds = await watched(consumer, client)
    assert events == 7
    assert 99 < seconds < 160
    client.at = 10
    assert await watched(consumer, client) == (0, 0)
    client.end = 12
    events, seconds = await watched(consumer, client)
    assert events == 2
    assert seconds < 60, "it was at the end a moment ago, whatever the last record's age"


async def test_who_lost_its_partitions_shows_no_lag() -> None:
    settings: Any = SimpleNamespace(service="lag")
    inbound: Any = None
    consumer = Consumer(settings, inbound, topics={PLACE.topic: False}, group="lag")
    client = Client(end=10, position=3)
    assert (await watched(consumer, client))[0] == 7
    client.places = set()
    assert await watched(consumer, client) == (0, 0)

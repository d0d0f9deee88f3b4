"""Topics read again from a moment on: what was applied is dropped, what was missed is applied, in order."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from integration.kit.conftest import MakeTopic
from integration.kit.station import NOTED, Note, Station, incoming, keep_effect, produce
from lianhu_kit.inbound import Subscription
from lianhu_kit.rereading import Refused, reread
from lianhu_kit.worker import Work
from support import village


def work(topic: str) -> Work:
    """The tiny service's worker over one topic."""
    return Work("0001", topics={topic: False}, subscriptions={NOTED: Subscription(Note, keep_effect)})


async def test_what_was_missed_since_is_applied_and_nothing_twice(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(), village()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    await produce(kafka, [incoming(topic, "a", sequence, tenant) for sequence in (1, 2)])
    first = await reread(station.settings, work(topic), hour_ago, print)
    assert (first["read"], first["applied"]) == (2, 2)
    await asyncio.sleep(0.01)  # Kafka's clock counts milliseconds
    later = datetime.fromtimestamp(time.time(), UTC)
    await produce(kafka, [incoming(topic, "a", sequence, tenant) for sequence in (3, 4)])
    whole = await reread(station.settings, work(topic), hour_ago, print)
    assert (whole["read"], whole["applied"], whole["duplicate"]) == (4, 2, 2)
    again = await reread(station.settings, work(topic), later, print)
    assert (again["read"], again.get("applied", 0), again["duplicate"]) == (2, 0, 2)
    assert await station.effects(tenant) == [("a", sequence) for sequence in (1, 2, 3, 4)]


async def test_a_moment_after_a_key_began_lets_its_events_wait_for_the_earlier_ones(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(), village()
    await produce(kafka, [incoming(topic, "a", 1, tenant)])
    await asyncio.sleep(0.01)
    later = datetime.fromtimestamp(time.time(), UTC)
    await produce(kafka, [incoming(topic, "a", 2, tenant)])
    assert (await reread(station.settings, work(topic), later, print))["waiting"] == 1
    assert await station.effects(tenant) == []
    await reread(station.settings, work(topic), later - timedelta(days=1), print)
    assert await station.effects(tenant) == [("a", 1), ("a", 2)]


async def test_refused_for_the_future_and_for_a_topic_that_is_not_there(station: Station) -> None:
    with pytest.raises(Refused, match="has not come yet"):
        await reread(station.settings, work("kit.nowhere"), datetime.now(UTC) + timedelta(days=1), print)
    with pytest.raises(Refused, match=r"kit\.nowhere is not there"):
        await reread(station.settings, work("kit.nowhere"), datetime.now(UTC), print)

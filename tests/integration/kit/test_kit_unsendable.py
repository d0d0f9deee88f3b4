"""An event that can never be sent is set apart; its shard and its key go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from integration.kit.conftest import MakeTopic
from integration.kit.station import Station, consume, sequences
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import shard_of
from lianhu_kit.relay import Relay
from support import eventually, village


@asynccontextmanager
async def running(station: Station) -> AsyncIterator[None]:
    """Runs a relay while the block lasts."""
    stop = asyncio.Event()
    task = asyncio.create_task(Relay(station.settings, station.worker).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def published(station: Station, events: int, *keys: str) -> bool:
    """Whether so many events of these keys went out."""
    sql = "SELECT count(*) FROM published WHERE aggregateid = ANY(:keys)"
    return bool(await station.value(sql, keys=list(keys)) == events)


async def test_an_event_that_cannot_be_encoded_is_set_apart_and_all_others_go_on(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(), village()
    bad = str(new_id())
    same_shard = next(key for key in iter(lambda: str(new_id()), "") if shard_of(key) == shard_of(bad))
    await station.note(tenant, topic, bad)
    await station.rows("UPDATE outbox SET subject = '' WHERE aggregateid = :k RETURNING id", k=bad)  # no CloudEvent
    await station.note(tenant, topic, bad)
    await station.note(tenant, topic, same_shard)
    async with running(station):
        await eventually(lambda: published(station, 2, bad, same_shard))
    assert sequences(await consume(kafka, topic)) == {bad: [2], same_shard: [1]}
    [kept] = await station.rows("SELECT sequence, refused FROM outbox WHERE aggregateid = :k", k=bad)
    assert kept.sequence == 1
    assert kept.refused.startswith("it cannot be encoded: ")
    mended = "UPDATE outbox SET subject = aggregateid, refused = NULL WHERE aggregateid = :k RETURNING id"
    await station.rows(mended, k=bad)
    async with running(station):
        await eventually(lambda: published(station, 3, bad, same_shard))
    assert sorted(sequences(await consume(kafka, topic))[bad]) == [1, 2]


async def test_an_event_larger_than_its_topic_takes_is_set_apart_too(station: Station, kafka: str) -> None:
    topic, tenant, large = f"kit.small.{new_id().hex[:8]}", village(), str(new_id())
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "2000"})])
    finally:
        await admin.close()
    await station.note(tenant, topic, large)
    await station.rows(
        "UPDATE outbox SET payload = jsonb_build_object('words', repeat('x', 5000))::text WHERE aggregateid = :k "
        "RETURNING id",
        k=large,
    )
    await station.note(tenant, topic, large)
    async with running(station):
        await eventually(lambda: published(station, 1, large))
    [kept] = await station.rows("SELECT sequence, refused FROM outbox WHERE aggregateid = :k", k=large)
    assert (kept.sequence, kept.refused) == (1, "it is larger than the broker takes")
    assert sequences(await consume(kafka, topic)) == {large: [2]}

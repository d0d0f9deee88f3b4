"""A consumer goes on where its database is: also one that was lost or restored while its group had read further."""

from typing import Any

from sqlalchemy import text

from integration.kit.conftest import MakeTopic
from integration.kit.station import Station, incoming, produce
from integration.kit.test_kit_consumer import member, running
from support import eventually, village


async def _lose(station: Station, topic: str, tenant: str, kept: int) -> None:
    """The database as a backup had it when `kept` events of the key were applied; with 0 as a new one."""
    async with station.worker.transaction() as session:
        await session.execute(text("SELECT set_config('lianhu.scope', :tenant, true)"), {"tenant": tenant})
        for statement in (
            "DELETE FROM inbox",
            "UPDATE positions SET last = :kept WHERE topic = :topic",
            "UPDATE offsets SET next = :kept WHERE topic = :topic",
            "DELETE FROM positions WHERE topic = :topic AND last = 0",
            "DELETE FROM offsets WHERE topic = :topic AND next = 0",
        ):
            await session.execute(text(statement), {"kept": kept, "topic": topic})


async def _applied(station: Station, tenant: str, number: int) -> bool:
    return len(await station.effects(tenant)) >= number


async def test_what_a_restored_or_new_database_has_not_seen_is_read_again(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(partitions=1), village()
    await produce(kafka, [incoming(topic, "a", sequence, tenant) for sequence in (1, 2, 3, 4, 5)])
    async with running(member(station, topic)):
        await eventually(lambda: _applied(station, tenant, 5))
    await _lose(station, topic, tenant, 2)
    async with running(member(station, topic)):
        await eventually(lambda: _applied(station, tenant, 8))
    assert [sequence for _, sequence in await station.effects(tenant)] == [1, 2, 3, 4, 5, 3, 4, 5]
    await _lose(station, topic, tenant, 0)
    async with running(member(station, topic)):
        await eventually(lambda: _applied(station, tenant, 13))
    assert [sequence for _, sequence in await station.effects(tenant)][8:] == [1, 2, 3, 4, 5]


async def test_a_topic_made_anew_is_read_from_its_beginning_although_the_database_was_further(
    station: Station, kafka: str, new_topic: MakeTopic
) -> None:
    topic, tenant = await new_topic(partitions=1), village()
    async with station.worker.transaction() as session:
        # As after the old topic, of which this service had read six events, the last of them of other keys.
        await session.execute(
            text("INSERT INTO offsets (generation, topic, partition, next) VALUES (1, :topic, 0, 6)"), {"topic": topic}
        )
    records: list[Any] = [incoming(topic, f"k{number}", 1, tenant) for number in range(8)]
    await produce(kafka, records)
    async with running(member(station, topic)):
        await eventually(lambda: _applied(station, tenant, 8))
    assert {key for key, _ in await station.effects(tenant)} == {f"k{number}" for number in range(8)}

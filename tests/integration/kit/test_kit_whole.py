"""Batches that are applied as one, on the driver's own connection: the books are kept as for single events."""

from typing import Any

import asyncpg
import orjson
import pytest
from pydantic import BaseModel
from sqlalchemy import text

from integration.kit.room import OTHER, TOPIC, UPSERTS, Room
from integration.kit.station import NOTED, Note, Station
from lianhu_kit.database import Database, is_overrun, is_transient
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.hot import HotTransaction, alone
from lianhu_kit.inbound import Inbound, Poison, Subscription
from lianhu_kit.statements import Statements

_KEEP = text(
    """
    INSERT INTO effects (tenant, topic, key, sequence, event_id, words)
    SELECT :tenant, topic, key, sequence, id, words FROM json_to_recordset(CAST(:events AS json)) AS given (
        topic text, key text, sequence bigint, id text, words text)
    """
)
_ENTER = text("SELECT set_config('lianhu.scope', :scope, true)")
Batch = list[tuple[ReceivedEvent, BaseModel]]


class Whole(Room):
    """A consumer that keeps whole batches; `words` may make one fail."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.sizes: list[int] = []
        topics = {TOPIC: False, OTHER: False, UPSERTS: True}
        notes = {NOTED: Subscription(Note)}
        self.inbound = Inbound("kit", station.worker, topics, notes, apply=self.apply, generation=self.generation)

    async def apply(self, session: Statements, batch: Batch) -> None:
        """Keeps one effect for each event, in one statement."""
        self.sizes.append(len(batch))
        rows: list[dict[str, Any]] = []
        for event, data in batch:
            words = getattr(data, "words", "")
            if words == "poison":
                raise Poison("it says so")
            if words == "lost":
                raise asyncpg.ConnectionDoesNotExistError("the server went away")
            rows.append(
                {"topic": event.topic, "key": event.key, "sequence": event.sequence, "id": event.id, "words": words}
            )
        await session.execute(_ENTER, {"scope": self.tenant})
        await session.execute(_KEEP, {"tenant": self.tenant, "events": orjson.dumps(rows).decode()})


async def test_each_once_and_in_order_and_what_came_early_waits(station: Station) -> None:
    room = Whole(station)
    first, second, third = (room.event("a", sequence) for sequence in (1, 2, 3))
    await room.inbound.receive([third, room.event("b", 1), first, first])
    assert sorted(await room.effects()) == [("a", 1), ("b", 1)]
    assert await room.waiting() == [("a", 3, None)]
    await room.inbound.receive([second, first])
    assert sorted(await room.effects()) == [("a", 1), ("a", 2), ("a", 3), ("b", 1)]
    assert await room.waiting() == []
    assert await room.last("a") == 3


async def test_effects_positions_and_offsets_are_kept_together_or_not_at_all(station: Station) -> None:
    room = Whole(station)
    batch = [room.event("a", 1), room.event("b", 1, data={"words": "lost"})]
    with pytest.raises(asyncpg.ConnectionDoesNotExistError) as raised:
        await room.inbound.receive(batch)
    assert is_transient(raised.value)
    assert room.sizes == [2], "what passes by itself is not tried in parts"
    assert (await room.effects(), await room.last("a"), await room.inbound.offsets()) == ([], None, {})
    await room.inbound.receive([room.event("a", 1), room.event("b", 1)])
    assert sorted(await room.effects()) == [("a", 1), ("b", 1)]
    assert await room.inbound.offsets() == {(TOPIC, 0): room.offset + 1}


async def test_one_bad_event_is_parked_alone_and_found_by_halves(station: Station) -> None:
    room = Whole(station)
    batch = [room.event(f"key {n}", 1, data={"words": "poison" if n == 37 else ""}) for n in range(64)]
    await room.inbound.receive(batch)
    assert len(await room.effects()) == 63
    assert [(key, sequence) for key, sequence, _ in await room.parked()] == [("key 37", 1)]
    assert len(room.sizes) == 14, "two at each of six halvings, the whole at first, the bad one once more by itself"


async def test_an_event_without_a_sequence_counts_once(station: Station) -> None:
    room = Whole(station)
    event = room.event("c", None)
    await room.inbound.receive([event])
    await room.inbound.receive([event])
    assert await room.effects() == [("c", None)]


async def test_a_named_statement_answers_as_a_session_does(station: Station) -> None:
    asked = text("SELECT n AS number, n::text AS words, :upto AS upto FROM generate_series(1, CAST(:upto AS int)) AS n")
    async with HotTransaction(station.worker, "") as hot, station.worker.transaction() as session:
        ours, theirs = await hot.execute(asked, {"upto": 2}), await session.execute(asked, {"upto": 2})
        shown = [(row.number, row.words, row.upto) for row in ours]
        assert shown == [tuple(row) for row in theirs.all()] == [(1, "1", 2), (2, "2", 2)]
        assert ours.scalars() == [1, 2]
        assert (await hot.execute(text("SELECT 5 AS five"))).one().five == 5
        with pytest.raises(AttributeError):
            _ = ours.all()[0].others
        with pytest.raises(ValueError, match="unpack"):
            ours.one()


async def test_a_statement_alone_leaves_nothing_behind(station: Station) -> None:
    database = Database(station.worker.url, application_name="alone", pool_size=1, statement_seconds=0.2)
    try:
        for _ in range(5):
            with pytest.raises(asyncpg.PostgresError) as raised:
                async with alone(database) as driver:
                    await driver.fetch("SELECT pg_sleep(5)")
            assert is_overrun(raised.value)
        async with alone(database) as driver:
            assert not driver.is_in_transaction()
            assert await driver.fetchval("SELECT current_setting('lianhu.scope', true)") in (None, "")
    finally:
        await database.close()

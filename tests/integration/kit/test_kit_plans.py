"""The kit's own statements among many rows: outbox, timers, ledger, keys and ages read what they need by index."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from bench.crowds import fill_books
from integration.kit.conftest import MakeTopic
from integration.kit.station import NOTED, Note, Station, incoming, keep_effect, next_events
from lianhu_kit.database import enter_scope
from lianhu_kit.idempotency import recall, remember
from lianhu_kit.inbound import Inbound, Subscription
from lianhu_kit.measuring import Measuring
from lianhu_kit.relay import Relay
from lianhu_kit.retention import Retention
from lianhu_kit.timers import Timer, Timers, arm, disarm
from support import village
from support.plans import explained

MANY = 20_000
BOOKS = {"timers", "positions", "idempotency_keys", "inbox", "waiting", "published"}


@pytest.fixture(scope="module")
async def crowded(station: Station) -> Station:
    """The station with its books filled; of the timers none is due."""
    rows = await asyncpg.connect(station.superuser)
    await fill_books(rows, MANY)
    await rows.close()
    return station


async def test_timers_that_are_not_due_are_not_read(crowded: Station) -> None:
    place, aggregate = village(), uuid4()
    with explained(crowded.worker.engine) as seen:
        async with crowded.worker.transaction() as session:
            due = await enter_scope(session, place) + timedelta(days=1)
            await arm(session, "wave", aggregate, due, tenant=place)
            await disarm(session, aggregate, "wave")
            await arm(session, "wave", aggregate, due - timedelta(days=2), tenant=place)

        async def nothing(_session: object, _timer: Timer) -> None:
            """For a timer without effect."""

        assert await Timers("kit", crowded.worker, {"wave": nothing}).step() == 1
    assert seen.of("SKIP LOCKED")
    assert seen.faults(BOOKS) == []


async def test_gauges_and_ages_read_only_what_is_old_or_late(crowded: Station) -> None:
    with explained(crowded.worker.engine) as seen:
        await Measuring("kit", crowded.worker).books()
        await Retention(crowded.settings, crowded.worker).round()
    assert seen.of("DELETE FROM inbox")
    # What waits for an operator or a predecessor is counted whole: that it is little is what the gauge is for.
    assert seen.faults(BOOKS - {"waiting"}) == []


async def test_a_key_is_looked_up_and_kept_by_index(crowded: Station) -> None:
    place = village()
    with explained(crowded.api.engine) as seen:
        async with crowded.api.transaction() as session:
            await enter_scope(session, place)
            assert await recall(session, "k", caller=place, route="POST /v1/notes", body=b"") is None
            await remember(
                session, "k", caller=place, route="POST /v1/notes", body=b"", tenant=place, status=201, answer={}
            )
        async with crowded.api.transaction() as session:
            await enter_scope(session, place)
            assert await recall(session, "k", caller=place, route="POST /v1/notes", body=b"") is not None
    assert seen.faults(BOOKS) == []


async def test_a_long_outbox_is_taken_from_its_beginning_and_its_events_applied(
    crowded: Station, new_topic: MakeTopic
) -> None:
    place, topic = village(), await new_topic()
    async with crowded.worker.transaction() as session:
        await enter_scope(session, place)
        await next_events(session, place, topic, str(uuid4()), count=4000)
    rows = await asyncpg.connect(crowded.superuser)
    await rows.execute("ANALYZE outbox")
    relay = Relay(crowded.settings, crowded.worker)
    with explained(crowded.worker.engine) as seen:
        assert await relay.step() > 0
    await relay.close()
    await rows.execute("DELETE FROM outbox")
    await rows.close()
    # The first rows of the outbox are the ones wanted.
    assert seen.faults({*BOOKS, "outbox"}, queues={"outbox_pkey", "outbox_order"}) == []


async def test_a_batch_of_events_finds_its_keys_by_index(crowded: Station) -> None:
    place, topic = village(), "kit.plans"
    inbound = Inbound("kit", crowded.worker, {topic: False}, {NOTED: Subscription(Note, keep_effect)})
    with explained(crowded.worker.engine) as seen:
        for sequence in (1, 3, 2):
            await inbound.receive([incoming(topic, place, sequence, place, offset=sequence)])
    assert [sequence for _, sequence in await crowded.effects(place)] == [1, 2, 3]
    assert seen.faults(BOOKS) == []

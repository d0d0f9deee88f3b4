"""Two workers whose batches tell of the same requests in opposite order: both go through, nobody is given up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from lianhu_kit.inbound import Inbound, Record
from lianhu_kit.worker import Worker
from requests_service.app import work
from support import eventually
from support.contracts import data_faults
from support.requests_rig import Place, Rig

FAILED = "lianhu.notification.failed.v1"
TOPIC = "lianhu.notifications.v1"


def failed(place: Place, request: str, delivery: str, offset: int) -> Record:
    """A call to have a request confirmed reached nobody."""
    data = {
        "delivery_id": delivery, "request_id": request, "purpose": "confirm", "template": "confirm", "channel": "call",
        "audience": "resident", "person": None, "attempt": 1, "reason": "no-answer",
    }  # fmt: skip
    assert data_faults(FAILED, data) == []
    headers = {
        "ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_source": "/lianhu/notifications", "ce_type": FAILED,
        "ce_subject": delivery, "ce_time": datetime.now(UTC).isoformat(), "ce_tenant": place.code, "ce_sequence": "1",
        "content-type": "application/json",
    }  # fmt: skip
    encoded = [(name, value.encode()) for name, value in headers.items()]
    return Record(TOPIC, 0, offset, delivery.encode(), json.dumps(data).encode(), encoded)


@pytest.fixture
async def worker(rig: Rig) -> AsyncIterator[Worker]:
    """A worker whose parts the test drives."""
    made = Worker(rig.settings, work(rig.settings))
    yield made
    await made.database.close()


def inbound(worker: Worker, after: Callable[[str], Awaitable[None]]) -> Inbound:
    """The consumer of one more worker, that says which request it has just handled."""
    plain = worker.work.subscriptions[FAILED]

    async def handle(session: Any, event: Any, data: Any) -> None:
        await plain.handle(session, event, data)
        await after(str(data.request_id))

    subscriptions = {**worker.work.subscriptions, FAILED: replace(plain, handle=handle)}
    return Inbound("requests", worker.database, worker.work.topics, subscriptions)


async def test_two_batches_over_the_same_requests_in_opposite_order_both_go_through(
    rig: Rig, place: Place, worker: Worker
) -> None:
    low, high = sorted([(await rig.accepted(place))["id"] for _ in range(2)])
    # Keys of deliveries put the requests crosswise: the first batch meets them upwards, the second downwards.
    one, two, three, four = sorted(str(uuid4()) for _ in range(4))
    upwards = [failed(place, low, one, 1), failed(place, high, two, 2)]
    downwards = [failed(place, high, three, 3), failed(place, low, four, 4)]
    handled: dict[str, list[str]] = {"first": [], "second": []}
    other: list[asyncio.Task[None]] = []

    async def after_second(request: str) -> None:
        handled["second"].append(request)

    async def after_first(request: str) -> None:
        handled["first"].append(request)
        if not other:
            other.append(asyncio.create_task(inbound(worker, after_second).receive(downwards)))
            await eventually(stands_or_has_begun)

    async def stands_or_has_begun() -> bool:
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity "
        waits += "WHERE datname = current_database())"
        return bool(handled["second"]) or await rig.rows.fetchval(waits) > 0

    await asyncio.wait_for(inbound(worker, after_first).receive(upwards), 30)
    await asyncio.wait_for(other[0], 30)
    assert handled == {"first": [low, high], "second": [low, high]}
    parked = await rig.rows.fetch("SELECT reason FROM parked WHERE key = ANY($1)", [one, two, three, four])
    assert parked == []
    assert UUID(low) < UUID(high)

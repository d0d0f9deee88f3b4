"""The whole worker against a real broker: what is recorded is published, what arrives is applied, timers fire."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from lianhu_kit.worker import Worker
from requests_service.app import work
from requests_service.consumer import TOPICS
from requests_service.settings import Settings
from support import bearer, eventually, village
from support.beginnings import begin_now
from support.contracts import Event, check_stream
from support.requests_rig import LIMITS, Place, Rig


@pytest.fixture
async def running(requests_settings: tuple[Settings, Settings, Any], kafka: str) -> AsyncIterator[str]:
    """A worker with all its parts, for the time of a test; answers the broker's address."""
    _, settings, _ = requests_settings
    group = f"requests-{uuid4()}"
    worker = Worker(settings.model_copy(update={"kafka_bootstrap": kafka}), work(settings), group=group)
    await begin_now(kafka, group, TOPICS, worker.database)
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield kafka
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def published(kafka: str, topic: str, key: str, count: int) -> list[Event]:
    """At least so many events of a key, each checked; other tests put broken ones on the same topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    records: list[Any] = []

    async def enough() -> list[Event]:
        for batch in (await consumer.getmany(timeout_ms=300)).values():
            records.extend(record for record in batch if record.key == key.encode())
        found = list(check_stream(records))
        return found if len(found) >= count else []

    try:
        return await eventually(enough, timeout=30)
    finally:
        await consumer.stop()


async def test_an_order_from_intake_to_silence(rig: Rig, running: str) -> None:
    place = Place(village())
    admin = bearer("admin", place.code)
    settings = {"always_working": True, "confirm_seconds": 1}
    await rig.good("PUT", "/v1/org-units", admin, {"items": [{"code": place.code, "name": "村", "settings": settings}]})
    quick = {**LIMITS, "contact": {"seconds": 1}}
    service = {"tenant": place.code, "code": "tap", "name": "水", "kind": "convenience", "limits": quick}
    await rig.good("PUT", "/v1/services", admin, {"items": [service]})
    slip = await rig.order(place)
    events = await published(running, "lianhu.requests.v1", slip["id"], 3)
    assert [event.type.split(".")[2] for event in events] == ["submitted", "limit-near", "limit-passed"]
    await rig.move(place, slip, "accept", {"summary": "水龙头漏水"})

    volunteer, assignment = str(uuid4()), str(uuid4())
    common = {"request_id": slip["id"], "assignment_id": assignment, "round": 1, "places": 1, "taken": 1, "grid": None}
    claimed = {**common, "state": "claimed", "by": volunteer, "person": volunteer, "name": "义*", "via": "offer"}
    done = {
        **common, "state": "completed", "by": volunteer, "person": volunteer, "last": True, "served_person_times": 1,
        "minutes": None, "evidence": "word", "checked_in": False,
    }  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=running, acks="all")
    await producer.start()
    try:
        # The second comes before the first, and the first comes twice.
        for sequence, name, data in ((2, "completed", done), (1, "claimed", claimed), (1, "claimed", claimed)):
            headers = {
                "ce_specversion": "1.0", "ce_id": f"{assignment}-{sequence}", "ce_source": "/lianhu/dispatch",
                "ce_type": f"lianhu.dispatch.{name}.v1", "ce_subject": assignment, "ce_tenant": place.code,
                "ce_time": datetime.now(UTC).isoformat(), "ce_sequence": str(sequence),
                "content-type": "application/json",
            }  # fmt: skip
            encoded = [(key, value.encode()) for key, value in headers.items()]
            value = json.dumps(data).encode()
            await producer.send_and_wait("lianhu.dispatch.v1", value, slip["id"].encode(), headers=encoded)
    finally:
        await producer.stop()

    async def standing() -> Any:
        shown = await rig.get(place, slip)
        return shown if shown["status"] == "completed" else None

    await eventually(standing, timeout=30)
    events = await published(running, "lianhu.requests.v1", slip["id"], 8)
    assert [event.type.split(".")[2] for event in events][3:8] == [
        "accepted", "dispatch-requested", "completed", "limit-near", "limit-passed",
    ]  # fmt: skip
    # Nobody tried to reach the resident: silence alone closes nothing.
    assert (await rig.get(place, slip))["status"] == "completed"
    assert all(event.headers["ce_tenant"] == place.code for event in events)

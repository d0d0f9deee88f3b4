"""From the outbox to `published`, beside a bare producer that sends the same bytes."""

import asyncio
import json
import statistics
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from bench.house import House
from bench.ratios import Ratio, interleaved, median_ratio
from lianhu_kit.database import Database
from lianhu_kit.envelope import encode
from lianhu_kit.outbox import shard_of
from lianhu_kit.relay import Relay
from requests_service.settings import Settings
from support import village

EVENTS = 4000
AT_ONCE = 500
TOPIC = "lianhu.requests.v1"
COLUMNS = (
    "id", "aggregatetype", "aggregateid", "shard", "type", "subject", "payload", "sequence", "tenant", "time",
    "traceparent", "causationid",
)  # fmt: skip


def rows(count: int) -> list[dict[str, Any]]:
    """Outbox rows of as many requests, as the intake writes them."""
    place, now, made = village(), datetime.now(UTC), []
    for _ in range(count):
        key = str(uuid4())
        data = {
            "request_id": key, "status": "submitted", "by": str(uuid4()), "number": "12345678", "service": "tap",
            "kind": "convenience", "grid": None, "household": None, "channel": "desk", "reporter": str(uuid4()),
            "resident": None, "guardian": False, "minor": False, "served_kind": "adult", "served_id": str(uuid4()),
            "public": False, "urgent": False, "confirm_seconds": 7200,
            "limits": {"contact": now.isoformat(), "finish": now.isoformat()},
        }  # fmt: skip
        values = (
            uuid4(), TOPIC, key, shard_of(key), "lianhu.request.submitted.v1", key, json.dumps(data), 1, place, now,
            f"00-{uuid4().hex}-{uuid4().hex[:16]}-01", str(uuid4()),
        )  # fmt: skip
        made.append(dict(zip(COLUMNS, values, strict=True)))
    return made


async def measure(house: House, rounds: int) -> list[Ratio]:
    """So many events each way, in turns; what is sent is made before the clock starts."""
    urls = await house.database("requests")
    told = house.environment("requests", "worker", urls.worker)
    settings = Settings.model_validate(
        {name: told[f"REQUESTS_{name.upper()}"] for name in ("database_url",)}
        | {"kafka_bootstrap": house.kafka.bootstrap, "auth_jwks": str(house.keys)}
    )
    database = Database(urls.worker, application_name="bench-relay")
    relay = Relay(settings, database)
    owner = await house.connect(urls.owner)
    bare = AIOKafkaProducer(bootstrap_servers=house.kafka.bootstrap, acks="all", max_batch_size=262_144)
    await bare.start()

    async def ours() -> float:
        given = rows(EVENTS)
        records = [tuple(row.values()) for row in given]
        await owner.copy_records_to_table("outbox", records=records, columns=list(COLUMNS))
        began, moved = time.perf_counter(), 0
        while moved < EVENTS:
            moved += await relay.step()
        return EVENTS / (time.perf_counter() - began)

    async def floor() -> float:
        encoded: list[tuple[Any, bytes, bytes | None]] = [encode(row, relay.source) for row in rows(EVENTS)]
        began = time.perf_counter()
        for first in range(0, EVENTS, AT_ONCE):
            sent = [
                await bare.send(TOPIC, value=value, key=key, headers=headers)
                for headers, key, value in encoded[first : first + AT_ONCE]
            ]
            await asyncio.gather(*sent)
        return EVENTS / (time.perf_counter() - began)

    try:
        await ours()
        await floor()
        rates = await interleaved(rounds, {"ours": ours, "bare": floor})
    finally:
        await relay.close()
        await bare.stop()
        await database.close()
        await owner.close()
    figures = ", ".join(f"{name} {statistics.median(values):.0f}/s" for name, values in rates.items())
    return [Ratio("relay / bare producer", median_ratio(rates["ours"], rates["bare"]), 0.45, None, rounds, figures)]

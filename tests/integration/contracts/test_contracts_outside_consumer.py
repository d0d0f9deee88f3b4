"""The outside consumer of docs/integration.md, run as it stands against a real broker, killed and started again."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from sqlalchemy import RowMapping

from lianhu_kit.context import new_traceparent
from lianhu_kit.envelope import encode
from lianhu_kit.identifiers import new_id
from support import eventually, village
from support.contracts import check
from support.declared import schemas

PAGE = Path(__file__).parents[3] / "docs" / "integration.md"
TOPIC = "lianhu.requests.v1"
TYPES = [f"lianhu.request.{name}.v1" for name in ("submitted", "accepted", "completed", "confirmed", "closed")]


def snippet() -> str:
    """The page's lines of Python."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def sample(type: str, request: str, tenant: str, sequence: int) -> RowMapping:
    """An outbox row with the type's example, about a request of this test."""
    data = schemas()[type]["examples"][0] | {"request_id": request}
    data |= {"grid": None} if "grid" in data else {}
    columns: dict[str, Any] = {
        "id": new_id(), "type": type, "subject": request, "time": datetime.now(UTC), "tenant": tenant,
        "sequence": sequence, "aggregateid": request, "traceparent": new_traceparent(),
        "causationid": str(uuid4()), "payload": json.dumps(data),
    }  # fmt: skip
    return cast("RowMapping", columns)


def send(bootstrap: str, topic: str, rows: list[RowMapping]) -> None:
    """Sends the rows as the relay does, and waits until the broker has them."""
    failures: list[KafkaError] = []

    def delivered(fault: KafkaError | None, _: object) -> None:
        if fault is not None:
            failures.append(fault)

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for row in rows:
        headers, key, value = encode(row, "/lianhu/requests")
        producer.produce(topic, value, key, headers=dict(headers), on_delivery=delivered)
    assert producer.flush(20) == 0
    assert failures == []


@contextmanager
def running(code: str, bootstrap: str, folder: Path) -> Iterator[None]:
    """The consumer as a process of its own; killed at the end without a chance to tidy up."""
    environment = {**os.environ, "LIANHU_KAFKA_BOOTSTRAP": bootstrap}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=environment)
    try:
        yield
        assert process.poll() is None, "the consumer ended by itself"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def kept(folder: Path) -> list[tuple[str, str, str, str]]:
    """What it has stored: id, type, subject, tenant."""
    if not (folder / "events.db").exists():
        return []
    with sqlite3.connect(folder / "events.db") as store:
        try:
            return store.execute("SELECT id, type, subject, tenant FROM event ORDER BY rowid").fetchall()
        except sqlite3.OperationalError:
            return []


async def test_it_keeps_every_event_once_though_it_is_killed(kafka: str, tmp_path: Path) -> None:
    # A topic of its own, since other tests put all kinds of records on the real one.
    topic = f"{TOPIC}.outside-{uuid4().hex[:8]}"
    code = snippet().replace(f'"{TOPIC}"', f'"{topic}"')
    # The group notices a killed member by its silence: 6 s of it rather than the default of 45.
    code = code.replace("False}", 'False, "session.timeout.ms": 6000}')
    assert topic in code
    assert "6000" in code
    administration = AdminClient({"bootstrap.servers": kafka})
    administration.create_topics([NewTopic(topic, 12, 1)])[topic].result(20)
    tenant, one, other = village(), str(new_id()), str(new_id())
    first = [sample(type, one, tenant, number) for number, type in enumerate(TYPES[:3], 1)]
    later = [sample(type, one, tenant, number) for number, type in enumerate(TYPES[3:], 4)]
    later += [sample(TYPES[0], other, tenant, 1)]

    def stored_of(request: str) -> list[tuple[str, str]]:
        return [(id, type) for id, type, subject, place in kept(tmp_path) if (subject, place) == (request, tenant)]

    def expected(rows: list[RowMapping], request: str) -> list[tuple[str, str]]:
        return [(str(row["id"]), row["type"]) for row in rows if row["subject"] == request]

    async def has_all() -> bool:
        return len(kept(tmp_path)) >= expecting

    send(kafka, topic, first)
    expecting = len(first)
    with running(code, kafka, tmp_path):
        await eventually(has_all, timeout=60)
    send(kafka, topic, [*first, *later])  # the first ones come again, as after a refill
    expecting = len(first) + len(later)
    with running(code, kafka, tmp_path):
        await eventually(has_all, timeout=60)
    assert stored_of(one) == expected([*first, *later], one)
    assert stored_of(other) == expected(later, other)
    assert len(kept(tmp_path)) == len(first) + len(later)


async def test_the_samples_keep_the_contract() -> None:
    """What the consumer above is fed is what the services may send."""

    class Sent:
        def __init__(self, row: RowMapping) -> None:
            self.headers, self.key, self.value = encode(row, "/lianhu/requests")
            self.topic = TOPIC

    request, tenant = str(new_id()), village()
    for number, type in enumerate(TYPES, 1):
        assert check(Sent(sample(type, request, tenant, number))).type == type

"""Events that the harness itself puts on the topics: those that were there before, again, and those nobody can read."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import Message

from chaos.witness import TOPICS
from lianhu_tools.looks.databases import ask
from lianhu_tools.topology import SERVICES
from support.system import System, headers_of

Headers = list[tuple[str, bytes]]
NOWHERE = "999999999999"
SOURCE = TOPICS[0]
READERS = SERVICES[1:]  # requests does not read its own topic


class Bad(NamedTuple):
    """An event that must be set apart, or wait, or be refused."""

    name: str
    key: str
    value: bytes
    headers: Headers


async def redeliver(system: System, tenant: str, dice: random.Random) -> int:
    """Sends a village's events again, byte for byte, in any order across topics; how many there were."""
    messages: list[Message] = await asyncio.to_thread(system.events, TOPICS)
    own = [message for message in messages if headers_of(message).get("ce_tenant") == tenant]
    dice.shuffle(own)
    async with AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all") as producer:
        for message in own:
            given: Any = message.headers()
            await producer.send(message.topic(), value=message.value(), key=message.key(), headers=list(given))
        await producer.flush()
    return len(own)


def bad_events(dice: random.Random) -> Iterator[Bad]:
    """One of each kind, each under a key of its own."""

    def made(name: str, *, value: bytes | None = None, sequence: int = 1, **changes: str) -> Bad:
        key, id = (str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(2))
        headers = {
            "content-type": "application/json", "ce_specversion": "1.0", "ce_id": id, "ce_source": "/lianhu/requests",
            "ce_type": "lianhu.request.withdrawn.v1", "ce_subject": key, "ce_time": "2026-01-01T00:00:00Z",
            "ce_dataschema": "urn:lianhu:schema:lianhu.request.withdrawn.v1", "ce_tenant": NOWHERE,
            "ce_sequence": str(sequence), "ce_partitionkey": key, "ce_causationid": id,
            "ce_traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            **changes,
        }  # fmt: skip
        good = json.dumps({"request_id": key, "status": "withdrawn", "by": None}).encode()
        encoded = [(header, content.encode()) for header, content in headers.items()]
        return Bad(name, key, good if value is None else value, encoded)

    yield made("bad JSON", value=b'{"request_id": ')
    yield made("wrong shape", value=b'{"request_id": 7, "status": []}')
    yield made("unknown type", ce_type="lianhu.request.sung.v1")
    yield made("unknown major version", ce_type="lianhu.request.withdrawn.v9")
    yield made("5 MB", value=b'"' + b"x" * 5_000_000 + b'"')
    yield made("a village that does not exist")
    yield made("a gap in a sequence", sequence=7)


async def poison(system: System, dice: random.Random) -> str:
    """Sends one of each kind; says what the broker refused and what each service set apart or lets wait."""
    bad = list(bad_events(dice))
    refused: list[str] = []
    async with AIOKafkaProducer(
        bootstrap_servers=system.bootstrap, acks="all", max_request_size=16_000_000
    ) as producer:
        for each in bad:
            try:
                await producer.send_and_wait(SOURCE, each.value, key=each.key.encode(), headers=each.headers)
            except KafkaError as error:
                refused.append(f"{each.name} ({type(error).__name__})")
    counted = ""
    for _ in range(60):
        parts = [await _set_apart(system, service, [each.key for each in bad]) for service in READERS]
        counted = "; ".join(parts)
        if all("gap" in part for part in parts):
            break
        await asyncio.sleep(0.5)
    return f"{len(bad)} bad events; the broker refused {', '.join(refused) or 'none'}; {counted}"


async def _set_apart(system: System, service: str, keys: list[str]) -> str:
    parked = "SELECT count(*) FROM parked WHERE key = ANY($1)"
    waiting = "SELECT count(*) FROM waiting WHERE key = ANY($1)"
    own = await ask(system.topology, service, parked, keys)
    gaps = await ask(system.topology, service, waiting, keys)
    return f"{service} parked {own}" + (f", {gaps} wait behind the gap" if gaps else "")

"""Topics: made as the contract's file declares them, before any service starts."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, TopicAlreadyExistsError, for_code

from lianhu_tools.faults import Fault


@dataclass(frozen=True)
class Topic:
    """One declared topic. Retention in milliseconds, -1 for ever; `planned`: nobody writes to it yet."""

    name: str
    owner: str
    partitions: int
    cleanup: str
    retention_ms: int
    tombstone_ms: int | None
    key: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    planned: bool

    def settings(self) -> dict[str, str]:
        """The topic's settings in Kafka's own words.

        Times are the broker's: by the writer's, one whose clock is over an hour ahead could send nothing at all
        (message.timestamp.after.max.ms), and any writer could decide how long its events are kept.
        """
        settings = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "LogAppendTime",
        }
        if self.tombstone_ms is not None:
            settings["delete.retention.ms"] = str(self.tombstone_ms)
        return settings


def declared(file: Path) -> list[Topic]:
    """The topics of `shared/contracts/topics.yaml`, in its order."""
    with file.open(encoding="utf-8") as source:
        rows: list[dict[str, Any]] = yaml.safe_load(source)["topics"]
    return [
        Topic(
            name=row["name"],
            owner=row["owner"],
            partitions=row["partitions"],
            cleanup=row["cleanup"],
            retention_ms=row["retention_ms"],
            tombstone_ms=row.get("tombstone_ms"),
            key=row["key"],
            writers=tuple(row["writers"]),
            readers=tuple(row["readers"]),
            planned=row.get("planned", False),
        )
        for row in rows
    ]


async def create(
    bootstrap: str,
    topics: list[Topic],
    *,
    seconds: float = 60,
    replicas: int = 1,
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """Makes what is missing and sets every declared setting anew, waiting for the broker if need be.

    `options` are the client's further ones, as `lianhu_kit.kafka.access` answers them. `replicas` is how many brokers
    shall hold a new topic; of three, two then have to acknowledge every event. Answers the names of the topics that
    were new. Raises Fault when the broker does not come or refuses.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout(10):
                return await _create({"bootstrap_servers": bootstrap, **(options or {})}, topics, replicas)
        except (KafkaError, OSError, TimeoutError, AttributeError) as error:
            # aiokafka 0.14 stumbles (AttributeError) over a broker that does not know its controller yet.
            if asyncio.get_running_loop().time() > deadline:
                raise Fault(f"the broker at {bootstrap} did not make the topics: {error!r}") from error
            await asyncio.sleep(0.1)


async def _create(options: Mapping[str, Any], topics: list[Topic], replicas: int) -> list[str]:
    admin = AIOKafkaAdminClient(request_timeout_ms=9000, **options)
    try:
        await admin.start()
        kept = {"min.insync.replicas": str(replicas - 1)} if replicas > 1 else {}
        wanted = [
            NewTopic(each.name, each.partitions, replicas, topic_configs={**each.settings(), **kept}) for each in topics
        ]
        answer = await admin.create_topics(wanted)
        new = []
        for name, code, *_ in answer.topic_errors:
            if code == 0:
                new.append(name)
            elif code != TopicAlreadyExistsError.errno:
                raise for_code(code)(name)
        kind = ConfigResourceType.TOPIC
        old = [ConfigResource(kind, each.name, {**each.settings(), **kept}) for each in topics if each.name not in new]
        if old:
            with suppress(IncompatibleBrokerVersion):  # tansu has no settings to alter
                await admin.alter_configs(old)
        return new
    finally:
        await admin.close()

"""The contracts as shared/contracts declares them: topics by name, schemas by event type."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CONTRACTS = Path(__file__).parents[2] / "shared" / "contracts"

Schema = dict[str, Any]


@dataclass(frozen=True)
class Topic:
    """A topic as topics.yaml declares it."""

    name: str
    owner: str
    partitions: int
    cleanup: str
    retention_ms: int
    why: str
    key: str
    subject: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    types: tuple[str, ...]
    tombstone_ms: int | None = None
    planned: bool = False

    @property
    def compacted(self) -> bool:
        """Whether only the latest event of a key is sure to stay."""
        return self.cleanup == "compact"


@cache
def topics() -> dict[str, Topic]:
    """The declared topics by name."""
    declared = yaml.safe_load((CONTRACTS / "topics.yaml").read_text("utf-8"))["topics"]
    lists = ("writers", "readers", "types")
    return {row["name"]: Topic(**{**row, **{name: tuple(row[name]) for name in lists}}) for row in declared}


@cache
def schemas() -> dict[str, Schema]:
    """The schema of each event type."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((CONTRACTS / "events").glob("*.json"))}


def topic_of(type: str) -> Topic:
    """The one topic that carries a type; KeyError with a remedy where none does."""
    for topic in topics().values():
        if type in topic.types:
            return topic
    raise KeyError(f"no topic carries {type}: declare it under `types` in shared/contracts/topics.yaml")


def closed(schema: Schema) -> Schema:
    """The schema as our own events must meet it: no property, and no known word, beyond those it names."""
    shut: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            shut[name] = {key: closed(inner) for key, inner in value.items()}
        else:
            shut[name] = closed(value) if name == "items" else value
    if "properties" in shut:
        shut.setdefault("additionalProperties", False)
    if "x-known" in shut:
        shut["enum"] = shut["x-known"]
    return shut

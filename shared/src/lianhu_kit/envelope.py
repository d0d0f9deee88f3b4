"""Events on Kafka: CloudEvents 1.0, sent in binary content mode, read in binary and structured mode."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from sqlalchemy import RowMapping

_FORMAT = JSONFormat()


class Undecodable(Exception):
    """A record that is no CloudEvent with a JSON object as its data; the message says what is wrong."""


@dataclass(frozen=True)
class ReceivedEvent:
    """One event as a consumer sees it. `sequence` is None where the sender counts nothing."""

    topic: str
    key: str
    id: str
    type: str
    source: str
    subject: str
    time: datetime
    tenant: str
    sequence: int | None
    data: dict[str, Any]
    causation: str | None = None
    traceparent: str | None = None
    deleted: bool = False

    def stored(self) -> dict[str, Any]:
        """As a JSON object for the tables that keep events."""
        return {**asdict(self), "time": self.time.isoformat()}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "ReceivedEvent":
        """The event that `stored` gave."""
        return cls(**{**stored, "time": datetime.fromisoformat(stored["time"])})


def schema_of(type: str) -> str:
    """The `dataschema` of an event type."""
    return f"urn:lianhu:schema:{type}"


def encode(row: RowMapping, source: str) -> tuple[list[tuple[str, bytes]], bytes, bytes | None]:
    """Headers, key and value of an outbox row. A row without payload is a tombstone: a null value."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(row["id"]),
        "source": source,
        "type": row["type"],
        "subject": row["subject"],
        "time": row["time"],
        "datacontenttype": "application/json",
        "dataschema": schema_of(row["type"]),
        "tenant": row["tenant"],
        "sequence": str(row["sequence"]),
        "partitionkey": row["aggregateid"],
        "traceparent": row["traceparent"],
        "causationid": row["causationid"],
    }
    message = to_binary(CloudEvent(attributes, row["payload"]), _FORMAT)
    value = None if row["payload"] is None else message.value
    return list(message.headers.items()), row["aggregateid"].encode(), value


def decode(topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> ReceivedEvent:
    """Reads a record; Undecodable where it is no CloudEvent with an object as data."""
    try:
        event = from_kafka(KafkaMessage(dict(headers), key, value or b"{}"), _FORMAT, CloudEvent)
    except (
        CloudEventValidationError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        UnicodeDecodeError,
    ) as error:
        raise Undecodable(f"no CloudEvent: {type(error).__name__}") from None
    data = event.get_data()
    if not isinstance(data, dict):
        raise Undecodable("the data is no JSON object")
    sequence = event.get_extension("sequence")
    if sequence is not None and not (str(sequence).isascii() and str(sequence).isdigit()):
        raise Undecodable("the sequence is no decimal number")
    time = event.get_time()
    if time is None or time.tzinfo is None:
        raise Undecodable("the time is missing or has no offset")
    return ReceivedEvent(
        topic=topic,
        key=str(event.get_extension("partitionkey") or ""),
        id=event.get_id(),
        type=event.get_type(),
        source=event.get_source(),
        subject=event.get_subject() or "",
        time=time,
        tenant=str(event.get_extension("tenant") or ""),
        sequence=None if sequence is None else int(sequence),
        data=data,
        causation=event.get_extension("causationid"),
        traceparent=event.get_extension("traceparent"),
        deleted=value is None,
    )

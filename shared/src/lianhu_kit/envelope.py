"""Events on Kafka: CloudEvents 1.0, sent in binary content mode, read in binary and structured mode."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

_FORMAT = JSONFormat()
LONGEST_KEY = 500  # characters; an index entry of PostgreSQL holds 2,704 bytes
_JSON = b"application/json"
# What `_plain` reads, and all that `encode` writes.
_READ = (
    "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_tenant", "ce_sequence", "ce_traceparent",
    "ce_causationid", "ce_dataschema", "ce_partitionkey",
)  # fmt: skip
_NAMES = {*_READ, "ce_specversion", "content-type"}
# A NUL, or a number that may be over 64 bits: whether it can be stored needs a closer look.
_NUL = b"\\u0000"
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 18


class Undecodable(Exception):
    """A record that is no CloudEvent with a JSON object as its data; the message says what is wrong."""


@dataclass(frozen=True)
class Record:
    """A Kafka record, as the consumer hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


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


@lru_cache(maxsize=1024)
def _kind(type: str) -> tuple[bytes, bytes]:
    """A type and its `dataschema`, as headers: there are some dozens."""
    return type.encode(), schema_of(type).encode()


def encode(row: Mapping[Any, Any], source: str) -> tuple[list[tuple[str, bytes]], bytes, bytes | None]:
    """Headers, key and value of an outbox row. A row without payload is a tombstone: a null value.

    Written by hand, as the library's checks cost more than the sending: a test reads what goes out with the library.
    ValueError where it would be no CloudEvent.
    """
    type, subject, key, payload = row["type"], row["subject"], row["aggregateid"].encode(), row["payload"]
    if not (type and subject and key and source):
        raise ValueError("a CloudEvent has a type, a subject, a key and a source")
    time: str = row["time"].isoformat()
    named, schema = _kind(type)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(row["id"]).encode()),
        ("ce_source", source.encode()),
        ("ce_type", named),
        ("ce_subject", subject.encode()),
        ("ce_time", (f"{time[:-6]}Z" if time.endswith("+00:00") else time).encode()),
        ("content-type", _JSON),
        ("ce_dataschema", schema),
        ("ce_tenant", row["tenant"].encode()),
        ("ce_sequence", str(row["sequence"]).encode()),
        ("ce_partitionkey", key),
        ("ce_traceparent", row["traceparent"].encode()),
        ("ce_causationid", row["causationid"].encode()),
    ]
    return headers, key, None if payload is None else payload.encode()


def decode(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> ReceivedEvent:
    """Reads a record; Undecodable where it is no CloudEvent with an object as data, or where it cannot be stored."""
    given = list(headers)
    plain = _plain(topic, key, value, given) if key and value else None
    return plain if plain is not None else _decode_any(topic, key, value, given)


def _plain(topic: str, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes | None]]) -> ReceivedEvent | None:
    """The short way for a record just as `encode` writes it; None for any other: the library reads that one."""
    given = dict(headers)
    if (
        given.keys() != _NAMES
        or len(headers) != len(_NAMES)
        or given["ce_specversion"] != b"1.0"
        or given["content-type"] != _JSON
        or not all(given.values())
        or _NUL in value
        or _LONG_NUMBER in value.translate(_DIGITS)
        or value.count(b"{") + value.count(b"[") > 100
    ):
        return None
    try:
        read = key.decode()
        texts = [(given[name] or b"").decode() for name in _READ]
        id, source, type, subject, time, tenant, sequence, traceparent, causation, _, _ = texts
        data = orjson.loads(value)
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    if (
        not isinstance(data, dict)
        or moment.tzinfo is None
        or len(read) > LONGEST_KEY
        or len(id) > LONGEST_KEY
        or "\x00" in "".join((read, *texts))
    ):
        return None
    return ReceivedEvent(
        topic, read, id, type, source, subject, moment, tenant, _counted(sequence), data, causation, traceparent
    )


def _decode_any(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> ReceivedEvent:
    try:
        given = {name: text or b"" for name, text in headers}
        event = from_kafka(KafkaMessage(given, key, b"{}" if value is None else value), _FORMAT, _whole)
    except Undecodable:
        raise
    except Exception as error:  # whatever outsiders send: the library's parsers raise many kinds
        raise Undecodable(f"no CloudEvent: {type(error).__name__}") from None
    data = event.get_data()
    if not isinstance(data, dict):
        raise Undecodable("the data is no JSON object")
    time = event.get_time()
    if time is None or time.tzinfo is None:
        raise Undecodable("the time has no offset")
    sequence = event.get_extension("sequence")
    received = ReceivedEvent(
        topic=topic,
        key=_text(event.get_extension("partitionkey")) or "",
        id=str(event.get_id()),
        type=str(event.get_type()),
        source=str(event.get_source()),
        subject=_text(event.get_subject()) or "",
        time=time,
        tenant=_text(event.get_extension("tenant")) or "",
        sequence=None if sequence is None else _counted(str(sequence)),
        data=data,
        causation=_text(event.get_extension("causationid")),
        traceparent=_text(event.get_extension("traceparent")),
        deleted=value is None,
    )
    if received.sequence is not None and not received.key:
        raise Undecodable("it carries a sequence and no key that the sequence belongs to")
    if max(len(received.key), len(received.id)) > LONGEST_KEY:
        raise Undecodable(f"its key or id is over {LONGEST_KEY} characters")
    _check_storable(received)
    return received


def _whole(attributes: dict[str, Any], data: Any) -> CloudEvent:
    """The library would make up a missing id and time: the same record would be another event at each reading."""
    missing = [name for name in ("specversion", "id", "source", "type", "time") if not attributes.get(name)]
    if missing:
        raise Undecodable(f"no CloudEvent: {', '.join(missing)} missing")
    return CloudEvent(attributes, data)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _counted(sequence: str) -> int:
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 19 and int(sequence) > 0):
        raise Undecodable("the sequence is no decimal number from 1 on")
    return int(sequence)


def _check_storable(event: ReceivedEvent) -> None:
    """PostgreSQL stores neither NUL nor halves of surrogate pairs, JSON numbers are kept to 64 bits."""
    texts = (event.key, event.id, event.type, event.source, event.subject, event.tenant, event.causation)
    try:
        stored = orjson.dumps([*texts, event.traceparent, event.data])
    except TypeError:
        raise Undecodable("it holds half a surrogate pair, a number over 64 bits or too deep a nesting") from None
    if b"\\u0000" in stored and _holds_nul([*texts, event.traceparent, event.data]):
        raise Undecodable("it holds the character NUL")


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_holds_nul, value))

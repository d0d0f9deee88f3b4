"""Events as they are set apart for an operator: what could not be read, and what stands behind it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from pydantic import ValidationError

from lianhu_kit.envelope import LONGEST_KEY, ReceivedEvent, Record, Undecodable, decode

# What takes the place of a dropped event, so that its sequence is passed by in its turn. Nobody subscribes to it.
DROPPED = "lianhu.kit.dropped.v1"
BEHIND = "an earlier event of this key is parked"
MISSING = "its prerequisite is missing, and without a sequence it cannot wait"
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Parked:
    """An event that was set apart; `place` is unique, so that parking it twice is parking it once.

    A readable event is kept as `stored` in `value`; any other as it came, byte for byte, in `value`, `raw_key` and
    `raw_headers`, with what its headers say in words. `key` and `sequence` are empty where it stands alone.
    """

    place: str
    topic: str
    key: str
    sequence: int | None
    event_id: str | None
    type: str | None
    tenant: str
    headers: dict[str, str]
    value: bytes | None
    at_partition: int | None = None
    at_offset: int | None = None
    raw_key: bytes | None = None
    raw_headers: bytes | None = None


def reason_of(error: Exception) -> str:
    """Why an event was parked, without any value of it."""
    if isinstance(error, ValidationError):
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        return "wrong shape: " + "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:5])
    return str(error)


def of_event(event: ReceivedEvent) -> Parked:
    """A numbered event as it is set apart: `stored` as its value, no headers."""
    return Parked(
        place=f"{event.topic}/{event.key}/{event.sequence}",
        topic=event.topic,
        key=event.key,
        sequence=event.sequence,
        event_id=event.id,
        type=event.type,
        tenant=event.tenant,
        headers={},
        value=orjson.dumps(event.stored()),
    )


def of_record(record: Record) -> Parked:
    """A record as it is set apart: as the event that it holds, or as it came where it holds none that counts."""
    try:
        event = decode(record.topic, record.key, record.value, record.headers)
    except Undecodable:
        return _of_unread(record)
    if event.sequence is None:
        return _of_unread(record)
    return replace(of_event(event), at_partition=record.partition, at_offset=record.offset)


def readable(parked: Parked) -> ReceivedEvent:
    """The event that was set apart, read anew by this release; Undecodable where it is none, or now says another place.

    Rows of the first releases kept what was unreadable by its headers' words alone: these are read as well as they go.
    """
    if parked.raw_headers is None and not parked.headers:
        try:
            return ReceivedEvent.from_stored(orjson.loads(parked.value or b""))
        except (ValueError, TypeError, KeyError):
            raise Undecodable("it was kept without what it takes to read it") from None
    headers = unpacked(parked.raw_headers) if parked.raw_headers is not None else _in_words(parked.headers)
    key = parked.raw_key if parked.raw_headers is not None else parked.key.encode()
    event = decode(parked.topic, key, parked.value, headers)
    if parked.key and (event.key, event.sequence) != (parked.key, parked.sequence):
        raise Undecodable("its content says another key or sequence than its headers")
    return event


def stub_of(parked: Parked, dropped_at: datetime) -> ReceivedEvent:
    """What stands in the place of an event that was dropped: its sequence, and nothing to do."""
    return ReceivedEvent(
        topic=parked.topic,
        key=parked.key,
        id=parked.event_id or parked.place,
        type=DROPPED,
        source="/lianhu/kit",
        subject=parked.key,
        time=dropped_at,
        tenant=parked.tenant,
        sequence=parked.sequence,
        data={},
    )


def packed(headers: Headers) -> bytes:
    """Headers as they came, whatever their bytes, in one value that a database keeps."""
    return orjson.dumps([[_ascii(name.encode(errors="surrogatepass")), _ascii(value)] for name, value in headers])


def unpacked(kept: bytes) -> list[tuple[str, bytes | None]]:
    """The headers that `packed` was given."""
    return [
        (base64.b64decode(name).decode(errors="surrogatepass"), None if value is None else base64.b64decode(value))
        for name, value in orjson.loads(kept)
    ]


def _ascii(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _in_words(headers: dict[str, str]) -> list[tuple[str, bytes | None]]:
    return [(name, value.encode()) for name, value in headers.items()]


def _clean(value: bytes | None) -> str:
    """Bytes as a text that PostgreSQL stores."""
    return (value or b"").decode(errors="replace").replace("\x00", "\ufffd")


def _of_unread(record: Record) -> Parked:
    """With what its headers say; where they say key and sequence, later events of the key stay behind it."""
    headers = {_clean(name.encode(errors="replace")): _clean(value) for name, value in record.headers}
    key = _clean(record.key)
    if key.encode() != record.key or len(key) > LONGEST_KEY:
        key = ""  # not a key that any good event could have
    sequence = headers.get("ce_sequence", "").lstrip("0")
    numbered = bool(key) and sequence.isascii() and sequence.isdigit() and len(sequence) < 19
    return Parked(
        place=f"{record.topic}/{key}/{sequence}" if numbered else f"{record.topic}/{record.partition}/{record.offset}",
        topic=record.topic,
        key=key if numbered else "",
        sequence=int(sequence) if numbered else None,
        event_id=headers.get("ce_id"),
        type=headers.get("ce_type"),
        tenant=headers.get("ce_tenant", ""),
        headers=headers,
        value=record.value,
        at_partition=record.partition,
        at_offset=record.offset,
        raw_key=record.key,
        raw_headers=packed(record.headers),
    )

"""Events as they are set apart for an operator: what could not be read, and what stands behind it."""

import orjson
from pydantic import ValidationError

from lianhu_kit.envelope import LONGEST_KEY, ReceivedEvent, Record, Undecodable, decode
from lianhu_kit.ledger import Parked


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


def _clean(value: bytes | None) -> str:
    """Bytes as a text that PostgreSQL stores."""
    return (value or b"").decode(errors="replace").replace("\x00", "\ufffd")


def of_record(record: Record) -> Parked:
    """A record as it is set apart: as the event that it holds, or as it came where it holds none that counts."""
    try:
        event = decode(record.topic, record.key, record.value, record.headers)
    except Undecodable:
        return _of_unread(record)
    return of_event(event) if event.sequence is not None else _of_unread(record)


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
    )

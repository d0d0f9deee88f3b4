"""Every event that anybody sees, held against the contracts in shared/contracts.

`check(record)` takes a record as aiokafka or confluent-kafka hands it out, `check_outgoing(event)` one that
goes into an outbox, `check_stream(records)` whole topics, with sequences and ids. All raise `Broken`, which
lists every fault. They are strict where readers are tolerant: a property or a value that the schema does not
name is a fault in an event of our own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from lianhu_kit.divisions import level_of
from lianhu_kit.outbox import OutgoingEvent
from support.declared import Schema, Topic, closed, schemas, topics
from support.personal import personal_data

ATTRIBUTES = (
    "specversion", "id", "source", "type", "subject", "time", "dataschema",
    "tenant", "sequence", "partitionkey", "traceparent", "causationid",
)  # fmt: skip
HEADERS = {f"ce_{name}" for name in ATTRIBUTES} | {"content-type"}
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Broken(AssertionError):
    """An event breaks its contract; the message names the event and every fault."""


@cache
def _validator(type: str) -> Draft202012Validator:
    return Draft202012Validator(closed(schemas()[type]), format_checker=FormatChecker())


def data_faults(type: str, data: object) -> list[str]:
    """What is wrong with an event's data: the schema's faults, and personal data in any string."""
    if type not in schemas():
        return [f"no schema shared/contracts/events/{type}.json"]
    faults = [f"data{error.json_path[1:]}: {error.message}" for error in _validator(type).iter_errors(data)]
    return faults + [f"data{path}: looks like {kind}" for path, kind in personal_data(data)]


def _filled(template: str, data: Mapping[str, Any]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(data.get(found[1])), template)


def _tenant_faults(schema: Schema, tenant: str, data: Mapping[str, Any]) -> Iterator[str]:
    if "x-tenant" in schema:
        if tenant != _filled(schema["x-tenant"], data):
            yield f"tenant {tenant}: on this topic it is {schema['x-tenant']} of the data"
        return
    if not re.fullmatch("[0-9]{12}", tenant):
        yield f"tenant {tenant!r}: it is a village, 12 digits"


def _place_faults(topic: Topic, type: str, key: str, subject: str, tenant: str, data: Any) -> Iterator[str]:
    """Faults of where an event lies: topic, key, subject, tenant."""
    if type not in topic.types:
        yield f"type {type}: {topic.name} does not carry it"
    try:
        level_of(tenant)
    except ValueError as error:
        yield f"tenant: {error}"
    schema = schemas().get(type)
    if schema is None or not isinstance(data, dict):
        return
    if key != (right := _filled(schema["x-key"], data)):
        yield f"key {key}: the data ask for {right} ({schema['x-key']})"
    if subject != (right := _filled(schema["x-subject"], data)):
        yield f"subject {subject}: the data ask for {right} ({schema['x-subject']})"
    yield from _tenant_faults(schema, tenant, data)
    grid = data.get("grid")
    if isinstance(grid, str) and not grid.startswith(tenant):
        yield f"grid {grid}: it lies outside the tenant {tenant}"


def _attribute_faults(topic: Topic, key: str, headers: Mapping[str, str]) -> Iterator[str]:
    """Faults of the CloudEvents attributes themselves."""
    for name in sorted(HEADERS ^ set(headers)):
        yield f"header {name}: " + ("missing" if name in HEADERS else "no header of the contract")
    wanted = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_source": f"/lianhu/{topic.owner}",
        "ce_partitionkey": key,
        "ce_dataschema": f"urn:lianhu:schema:{headers.get('ce_type')}",
    }
    for name, right in wanted.items():
        if headers.get(name, right) != right:
            yield f"header {name}: {headers[name]!r} in place of {right!r}"
    shapes = {
        "ce_time": (_RFC3339, "RFC 3339 with offset"),
        "ce_sequence": (re.compile(r"[1-9]\d*", re.ASCII), "1, 2, 3 … as a decimal string"),
        "ce_traceparent": (_TRACEPARENT, "a W3C traceparent"),
        "ce_causationid": (re.compile(r"\S{1,200}"), "the id of an event or a call"),
    }
    for name, (shape, words) in shapes.items():
        if name in headers and not shape.fullmatch(headers[name]):
            yield f"header {name}: {headers[name]!r} is not {words}"
    yield from _parsed_faults(headers)


def _parsed_faults(headers: Mapping[str, str]) -> Iterator[str]:
    try:
        UUID(headers.get("ce_id", str(UUID(int=0))))
    except ValueError:
        yield f"header ce_id: {headers['ce_id']!r} is no UUID"
    try:
        datetime.fromisoformat(headers.get("ce_time", "2026-01-01T00:00:00Z"))
    except ValueError:
        yield f"header ce_time: {headers['ce_time']!r} is no time that exists"


@dataclass(frozen=True)
class Event:
    """A record whose envelope was read; `data` is None for a tombstone."""

    topic: str
    key: str
    headers: Mapping[str, str]
    data: Any

    @property
    def type(self) -> str:
        """The full event type."""
        return self.headers.get("ce_type", "")

    @property
    def sequence(self) -> int:
        """The place in the topic's line of this key."""
        return int(self.headers["ce_sequence"])

    @property
    def id(self) -> str:
        """What deduplicates."""
        return self.headers["ce_id"]


def _read(record: Any) -> Event:
    """An aiokafka record has fields where confluent-kafka's message has methods of the same names."""

    def of(name: str) -> Any:
        value = getattr(record, name)
        return value() if callable(value) else value

    headers = list(of("headers") or ())
    names = [name for name, _ in headers]
    if len(set(names)) != len(names):
        raise Broken(f"{of('topic')}: a header stands there twice: {names}")
    if of("key") is None:
        raise Broken(f"{of('topic')}: a record without key")
    try:
        texts = {name: value.decode() for name, value in headers}
        data = None if of("value") is None else json.loads(of("value"))
        return Event(of("topic"), of("key").decode(), texts, data)
    except (ValueError, AttributeError) as error:
        raise Broken(f"{of('topic')}: no UTF-8 headers with a JSON value: {error}") from None


def check(record: Any) -> Event:
    """The event of a Kafka record that keeps its whole contract; Broken names every fault otherwise."""
    event = _read(record)
    if event.topic not in topics():
        raise Broken(f"{event.topic}: no such topic in shared/contracts/topics.yaml")
    topic, headers = topics()[event.topic], event.headers
    faults = list(_attribute_faults(topic, event.key, headers))
    place = (event.type, event.key, headers.get("ce_subject", ""), headers.get("ce_tenant", ""), event.data)
    faults += _place_faults(topic, *place)
    if event.data is not None:
        faults += data_faults(event.type, event.data)
    elif not topic.compacted:
        faults.append("value: null is a deletion, which only a compacted topic has")
    faults += [f"header {path[1:]}: looks like {kind}" for path, kind in personal_data(dict(headers))]
    _report(f"{event.type} {headers.get('ce_id')} on {event.topic}", faults)
    return event


def check_outgoing(event: OutgoingEvent) -> None:
    """Broken where an event on its way into the outbox would break its contract."""
    if event.topic not in topics():
        raise Broken(f"{event.topic}: no such topic in shared/contracts/topics.yaml")
    topic = topics()[event.topic]
    data = json.loads(event.payload() or "null")
    faults = list(_place_faults(topic, event.type, event.key, event.subject, event.tenant, data))
    if data is not None:
        faults += data_faults(event.type, data)
    elif not topic.compacted:
        faults.append("data: none is a deletion, which only a compacted topic has")
    if event.sequence < 1:
        faults.append(f"sequence {event.sequence}: it begins at 1")
    _report(f"{event.type} for {event.topic}", faults)


class Place(NamedTuple):
    """Where an event stands: its number in the line of a topic's key."""

    topic: str
    key: str
    sequence: int


def check_stream(records: Iterable[Any]) -> list[Event]:
    """Checks every record; that sequences are 1, 2, 3 … per topic and key, and that ids stand for one event.

    Takes whole topics from their beginning, in the order in which they were read. A record that came twice is
    no fault: delivery is at least once. On a compacted topic numbers may be missing.
    """
    events: list[Event] = []
    last: dict[tuple[str, str], int] = {}
    places: dict[str, Place] = {}
    ids: dict[Place, str] = {}
    for record in records:
        event = check(record)
        place = Place(event.topic, event.key, event.sequence)
        if places.setdefault(event.id, place) != place:
            raise Broken(f"id {event.id} stands for {places[event.id]} and for {place}")
        if ids.setdefault(place, event.id) != event.id:
            raise Broken(f"{place} has two events, {ids[place]} and {event.id}")
        before = last.get((event.topic, event.key), 0)
        if event.sequence > before + 1 and not topics()[event.topic].compacted:
            raise Broken(f"{place}: comes after sequence {before}, so {before + 1} is missing")
        last[event.topic, event.key] = max(before, event.sequence)
        events.append(event)
    return events


def _report(what: str, faults: list[str]) -> None:
    if faults:
        raise Broken(f"{what}:\n  " + "\n  ".join(faults))

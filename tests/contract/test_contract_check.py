"""The check that every test and the demo lean on: it passes what is right and names each planted fault."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from contract.instances import instances
from lianhu_kit.context import new_traceparent
from lianhu_kit.envelope import encode
from lianhu_kit.outbox import OutgoingEvent
from lianhu_tools.seed import invented
from support.contracts import Broken, check, check_outgoing, check_stream, data_faults
from support.declared import schemas, topic_of, topics
from support.personal import invented_in, kinds_in, personal_data

TYPES = sorted(schemas())
VILLAGE = "441702008205"


@dataclass
class Record:
    """A Kafka record with aiokafka's fields."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


class Message:
    """The same with confluent-kafka's methods."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def topic(self) -> str:
        return self._record.topic

    def key(self) -> bytes | None:
        return self._record.key

    def value(self) -> bytes | None:
        return self._record.value

    def headers(self) -> list[tuple[str, bytes]]:
        return self._record.headers


def outgoing(type: str, data: dict[str, Any] | None = None, sequence: int = 1) -> OutgoingEvent:
    """The first example of a type as a service would record it, or the data given."""
    schema = schemas()[type]
    data = data or schema["examples"][0]
    tenant = schema["x-tenant"].format(**data) if "x-tenant" in schema else VILLAGE
    key, subject = schema["x-key"].format(**data), schema["x-subject"].format(**data)
    return OutgoingEvent(topic_of(type).name, key, sequence, type, subject, tenant, data)


def row(event: OutgoingEvent) -> RowMapping:
    """The outbox row of an event, as the relay reads it."""
    columns = {
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": datetime.now(UTC),
        "tenant": event.tenant,
        "sequence": event.sequence,
        "aggregateid": event.key,
        "traceparent": new_traceparent(),
        "causationid": str(uuid4()),
        "payload": event.payload(),
    }
    return cast("RowMapping", columns)


def sent(event: OutgoingEvent) -> Record:
    """The event as the kit puts it on Kafka."""
    headers, key, value = encode(row(event), f"/lianhu/{topics()[event.topic].owner}")
    return Record(event.topic, key, value, headers)


def with_header(record: Record, name: str, value: str | None) -> Record:
    """The record with a header replaced, added, or left out."""
    others = [(known, text) for known, text in record.headers if known != name]
    return Record(record.topic, record.key, record.value, others + ([] if value is None else [(name, value.encode())]))


@pytest.mark.parametrize("type", TYPES)
def test_what_the_kit_sends_of_every_type_is_right(type: str) -> None:
    record = sent(outgoing(type))
    event = check(record)
    assert event == check(Message(record))
    assert (event.type, event.sequence) == (type, 1)
    assert event.data == schemas()[type]["examples"][0]
    check_outgoing(outgoing(type))


CLAIMED = "lianhu.dispatch.claimed.v1"
HEADER_FAULTS = {
    "ce_id": "1",
    "ce_source": "/lianhu/requests",
    "ce_type": "lianhu.request.closed.v1",
    "ce_subject": str(uuid4()),
    "ce_time": "2026-03-02 10:00:00",
    "ce_dataschema": "https://example.org/claimed.json",
    "ce_tenant": "44170200820",
    "ce_sequence": "01",
    "ce_partitionkey": str(uuid4()),
    "ce_traceparent": "00-" + 32 * "0" + "-" + 16 * "1" + "-01",
    "ce_causationid": "",
    "ce_specversion": "0.3",
    "content-type": "text/plain",
    "ce_person": "someone",
}


@pytest.mark.parametrize("name", HEADER_FAULTS)
def test_a_wrong_header_is_named(name: str) -> None:
    with pytest.raises(Broken) as broken:
        check(with_header(sent(outgoing(CLAIMED)), name, HEADER_FAULTS[name]))
    assert name.removeprefix("ce_").removesuffix("key") in str(broken.value)


@pytest.mark.parametrize("name", sorted(HEADER_FAULTS.keys() - {"ce_person"}))
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(Broken, match=f"header {name}: missing"):
        check(with_header(sent(outgoing(CLAIMED)), name, None))


def test_every_fault_is_listed_at_once() -> None:
    record = with_header(with_header(sent(outgoing(CLAIMED)), "ce_sequence", "none"), "ce_time", "now")
    with pytest.raises(Broken, match=r"(?s)ce_time.*ce_sequence"):
        check(record)


DATA_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown property": ({"surname": "x"}, "surname"),
    "a full name": ({"name": "李雷"}, "data.name"),
    "an unknown word": ({"via": "telepathy"}, "data.via"),
    "an unknown state": ({"state": "eaten"}, "data.state"),
    "a number as text": ({"round": "1"}, "data.round"),
    "no uuid": ({"person": "volunteer 7"}, "data.person"),
    "a grid of another village": ({"grid": "340111100204001"}, "lies outside the tenant"),
    "a phone number": ({"name": "13912345678"}, "mobile phone number"),
}


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_wrong_data_are_named_before_and_after_kafka(fault: str) -> None:
    change, words = DATA_FAULTS[fault]
    event = outgoing(CLAIMED, schemas()[CLAIMED]["examples"][0] | change)
    for attempt in (lambda: check_outgoing(event), lambda: check(sent(event))):
        with pytest.raises(Broken, match=words):
            attempt()


def test_a_personal_number_is_found_in_free_text_inside_a_schema() -> None:
    dispatch = "lianhu.request.dispatch-requested.v1"
    data = schemas()[dispatch]["examples"][0] | {"summary": "到了请打 139-1234-5678"}
    with pytest.raises(Broken, match=r"data\.summary: looks like a mobile phone number"):
        check_outgoing(outgoing(dispatch, data))


def test_what_is_no_event_at_all() -> None:
    good = sent(outgoing(CLAIMED))
    for record, words in (
        (Record("elsewhere.v1", good.key, good.value, good.headers), "no such topic"),
        (Record(good.topic, None, good.value, good.headers), "without key"),
        (Record(good.topic, good.key, b"{", good.headers), "JSON"),
        (Record(good.topic, b"\xff", good.value, good.headers), "UTF-8"),
        (Record(good.topic, good.key, good.value, [*good.headers, good.headers[0]]), "twice"),
        (Record(good.topic, good.key, b"[]", good.headers), "is not of type"),
        (Record(good.topic, good.key, None, good.headers), "only a compacted topic"),
    ):
        with pytest.raises(Broken, match=words):
            check(record)


def test_a_deletion_is_right_on_the_directory_alone() -> None:
    type = "lianhu.household.upserted.v1"
    example = outgoing(type)
    deletion = OutgoingEvent(example.topic, example.key, 2, type, example.key, example.tenant, None)
    check_outgoing(deletion)
    assert check(sent(deletion)).data is None
    of_work = outgoing(CLAIMED)
    with pytest.raises(Broken, match="only a compacted topic"):
        check_outgoing(OutgoingEvent(of_work.topic, of_work.key, 1, CLAIMED, of_work.subject, VILLAGE, None))


def test_sequences_may_repeat_but_not_jump() -> None:
    first, second, third = (sent(outgoing(CLAIMED, sequence=number)) for number in (1, 2, 3))
    assert len(check_stream([first, second, second, first, third])) == 5
    for stream in ([first, third], [second], [first, second, sent(outgoing(CLAIMED, sequence=4))]):
        with pytest.raises(Broken, match="is missing"):
            check_stream(stream)
    with pytest.raises(Broken, match="has two events"):
        check_stream([first, second, sent(outgoing(CLAIMED, sequence=2))])
    with pytest.raises(Broken, match="stands for"):
        check_stream([first, with_header(first, "ce_sequence", "2")])


def test_a_compacted_topic_may_begin_anywhere() -> None:
    type = "lianhu.household.upserted.v1"
    assert len(check_stream([sent(outgoing(type, sequence=7)), sent(outgoing(type, sequence=9))])) == 2


PERSONAL = [
    "13912345678", "call 139 1234 5678", "１３９１２３４５６７８", "+8613912345678", "0662-3123456", "(0662) 3123456",
    "06623123456", "110101199003078515", "身份证11010119900307851X。", "11010119900307851x", "身份证 110101900307851",
]  # fmt: skip
HARMLESS = [
    "441702008205", "441702008205002", "44170200820500201", "48213074", "2026-03-02T10:00:00+08:00", "3 月 2 日 10:00",
    VILLAGE + "/home-repair", "0195b3c0-0101-7101-8101-139123456789",
    "00-0195b3c0010171018101139123456780-0195b13912345678-01",
    "urn:lianhu:schema:lianhu.request.closed.v1", "12", "水电 2 级, 修 15 分钟", "", "张*",
]  # fmt: skip


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_numbers_are_found(text: str) -> None:
    assert kinds_in(text)
    assert list(personal_data({"a": [{"b": text}]})) == [(".a[0].b", kind) for kind in kinds_in(text)]
    assert list(personal_data({text: 1}))


@pytest.mark.parametrize("text", HARMLESS)
def test_codes_ids_and_times_are_no_personal_numbers(text: str) -> None:
    assert kinds_in(text) == []


OWN = [
    invented.phone(7), f"tel:+86{invented.phone(7)}", f'{{"phone":"{invented.phone(0)}"}}',
    invented.name(3), invented.address(1), invented.words("x"),
]  # fmt: skip


@pytest.mark.parametrize("text", OWN)
def test_what_is_the_demos_own_is_found(text: str) -> None:
    assert invented_in(text)


def test_an_id_that_holds_a_phone_numbers_first_digits_by_chance_is_none() -> None:
    assert invented_in("00-4bf92f3577b34da6a3ce929d0e0e4736-b7501540000451a3-01 8f1a154000012345") == []


@given(st.integers(0, 10**17 - 1).map(str))
def test_no_division_code_is_taken_for_a_person(digits: str) -> None:
    assert kinds_in(digits.rjust(17, "1")) == []
    assert kinds_in(digits.rjust(15, "1")[:15]) == []
    assert kinds_in(digits.rjust(12, "1")[:12]) == []


@given(st.uuids())
def test_no_id_is_taken_for_a_person(id: object) -> None:
    assert kinds_in(str(id)) == []


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_a_schema_allows_passes_but_for_what_it_does_not_name(drawn: st.DataObject) -> None:
    type = drawn.draw(st.sampled_from(TYPES))
    data = drawn.draw(instances(schemas()[type]))
    excused = ("added_later", "is not one of", "looks like")
    faults = [fault for fault in data_faults(type, data) if not any(word in fault for word in excused)]
    assert faults == []

"""The envelope: what goes out comes in as it was, and whatever else comes in is refused in words."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from lianhu_kit import envelope
from lianhu_kit.envelope import ReceivedEvent, Record, Undecodable, decode, encode
from lianhu_kit.parking import of_record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NAME = TEXT.filter(bool)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
ROWS = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "aggregatetype": st.just("kit.notes"),
        "aggregateid": NAME,
        "type": st.sampled_from(["kit.note.written.v1"]),
        "subject": NAME,
        "payload": st.dictionaries(TEXT, JSON, max_size=4).map(json.dumps) | st.none(),
        "sequence": st.integers(1, 10**18 - 1),
        "tenant": st.sampled_from(["441702008205", "44"]),
        "time": st.integers(0, 7 * 10**15).map(lambda micros: EPOCH + timedelta(microseconds=micros)),
        "traceparent": st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        "causationid": NAME,
    }
)
GOOD: dict[str, Any] = {
    "id": UUID(int=7), "aggregatetype": "kit.notes", "aggregateid": "k", "type": "kit.note.written.v1", "subject": "s",
    "payload": '{"a": 1}', "sequence": 1, "tenant": "44", "time": datetime(2026, 5, 1, tzinfo=UTC),
    "traceparent": "t", "causationid": "c",
}  # fmt: skip


@given(ROWS)
def test_an_event_comes_in_as_it_went_out_and_out_of_the_database_as_it_went_in(row: dict[str, Any]) -> None:
    headers, key, value = encode(row, "/lianhu/kit")
    event = decode("kit.notes", key, value, headers)
    assert event == ReceivedEvent(
        topic="kit.notes", key=row["aggregateid"], id=str(row["id"]), type=row["type"], source="/lianhu/kit",
        subject=row["subject"], time=row["time"], tenant=row["tenant"], sequence=row["sequence"],
        data=json.loads(row["payload"] or "{}"), causation=row["causationid"], traceparent=row["traceparent"],
        deleted=row["payload"] is None,
    )  # fmt: skip
    assert ReceivedEvent.from_stored(json.loads(json.dumps(event.stored()))) == event


@given(ROWS.filter(lambda row: row["payload"] is not None))
def test_others_read_what_we_send_by_the_standard_alone(row: dict[str, Any]) -> None:
    headers, key, value = encode(row, "/lianhu/kit")
    event = from_kafka(KafkaMessage(dict(headers), key, value or b""), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_time()) == (str(row["id"]), row["type"], row["time"])


@given(ROWS.filter(lambda row: row["payload"] is not None))
def test_what_is_written_by_hand_is_what_the_library_writes(row: dict[str, Any]) -> None:
    attributes = {
        "specversion": "1.0", "id": str(row["id"]), "source": "/lianhu/kit", "type": row["type"],
        "subject": row["subject"], "time": row["time"], "datacontenttype": "application/json",
        "dataschema": f"urn:lianhu:schema:{row['type']}", "tenant": row["tenant"], "sequence": str(row["sequence"]),
        "partitionkey": row["aggregateid"], "traceparent": row["traceparent"], "causationid": row["causationid"],
    }  # fmt: skip
    message = to_binary(CloudEvent(attributes, row["payload"]), JSONFormat())
    headers, _, value = encode(row, "/lianhu/kit")
    assert (headers, value) == (list(message.headers.items()), message.value)


@pytest.mark.parametrize("empty", ["type", "subject", "aggregateid"])
def test_what_would_be_no_cloudevent_is_not_written(empty: str) -> None:
    with pytest.raises(ValueError, match=r"a CloudEvent has"):
        encode({**GOOD, empty: ""}, "/lianhu/kit")


ODD = [
    "1e400",
    "NaN",
    "123456789012345678901234",
    "-9223372036854775809",
    '"\\ud800"',
    '"\\u0000"',
    "1.5",
    "[" * 150 + "]" * 150,
]


OTHERS = [b"", b"\x00", b"\xff", b"2026-05-01", b"text/plain", b"7"]
BODIES = ["{}", "[]", "7", "", "{", '{"a": %s}', '{"a": %s, "a": 1}']


@given(
    ROWS,
    st.sampled_from(BODIES),
    st.sampled_from(ODD),
    st.sampled_from(["", *envelope._NAMES]),
    st.sampled_from(OTHERS),
)
def test_the_short_way_and_the_library_read_the_same(
    row: dict[str, Any], value: str, odd: str, name: str, other: bytes
) -> None:
    headers, key, _ = encode(row, "/lianhu/kit")
    headers = [(each, other if each == name else text) for each, text in headers]
    body = (value % odd if "%" in value else value).encode()
    read = []
    for way in (decode, envelope._decode_any):
        try:
            read.append(str(way("kit.notes", key, body, headers)))
        except Undecodable as error:
            read.append(str(error))
    short, library = (text.replace("tzutc()", "datetime.timezone.utc") for text in read)
    assert short == library


@given(
    st.binary(max_size=300) | st.none(),
    st.binary(max_size=300) | st.none(),
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_type", "ce_sequence", "ce_time", "CE_ID", "x", "\x00"]) | TEXT,
                       st.binary(max_size=300) | st.none()), max_size=8),
)  # fmt: skip
def test_garbage_is_refused_in_words_and_can_be_set_apart(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    try:
        decode("kit.notes", key, value, headers)
    except Undecodable as error:
        reason = str(error)
    else:
        reason = "decoded"
    assert reason
    parked = of_record(Record("kit.notes", 3, 9, key, value, headers))
    texts = [parked.place, parked.key, parked.event_id or "", parked.type or "", parked.tenant, *parked.headers]
    assert not any("\x00" in text for text in [*texts, *parked.headers.values()])
    assert all(text.encode() is not None for text in texts)


def test_a_time_with_another_offset_is_the_same_moment() -> None:
    headers, key, value = encode(GOOD, "/outside")
    east = [(name, b"2026-05-01T08:00:00+08:00" if name == "ce_time" else text) for name, text in headers]
    time = decode("kit.notes", key, value, east).time
    assert time == GOOD["time"]
    assert time.astimezone(timezone(timedelta(hours=8))).hour == 8


@pytest.mark.parametrize("sequence", ["0", "-1", "1.0", "1e3", "٣", "", " 1", "9" * 19, "1" + "0" * 5000])
def test_a_sequence_counts_from_one_in_plain_digits(sequence: str) -> None:
    headers, key, value = encode({**GOOD, "sequence": sequence}, "/outside")
    with pytest.raises(Undecodable, match=r"no decimal number from 1 on"):
        decode("kit.notes", key, value, headers)


def test_a_backslash_before_u0000_is_no_nul() -> None:
    headers, key, value = encode({**GOOD, "payload": json.dumps({"a": "\\u0000"})}, "/outside")
    assert decode("kit.notes", key, value, headers).data == {"a": "\\u0000"}

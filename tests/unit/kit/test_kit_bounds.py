"""What is too long for an index, and what counts from nothing, is set apart and never lost."""

import pytest

from lianhu_kit.envelope import LONGEST_KEY, Record, Undecodable, decode
from lianhu_kit.parking import of_record

LONG = "很" * (LONGEST_KEY + 1)


def record(*, key: str = "k", id: str = "e", sequence: str = "1", value: bytes = b"{}") -> Record:
    """A record in binary mode."""
    headers = {
        "ce_specversion": "1.0", "ce_id": id, "ce_source": "/kit", "ce_type": "kit.note.written.v1",
        "ce_time": "2026-11-22T10:00:00Z", "ce_tenant": "441702008205", "ce_sequence": sequence,
        "ce_partitionkey": key, "content-type": "application/json",
    }  # fmt: skip
    return Record("kit.notes", 3, 7, key.encode(), value, [(name, text.encode()) for name, text in headers.items()])


def test_a_key_of_the_longest_kind_fits_an_index_entry() -> None:
    kept = record(key="k" * LONGEST_KEY)
    assert decode(kept.topic, kept.key, kept.value, kept.headers).key == "k" * LONGEST_KEY
    assert len(("很" * LONGEST_KEY).encode()) + 249 + 100 < 2704  # a topic's name has 249 characters at most


@pytest.mark.parametrize("given", [record(key=LONG), record(id=LONG)])
def test_longer_keys_and_ids_are_no_events(given: Record) -> None:
    with pytest.raises(Undecodable, match="over 500 characters"):
        decode(given.topic, given.key, given.value, given.headers)


def test_a_record_with_too_long_a_key_is_parked_by_its_place() -> None:
    parked = of_record(record(key=LONG))
    assert (parked.place, parked.key, parked.sequence) == ("kit.notes/3/7", "", None)


@pytest.mark.parametrize(
    ("sequence", "place", "number"),
    [("0", "kit.notes/3/7", None), ("0" * 3000 + "5", "kit.notes/k/5", 5), ("5", "kit.notes/k/5", 5)],
)
def test_an_unreadable_record_blocks_its_key_only_with_a_sequence_that_counts(
    sequence: str, place: str, number: int | None
) -> None:
    parked = of_record(record(sequence=sequence, value=b"{"))
    assert (parked.place, parked.sequence) == (place, number)

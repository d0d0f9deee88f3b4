"""Pages of lists: a cursor comes back as it was given, and garbage is told to be garbage."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianhu_kit.api import Paging, decode_cursor, encode_cursor, page_of
from lianhu_kit.problems import Invalid

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.lists(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, max_size=4)


@given(VALUES)
def test_a_cursor_comes_back(values: list[object]) -> None:
    cursor = encode_cursor(values)
    assert decode_cursor(cursor) == values
    assert all(letter.isalnum() or letter in "-_" for letter in cursor)  # it stands in addresses as it is


def test_ids_and_times_come_back_as_text() -> None:
    values = [UUID(int=7), datetime(2026, 5, 1, tzinfo=UTC)]
    assert decode_cursor(encode_cursor(values)) == [str(UUID(int=7)), "2026-05-01T00:00:00+00:00"]


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_cursor_or_a_problem(text: str) -> None:
    try:
        values = decode_cursor(text)
    except Invalid as problem:
        values = [problem.errors[0].field]
    assert isinstance(values, list)


@pytest.mark.parametrize("cursor", ["e30", "bnVsbA", "!!!!", "中", "W10=W10", "W", "WyJcdTAwMDAiXQ"])
def test_what_is_no_list_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(cursor)


def test_a_place_is_read_as_its_kinds_or_refused() -> None:
    given = [UUID(int=7), datetime(2026, 5, 1, tzinfo=UTC), None, 5]
    page = Paging(decode_cursor(encode_cursor(given)), 50)
    assert page.place(UUID, datetime.fromisoformat, str, int) == tuple(given)
    assert Paging(None, 50).place(UUID) is None
    refused: list[list[Any]] = [[], ["x"], [1, 2], [True], [{}], [[]], [1e400], ["7" * 5000]]
    for bad in refused:
        with pytest.raises(Invalid):
            Paging(bad, 50).place(UUID)
    with pytest.raises(Invalid):
        Paging(["7" * 5000], 50).place(int)


def test_a_page_names_its_next_only_where_there_is_more() -> None:
    assert page_of([1, 2], 2, ["b"]) == {"items": [1, 2]}
    assert page_of([1, 2, 3], 2, ["b"]) == {"items": [1, 2], "next": encode_cursor(["b"])}
    assert page_of([], 2, None) == {"items": []}

"""What becomes of a key's parked events by what was decided: the rule alone, and that content survives being kept."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianhu_kit.envelope import ReceivedEvent, Record, Undecodable
from lianhu_kit.ledger import Position
from lianhu_kit.parking import BEHIND, DROPPED, of_event, of_record, packed, readable, stub_of, unpacked
from lianhu_kit.turns import sort
from lianhu_kit.verdicts import Held, Settled, settle

AT = datetime(2026, 5, 1, tzinfo=UTC)


def event(sequence: int, type: str = "kit.note.written.v1") -> ReceivedEvent:
    """A good event of key `a`."""
    return ReceivedEvent(
        "kit.notes", "a", f"e{sequence}", type, "/kit", "a", AT, "441702008205", sequence, {"words": "good"}
    )


def broken(sequence: int) -> Record:
    """One of the same key that says its sequence and holds no JSON."""
    return Record("kit.notes", 1, 100 + sequence, b"a", b"{no", [("ce_sequence", str(sequence).encode())])


def rows(*told: tuple[str, str | None]) -> list[Held]:
    """Parked rows from sequence 1 on: `good` or `bad`, and what was decided."""
    parked = [of_event(event(n)) if kind == "good" else of_record(broken(n)) for n, (kind, _) in enumerate(told, 1)]
    return [Held(n, parked[n - 1], verdict, AT if verdict else None) for n, (_, verdict) in enumerate(told, 1)]


def shown(settled: Settled) -> tuple[list[int], list[int], list[int], bool]:
    """Dropped, going on, parked anew, unblocked."""
    ids = [[row.id for row in settled.drop], [row.id for row, _ in settled.go_on], [row.id for row, _ in settled.again]]
    return ids[0], ids[1], ids[2], settled.unblocked


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ([("good", None), ("good", None)], ([], [], [], False)),
        ([("good", "retry"), ("good", None)], ([], [1, 2], [], True)),
        ([("good", None), ("good", "retry")], ([], [1, 2], [], True)),
        ([("good", "drop"), ("good", None)], ([1], [2], [], True)),
        ([("good", None), ("good", "drop"), ("good", None)], ([2], [], [], False)),
        ([("good", "retry"), ("good", "drop"), ("good", None)], ([2], [1, 3], [], True)),
        ([("bad", "retry"), ("good", None)], ([], [], [1], False)),
        ([("bad", None), ("good", "retry")], ([], [], [2], False)),
        ([("bad", "drop"), ("good", None), ("bad", None), ("good", None)], ([1], [2], [], True)),
        ([("bad", "retry"), ("good", "drop"), ("good", None)], ([2], [], [1], False)),
        ([("good", "drop")], ([1], [], [], True)),
        ([], ([], [], [], False)),
    ],
)
def test_what_goes_on_and_what_stays(told: list[tuple[str, str | None]], result: Any) -> None:
    assert shown(settle(rows(*told))) == result


@given(st.lists(st.tuples(st.sampled_from(["good", "bad"]), st.sampled_from([None, "retry", "drop"])), max_size=8))
def test_no_event_is_lost_doubled_or_overtaken(told: list[tuple[str, str | None]]) -> None:
    held = rows(*told)
    settled = settle(held)
    dropped, on, again, _ = shown(settled)
    moved = [*dropped, *on, *again]
    assert len(moved) == len(set(moved))
    assert set(dropped) == {row.id for row in held if row.verdict == "drop"}
    stay = [row.id for row in held if row.id not in (*dropped, *on)]
    assert not on or not stay or max(on) < min(stay)
    decided = {row.id for row in held if row.verdict}
    assert decided <= set(moved), "a decision would stay open for ever"


def test_who_stands_behind_what_cannot_be_read_is_told_so() -> None:
    settled = settle(rows(("bad", None), ("good", "retry")))
    assert [reason for _, reason in settled.again] == [BEHIND]
    assert "no CloudEvent" in settle(rows(("bad", "retry"))).again[0][1]


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=[])), st.binary() | st.none())))
def test_headers_are_kept_byte_for_byte(headers: list[tuple[str, bytes | None]]) -> None:
    assert unpacked(packed(headers)) == headers


def test_a_readable_event_is_read_as_it_was() -> None:
    assert readable(of_event(event(4))) == event(4)


def test_content_that_says_another_place_is_not_read() -> None:
    headers = {
        "ce_specversion": "1.0", "ce_id": "e", "ce_source": "/kit", "ce_type": "t", "ce_time": "2026-05-01T00:00:00Z",
        "ce_tenant": "44", "ce_sequence": "5", "content-type": "application/json",
    }  # fmt: skip
    parked = of_record(Record("kit.notes", 1, 1, b"a", b"[]", [(k, v.encode()) for k, v in headers.items()]))
    assert readable(replace(parked, value=b"{}")).sequence == 5
    mended = replace(parked, value=b"{}", sequence=7)
    with pytest.raises(Undecodable, match="another key or sequence"):
        readable(mended)


def test_a_dropped_event_that_comes_again_with_its_turn_stays_dropped() -> None:
    stub = stub_of(of_event(event(2)), AT)
    turn = sort(
        [event(1), event(2)], {("kit.notes", "a"): Position(0, None)}, set(), [(stub, None), (event(3), None)], {},
        follow=True,
    )  # fmt: skip
    assert [(each.sequence, each.type == DROPPED) for each in turn.apply] == [(1, False), (2, True), (3, False)]
    assert turn.lasts == {("kit.notes", "a"): 3}

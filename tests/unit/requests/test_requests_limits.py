"""Limits in plain and in working time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.limits import Limit, WorkingTime, due, later, near, sooner, working_time

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = working_time({}, SHANGHAI)
DAY = 7 * 3600  # 08:00–12:00 and 14:30–17:30


def local(*parts: int) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "seconds", "end"),
    [
        (local(2026, 3, 2, 8, 0), 3600, local(2026, 3, 2, 9, 0)),
        (local(2026, 3, 2, 11, 30), 3600, local(2026, 3, 2, 15, 0)),  # over noon
        (local(2026, 3, 2, 12, 30), 60, local(2026, 3, 2, 14, 31)),  # begun at noon
        (local(2026, 3, 2, 17, 0), 3600, local(2026, 3, 3, 8, 30)),  # into the next day
        (local(2026, 3, 6, 17, 0), 3600, local(2026, 3, 9, 8, 30)),  # over the weekend
        (local(2026, 3, 7, 10, 0), 0, local(2026, 3, 9, 8, 0)),  # nothing, but on a Saturday: Monday morning
        (local(2026, 3, 2, 9, 0), DAY, local(2026, 3, 3, 9, 0)),  # one working day
        (local(2026, 3, 5, 9, 0), 3 * DAY, local(2026, 3, 10, 9, 0)),
    ],
)
def test_working_time(start: Any, seconds: Any, end: Any) -> None:
    assert later(start, seconds, OFFICE) == end


def test_round_the_clock_counts_every_second() -> None:
    start = local(2026, 3, 7, 23, 0)
    assert due(start, Limit(1800), OFFICE) == start + timedelta(minutes=30)
    assert due(start, Limit(1800, working=True), None) == start + timedelta(minutes=30)


def test_amber_is_at_four_fifths() -> None:
    assert near(local(2026, 3, 2, 8, 0), Limit(10_000), OFFICE) == local(2026, 3, 2, 8, 0) + timedelta(seconds=8000)
    # 80 % of a working day from Monday 15:00: 2.5 h left on Monday, 3.1 h of Tuesday
    assert near(local(2026, 3, 2, 15, 0), Limit(DAY, working=True), OFFICE) == local(2026, 3, 3, 11, 6)


STARTS = st.integers(0, 6 * 365 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
SECONDS = st.integers(0, 40 * DAY)


@given(STARTS, SECONDS)
def test_a_limit_ends_within_working_time(start: Any, seconds: Any) -> None:
    end = later(start, seconds, OFFICE).astimezone(SHANGHAI)
    assert OFFICE is not None
    assert any(begin <= end <= finish for begin, finish in OFFICE.of(end.date()))


@given(STARTS, SECONDS, st.integers(1, 20 * DAY))
def test_waiting_in_two_parts_is_waiting_once(start: Any, seconds: Any, more: Any) -> None:
    assert later(later(start, seconds, OFFICE), more, OFFICE) == later(start, seconds + more, OFFICE)


@given(STARTS, SECONDS)
def test_start_amber_red_come_in_order(start: Any, seconds: Any) -> None:
    limit = Limit(seconds, working=True)
    assert start <= near(start, limit, OFFICE) <= due(start, limit, OFFICE)
    assert due(start, limit, OFFICE) >= due(start, Limit(seconds), OFFICE)


@given(STARTS, STARTS, SECONDS)
def test_a_later_start_never_falls_due_earlier(one: Any, other: Any, seconds: Any) -> None:
    first, second = sorted((one, other))
    assert later(first, seconds, OFFICE) <= later(second, seconds, OFFICE)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"working_hours": [["12:00", "08:00"]]}, "begin before they end"),
        ({"working_hours": [["08:00", "12:00"], ["11:00", "13:00"]]}, "without overlap"),
        ({"working_hours": [["8 o'clock", "12:00"]]}, "pairs of local times"),
        ({"working_hours": ["08:00"]}, "pairs of local times"),
        ({"working_days": [0]}, "1 \\(Monday\\) to 7"),
        ({"working_hours": [["08:00", "08:01"]], "working_days": [1]}, "an hour a week"),
    ],
)
def test_senseless_hours_are_refused_with_a_remedy(settings: Any, words: Any) -> None:
    with pytest.raises(ValueError, match=words):
        working_time(settings, SHANGHAI)


def test_always_working_is_round_the_clock() -> None:
    assert working_time({"always_working": True, "working_days": [1]}, SHANGHAI) is None


def test_limits_have_bounds() -> None:
    for seconds in (-1, 500 * 86_400):
        with pytest.raises(ValueError, match="between"):
            later(local(2026, 3, 2), seconds, None)


def test_a_zone_that_changes_its_clock_keeps_its_hours() -> None:
    berlin = WorkingTime(frozenset(range(1, 8)), OFFICE.spans, ZoneInfo("Europe/Berlin")) if OFFICE else None
    start = datetime(2026, 3, 28, 17, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # the night before summer time
    assert later(start, 3600, berlin) == datetime(2026, 3, 29, 8, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def test_sooner_knows_never() -> None:
    one, other = local(2026, 1, 1), local(2026, 1, 2)
    assert sooner(one, other) == sooner(other, one) == one
    assert sooner(None, other) == sooner(other, None) == other
    assert sooner(None, None) is None

"""Work on site."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatch_service.domain.errors import ImpossibleTime, TwoPeopleNeeded
from dispatch_service.domain.visits import (
    CLOCK_SKEW,
    begins,
    check_time,
    check_two_people,
    minutes_of,
    places_for,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


@given(some.integers(0, 50), some.booleans())
def test_there_is_a_place_at_least_and_two_for_a_minor(asked: int, minor: bool) -> None:
    assert places_for(asked, minor=minor) == max(asked, 2 if minor else 1)


@pytest.mark.parametrize(
    ("checks", "counted"),
    [
        ([], 0),
        ([TODAY], 1),
        ([TODAY, None], 1),
        ([TODAY, TODAY - timedelta(days=1), None], 1),
    ],
)
def test_fewer_than_two_checked_people_cannot_begin_with_a_minor(checks: list[date | None], counted: int) -> None:
    with pytest.raises(TwoPeopleNeeded, match="two people with a dated check") as refused:
        check_two_people(checks, TODAY)
    assert refused.value.checked == counted


def test_two_checked_people_can() -> None:
    check_two_people([TODAY, None, TODAY + timedelta(days=30)], TODAY)


def test_the_work_begins_at_the_first_check_in_with_a_minor_at_the_second() -> None:
    assert [begins(n, minor=False) for n in (0, 1, 2)] == [False, True, True]
    assert [begins(n, minor=True) for n in (0, 1, 2)] == [False, False, True]


@given(some.timedeltas(timedelta(), timedelta(days=3)), some.timedeltas(timedelta(days=-4), timedelta(days=1)))
def test_a_given_time_lies_between_what_it_follows_and_now_or_is_refused(since: timedelta, offset: timedelta) -> None:
    begun, at = NOW - since, NOW + offset
    if begun - CLOCK_SKEW <= at <= NOW + CLOCK_SKEW:
        assert begun <= check_time("at", at, not_before=begun, now=NOW) <= NOW
        return
    with pytest.raises(ImpossibleTime) as refused:
        check_time("at", at, not_before=begun, now=NOW)
    assert refused.value.field == "at"


@pytest.mark.parametrize(
    ("stay", "minutes"),
    [
        (timedelta(), 0),
        (timedelta(milliseconds=1), 1),
        (timedelta(minutes=30), 30),
        (timedelta(minutes=30, seconds=1), 31),
        (timedelta(days=3), 24 * 60),
        (timedelta(minutes=-5), 0),
    ],
)
def test_begun_minutes_count_and_a_stay_has_a_longest(stay: timedelta, minutes: int) -> None:
    assert minutes_of(NOW, NOW + stay) == minutes


def test_a_stay_without_an_end_has_no_minutes() -> None:
    assert minutes_of(None, NOW) is None
    assert minutes_of(NOW, None) is None

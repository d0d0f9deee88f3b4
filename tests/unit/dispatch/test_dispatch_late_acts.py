"""Times of acts that come late, and how far work is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_service.domain.late_acts import OLDEST, TooOld, true_time
from dispatch_service.domain.nearness import Nearness, nearness

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTES = st.integers(-60 * 24 * 400, 60 * 24 * 400)


@given(ago=st.integers(0, 71 * 60), wrong=MINUTES)
def test_a_wrong_clock_does_not_matter(ago: int, wrong: int) -> None:
    phone = NOW + timedelta(minutes=wrong)
    assert true_time(phone - timedelta(minutes=ago), sent_at=phone, now=NOW) == NOW - timedelta(minutes=ago)


@given(at=MINUTES, sent=MINUTES)
def test_never_in_the_future_and_never_too_old(at: int, sent: int) -> None:
    try:
        happened = true_time(NOW + timedelta(minutes=at), sent_at=NOW + timedelta(minutes=sent), now=NOW)
    except TooOld:
        assert sent - at > OLDEST / timedelta(minutes=1)
    else:
        assert NOW - OLDEST <= happened <= NOW


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_whatever_a_phone_says_it_is_a_time_or_too_old(at: datetime, sent: datetime) -> None:
    try:
        assert NOW - OLDEST <= true_time(at, sent_at=sent, now=NOW) <= NOW
    except TooOld:
        assert sent - at > OLDEST


def test_a_wild_clock_goes_beyond_no_calendar() -> None:
    at = datetime(1, 1, 1, 3, tzinfo=timezone(timedelta(hours=23)))
    with pytest.raises(TooOld):
        true_time(at, sent_at=datetime(9999, 12, 31, tzinfo=UTC), now=NOW)
    assert true_time(datetime(9999, 12, 31, tzinfo=UTC), sent_at=at, now=NOW) == NOW


@given(st.lists(st.integers(0, 70 * 60), min_size=2, max_size=2), MINUTES)
def test_the_order_of_two_acts_stays(ago: list[int], wrong: int) -> None:
    phone = NOW + timedelta(minutes=wrong)
    one, other = (true_time(phone - timedelta(minutes=each), sent_at=phone, now=NOW) for each in ago)
    assert (one <= other) == (ago[0] >= ago[1])


@pytest.mark.parametrize(
    ("grid", "village", "near"),
    [
        ("441702008205001", "441702008205", Nearness.OWN_GRID),
        ("441702008205002", "441702008205", Nearness.OWN_VILLAGE),
        (None, "441702008205", Nearness.OWN_VILLAGE),
        ("441702008206001", "441702008206", Nearness.ELSEWHERE),
    ],
)
def test_how_far_it_is(grid: str | None, village: str, near: Nearness) -> None:
    assert nearness("441702008205001", "441702008205", grid, village) is near

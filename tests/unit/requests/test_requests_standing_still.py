"""A clock that stands still, and one longer limit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.standing_still import (
    LONGEST,
    AlreadySuspended,
    Asked,
    ExtendedBefore,
    LimitOver,
    NoLimit,
    NothingAsked,
    require_ask,
    require_extendable,
    require_running,
    shifted,
    until_is_right,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = st.integers(0, 2000).map(lambda hours: timedelta(hours=hours))


@given(HOURS, HOURS, HOURS)
def test_as_much_is_left_as_when_the_clock_stopped(ahead: Any, stood: Any, again: Any) -> None:
    due = NOON + ahead + HOUR
    once = shifted(due, NOON, NOON + stood)
    assert once is not None
    assert once - (NOON + stood) == due - NOON
    twice = shifted(once, NOON + stood, NOON + stood + again)
    assert twice == shifted(due, NOON, NOON + stood + again)  # in two stretches as in one


@given(HOURS, HOURS)
def test_what_had_passed_stays_passed(ago: Any, stood: Any) -> None:
    assert shifted(NOON - ago, NOON, NOON + stood) == NOON - ago


def test_no_limit_stays_none() -> None:
    assert shifted(None, NOON, NOON + HOUR) is None


def test_a_clock_stands_still_once_at_a_time() -> None:
    require_running(None)
    with pytest.raises(AlreadySuspended):
        require_running(NOON)


@pytest.mark.parametrize(
    ("ahead", "right"),
    [(timedelta(), False), (-HOUR, False), (HOUR, True), (LONGEST, True), (LONGEST + HOUR, False)],
)
def test_until_when(ahead: Any, right: bool) -> None:
    assert until_is_right(NOON + ahead, NOON) == right


def test_only_what_was_asked_is_decided() -> None:
    require_ask("suspend", Asked.SUSPEND)
    for asked in (None, "extend-finish"):
        with pytest.raises(NothingAsked):
            require_ask(asked, Asked.SUSPEND)


def test_a_limit_is_made_longer_once_and_before_it_passes() -> None:
    assert require_extendable(NOON, NOON - HOUR, None) == NOON
    assert require_extendable(NOON, None, None) == NOON  # asked in time, decided later
    with pytest.raises(LimitOver):
        require_extendable(NOON, NOON, None)
    with pytest.raises(NoLimit):
        require_extendable(None, NOON, None)
    with pytest.raises(ExtendedBefore):
        require_extendable(NOON, NOON - HOUR, NOON - HOUR)

"""Quiet hours and the morning's message: when something is brought."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications_service.domain.choices import Pace
from notifications_service.domain.quiet import USUAL, Quiet, quiet_of, send_at

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (2020, 2040))
CLOCKS = st.times().filter(lambda moment: moment.tzinfo is None)


def _local(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-04T{clock}+08:00")


def test_a_unit_says_when_it_is_quiet() -> None:
    assert quiet_of(None) == USUAL == Quiet(time(22), time(7))
    assert quiet_of([]) is None
    assert quiet_of(["12:30", "14:00"]) == Quiet(time(12, 30), time(14))


@pytest.mark.parametrize(
    ("came", "pace", "goes"),
    [
        ("12:00", Pace.NOW, "2026-03-04T12:00"),
        ("21:59", Pace.NOW, "2026-03-04T21:59"),
        ("22:00", Pace.NOW, "2026-03-05T07:00"),
        ("23:30", Pace.NOW, "2026-03-05T07:00"),
        ("00:10", Pace.NOW, "2026-03-04T07:00"),
        ("06:59", Pace.NOW, "2026-03-04T07:00"),
        ("07:00", Pace.NOW, "2026-03-04T07:00"),
        ("12:00", Pace.MORNING, "2026-03-05T07:00"),
        ("06:00", Pace.MORNING, "2026-03-04T07:00"),
        ("07:00", Pace.MORNING, "2026-03-05T07:00"),
    ],
)
def test_what_comes_at_night_goes_in_the_morning(came: str, pace: Pace, goes: str) -> None:
    at = send_at(_local(came).astimezone(UTC), ZONE, USUAL, pace, urgent=False)
    assert at == datetime.fromisoformat(f"{goes}+08:00")


def test_what_is_urgent_waits_for_nothing() -> None:
    for pace in Pace:
        assert send_at(_local("23:30"), ZONE, USUAL, pace, urgent=True) == _local("23:30")


def test_where_it_is_never_quiet_nothing_waits_but_for_the_morning() -> None:
    assert send_at(_local("23:30"), ZONE, None, Pace.NOW, urgent=False) == _local("23:30")
    assert send_at(_local("23:30"), ZONE, None, Pace.MORNING, urgent=False) == datetime.fromisoformat(
        "2026-03-05T07:00+08:00"
    )


@given(
    moment=st.datetimes(FIRST, LAST, timezones=st.just(ZONE)), begins=CLOCKS, ends=CLOCKS,
    pace=st.sampled_from([Pace.NOW, Pace.MORNING]),
)  # fmt: skip
def test_nothing_goes_before_it_came_nor_later_than_a_day_nor_while_it_is_quiet(
    moment: datetime, begins: time, ends: time, pace: Pace
) -> None:
    quiet = Quiet(begins, ends)
    at = send_at(moment, ZONE, quiet, pace, urgent=False)
    assert moment <= at <= moment + timedelta(days=1)
    assert not quiet.covers(at.astimezone(ZONE).time())

"""From when a replay reads: a time with its offset, or a date in the deployment's zone."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from lianhu_kit.rereading import moment

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_date_begins_at_midnight_of_the_zone() -> None:
    assert moment("2026-11-20", SHANGHAI) == datetime(2026, 11, 19, 16, tzinfo=UTC)


def test_an_offset_counts_before_the_zone() -> None:
    assert moment("2026-11-20T08:00:00+02:00", SHANGHAI) == datetime(
        2026, 11, 20, 8, tzinfo=timezone(timedelta(hours=2))
    )
    assert moment("2026-11-20T08:00:00Z", SHANGHAI) == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize("given", ["", "yesterday", "20.11.2026", "2026-13-01"])
def test_anything_else_is_refused_with_what_would_be_right(given: str) -> None:
    with pytest.raises(ValueError, match="say 2026-11-20"):
        moment(given, SHANGHAI)

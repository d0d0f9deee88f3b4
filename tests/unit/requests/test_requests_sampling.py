"""The months of samples, and the key by which they are drawn."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from requests_service.domain.sampling import draw_key, month_at, open_months

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (datetime(2026, 2, 28, 15, 59, tzinfo=UTC), "2026-02"),
        (datetime(2026, 2, 28, 16, 0, tzinfo=UTC), "2026-03"),  # the first of March has begun in the village
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "2026-01"),
    ],
)
def test_a_month_is_that_of_the_village(moment: datetime, name: str) -> None:
    month = month_at(moment, ZONE)
    assert month.name == name
    assert month.begins <= moment < month.ends
    assert month_at(month.ends, ZONE).name > name


def test_this_month_and_the_one_before_are_called_back() -> None:
    this, before = open_months(datetime(2026, 1, 15, tzinfo=UTC), ZONE)
    assert (this.name, before.name) == ("2026-01", "2025-12")
    assert before.ends == this.begins


def test_each_month_and_each_deployment_draws_anew() -> None:
    this, before = open_months(datetime(2026, 1, 15, tzinfo=UTC), ZONE)
    keys = {draw_key(key, month) for key in (b"one", b"other") for month in (this, before)}
    assert len(keys) == 4
    assert draw_key(b"one", this) == draw_key(b"one", this)

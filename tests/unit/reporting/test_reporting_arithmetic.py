"""Histograms, rates, checksums, spans and reconciliation: the small pure parts."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting_service.domain.balance import Difference, differing, in_flight, standing
from reporting_service.domain.checksums import Checksum
from reporting_service.domain.histogram import bucket_of, median
from reporting_service.domain.rates import rates
from reporting_service.domain.spans import Span


@given(st.lists(st.floats(1, 10**8), min_size=1, max_size=60))
def test_a_median_errs_by_at_most_5_percent_and_histograms_add(seconds: list[float]) -> None:
    counts = Counter(bucket_of(value) for value in seconds)
    middle = sorted(seconds)[(len(seconds) - 1) // 2]
    found = median(counts)
    assert found is not None
    assert abs(found - middle) <= 0.05 * middle
    half = Counter(bucket_of(value) for value in seconds[: len(seconds) // 2])
    rest = Counter(bucket_of(value) for value in seconds[len(seconds) // 2 :])
    assert median(half + rest) == found


def test_no_cases_no_median_and_under_a_second_is_none() -> None:
    assert median({}) is None
    assert median({bucket_of(0.4): 3}) == 0.0
    assert bucket_of(-5) == 0


def test_a_rate_of_few_cases_prints_as_its_sums_and_is_not_ranked() -> None:
    few = rates({"solved.yes": 7, "solved.no": 2}, 3)["solved"]
    assert (few["text"], few["value"], few["ranked"]) == ("7/9", None, False)
    enough = rates({"solved.yes": 7, "solved.no": 3}, 3)["solved"]
    assert (enough["text"], enough["value"], enough["ranked"]) == ("70.0%", 0.7, True)


def test_whether_3_is_satisfied_is_a_setting() -> None:
    sums = {f"first_grades.{grade}": 4 for grade in range(1, 6)}
    assert rates(sums, 3)["satisfaction"]["numerator"] == 12
    assert rates(sums, 4)["satisfaction"]["numerator"] == 8


def test_a_checksum_depends_on_every_table_s_rows_and_sums() -> None:
    def of(*tables: tuple[int, int, int]) -> tuple[str, int]:
        checksum = Checksum()
        for table in tables:
            checksum.add(*table)
        return checksum.hex(), checksum.rows

    assert of((2, 10, -7), (0, 0, 0)) == of((2, 10, -7), (0, 0, 0))
    others = [of((2, 10, -7)), of((2, 10, 7), (0, 0, 0)), of((2, 11, -7), (0, 0, 0)), of((0, 0, 0), (2, 10, -7)), of()]
    assert len({hexadecimal for hexadecimal, _ in [of((2, 10, -7), (0, 0, 0)), *others]}) == 6
    assert of((2, 10, -7), (3, 0, 0))[1] == 5


def test_a_span_includes_both_of_its_days() -> None:
    begin, end = Span(date(2026, 3, 1), date(2026, 3, 1)).bounds(ZoneInfo("Asia/Shanghai"))
    assert begin == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert end == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert Span(None, None).bounds(ZoneInfo("Asia/Shanghai")) == (None, None)
    assert Span(date(2026, 3, 2), date(2026, 3, 1)).is_backwards


@pytest.mark.parametrize(
    ("readings", "stand", "moving"),
    [
        ([({"a": 1}, {"a": 1})], [], 0),
        ([({"a": 1}, {"a": 2})] * 3, [Difference("s", "a", 1, 2)], 0),
        ([({"a": 1}, {"a": 2}), ({"a": 3}, {"a": 2})], [], 1),
        ([({"a": 1}, {"a": 2}), ({"a": 1}, {"a": 1})], [], 0),
        ([({"a": 1}, {"a": 2}), ({"a": 1, "b": 1}, {"a": 2})], [Difference("s", "a", 1, 2)], 1),
        ([({}, {}), ({"a": 2, "b": 0}, {"a": 1, "b": 1})], [], 1),
    ],
)
def test_a_difference_is_what_every_reading_showed(
    readings: list[tuple[dict[str, int], dict[str, int]]], stand: list[Difference], moving: int
) -> None:
    seen = [differing("s", here, there) for here, there in readings]
    assert standing(seen) == stand
    assert in_flight(seen[-1], stand) == moving

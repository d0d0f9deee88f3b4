"""A span read from whole months, all time and the days at its edges holds each of its days once, and no other."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reporting_service.domain.covering import Part, by_all, by_days, by_months
from reporting_service.domain.spans import Span

BEGIN, END = date(2025, 11, 1), date(2026, 3, 31)
ALL = [BEGIN + timedelta(days=number) for number in range((END - BEGIN).days + 1)]
days = st.sampled_from(ALL)


@st.composite
def spans_of(draw: st.DrawFn) -> tuple[date | None, date | None]:
    """A first and a last day that are not the wrong way round; None is open."""
    first, last = draw(st.none() | days), draw(st.none() | days)
    return (last, first) if first is not None and last is not None and last < first else (first, last)


spans = spans_of()
WAYS: dict[str, Callable[[Span, date], list[Part]]] = {
    "days": lambda span, _today: by_days(span),
    "months": by_months,
    "all": by_all,
}


def held(parts: list[Part]) -> Counter[date]:
    """How often each day is counted, by what each part's rows are sums of."""
    counted: Counter[date] = Counter()
    for part in parts:
        for day in ALL:
            named = day.replace(day=1) if part.of == "months" else day
            inside = (part.first is None or part.first <= named) and (part.last is None or named <= part.last)
            counted[day] += part.sign if inside else 0
    return Counter({day: times for day, times in counted.items() if times})


@pytest.mark.parametrize("way", WAYS)
@given(spans, days)
@example((date(2026, 1, 1), date(2026, 1, 31)), END)  # a month
@example((date(2026, 1, 1), date(2026, 1, 30)), END)
@example((date(2026, 1, 2), date(2026, 1, 31)), END)
@example((date(2026, 1, 31), date(2026, 2, 1)), END)  # two days, two months
@example((date(2026, 2, 28), date(2026, 2, 28)), END)  # one day
@example((date(2025, 12, 31), date(2026, 3, 1)), END)
@example((date(2025, 12, 20), date(2026, 2, 20)), END)  # edges that are taken away
@example((None, date(2025, 12, 31)), END)
@example((date(2026, 1, 1), None), END)
@example((None, None), END)
@example((date(2026, 3, 2), date(2026, 3, 30)), date(2026, 1, 1))  # all of it lies ahead
def test_each_day_is_held_once(way: str, span: tuple[date | None, date | None], today: date) -> None:
    first, last = span
    parts = WAYS[way](Span(first, last), today)
    wanted = [day for day in ALL if (first is None or first <= day) and (last is None or day <= last)]
    assert held(parts) == Counter(wanted)
    months = [bound for part in parts if part.of == "months" for bound in (part.first, part.last) if bound]
    assert all(bound.day == 1 for bound in months)


@given(spans, days)
def test_few_days_are_read_up_to_today(span: tuple[date | None, date | None], today: date) -> None:
    for part in by_all(Span(*span), today):
        if part.of == "days":
            assert part.first is not None
            assert part.last is not None
            assert (min(part.last, today) - part.first).days + 1 <= 15


def test_all_time_is_one_part_and_a_month_so_far_too_but_for_days_to_come() -> None:
    today = date(2026, 3, 20)
    assert by_all(Span(None, None), today) == [Part("all", None, None)]
    assert by_all(Span(date(2026, 3, 1), today), today) == [
        Part("months", date(2026, 3, 1), date(2026, 3, 1)),
        Part("days", date(2026, 3, 21), date(2026, 3, 31), -1),
    ]

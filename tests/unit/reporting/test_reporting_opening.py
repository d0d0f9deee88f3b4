"""Figures open: each has words in both languages, and the requests behind it make up its sum."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting_service.domain.contribution import SUBMITTED, contribution
from reporting_service.domain.figures import FIGURES
from reporting_service.domain.opening import OVERDUE, PEOPLE, opening
from reporting_service.domain.periods import before, month_before, part_of, period_span
from reporting_service.domain.rates import formulas
from reporting_service.domain.rows import row
from reporting_service.domain.sheets import harmless, table, value
from reporting_service.domain.spans import Span
from reporting_service.domain.story import story
from support.folding import fold
from support.places import village
from support.walks import orders

ZONE = ZoneInfo("Asia/Shanghai")
FIELDS = [figure.field for figure in (*FIGURES, *formulas(3)) if figure.field != "ended"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_figure_opens_with_words_in_both_languages(field: str) -> None:
    opened = opening(field, 3)
    assert opened is not None
    assert all((*opened.figure.zh, *opened.figure.en))


def test_what_is_no_figure_does_not_open() -> None:
    assert opening("now.dragons", 3) is None
    assert opening("ended", 3) is None


def test_what_is_behind_a_figure_makes_up_its_sum() -> None:
    facts = fold(orders(7, [village()], 60)).values()
    each = []
    total: dict[str, int] = {}
    for fact in facts:
        counted = contribution(story(fact), ZONE)
        sums = next((sums for cell, sums in counted.items() if cell.basis == SUBMITTED and cell.person is None), {})
        each.append(sums)
        for measure, amount in sums.items():
            total[measure] = total.get(measure, 0) + amount
    made = row(total, basis=SUBMITTED, overdue=0, served_people=0, satisfied_from=3)
    for field in FIELDS:
        if field in (OVERDUE, PEOPLE) or field.startswith("rates.") or field.endswith("_p50"):
            continue
        opened = opening(field, 3)
        assert opened is not None
        assert sum(opened.amount(sums) for sums in each) == value(made, field), field


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_has_its_days(period: str, first: date, last: date) -> None:
    assert period_span(period) == Span(first, last)


@pytest.mark.parametrize("period", ["", "2026", "2026-13", "2026-Q5", "26-01", "2026-1", "9999-12", "2026-01-01"])
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match="period"):
        period_span(period)


@given(st.dates(date(1950, 1, 1), date(8000, 1, 1)), st.integers(0, 800))
def test_the_span_before_is_as_long_and_ends_where_this_begins(first: date, length: int) -> None:
    span = Span(first, date.fromordinal(first.toordinal() + length))
    earlier = before(span)
    assert earlier is not None
    assert earlier.first is not None
    assert earlier.last is not None
    assert (first - earlier.last).days == 1
    assert (earlier.last - earlier.first).days == length


def test_before_the_calendar_begins_there_is_no_span() -> None:
    assert before(Span(date(1900, 1, 1), date(8999, 12, 31))) is None
    assert before(Span(None, date(2026, 1, 1))) is None


def test_a_row_of_a_month_opens_to_its_days_within_the_span() -> None:
    span = Span(date(2026, 1, 15), date(2026, 3, 10))
    assert part_of(span, "2026-01") == Span(date(2026, 1, 15), date(2026, 1, 31))
    assert part_of(span, "2026-03") == Span(date(2026, 3, 1), date(2026, 3, 10))
    assert part_of(Span(None, None), "2026-02") == Span(date(2026, 2, 1), date(2026, 2, 28))
    assert part_of(span, "2026-02-03") == Span(date(2026, 2, 3), date(2026, 2, 3))


def test_the_month_before() -> None:
    assert month_before(date(2026, 1, 31)) == "2025-12"
    assert month_before(date(2026, 11, 1)) == "2026-10"


@given(st.text(min_size=1, max_size=20))
def test_no_cell_is_a_formula(text: str) -> None:
    assert str(harmless(text))[0] not in "=+-@\t\r"


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_sheet_has_as_many_cells_in_every_line(locale: str) -> None:
    made: dict[str, Any] = row({}, basis=SUBMITTED, overdue=0, served_people=0, satisfied_from=3)
    lines = table([{"key": "441702008205", "name": "=HYPERLINK(1)", **made}], made, locale, 3)
    assert len({len(line) for line in lines}) == 1

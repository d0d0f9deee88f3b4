"""The periods of bulletins: a month as 2026-11, a quarter as 2026-Q4."""

from __future__ import annotations

import re
from datetime import date, timedelta

from reporting_service.domain.spans import Span

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")


def period_span(period: str) -> Span:
    """The days of a period, both ends included; ValueError for anything that is none."""
    if month := _MONTH.fullmatch(period):
        return _months(int(month[1]), int(month[2]), 1)
    if quarter := _QUARTER.fullmatch(period):
        return _months(int(quarter[1]), 3 * int(quarter[2]) - 2, 3)
    raise ValueError("a period is a month as 2026-11 or a quarter as 2026-Q4")


def before(span: Span) -> Span | None:
    """The span of the same length just before; None for an open one, and where the calendar has no such days."""
    if span.first is None or span.last is None:
        return None
    length = span.last - span.first + timedelta(days=1)
    if span.first - date.min < length:
        return None
    return Span(span.first - length, span.first - timedelta(days=1))


def month_before(day: date) -> str:
    """The month before that of a day: what a bulletin is written of."""
    last = day.replace(day=1) - timedelta(days=1)
    return f"{last:%Y-%m}"


def part_of(span: Span, key: str) -> Span:
    """The days of a span that lie in a row's day (2026-11-24) or month (2026-11)."""
    within = period_span(key) if _MONTH.fullmatch(key) else Span(date.fromisoformat(key), date.fromisoformat(key))
    first = max(filter(None, (span.first, within.first)), default=None)
    return Span(first, min(filter(None, (span.last, within.last)), default=None))


def _months(year: int, first: int, count: int) -> Span:
    if not 1900 <= year <= 8999:
        raise ValueError("a period lies in the years 1900 to 8999")
    after = first + count
    end = date(year + (after - 1) // 12, (after - 1) % 12 + 1, 1)
    return Span(date(year, first, 1), end - timedelta(days=1))

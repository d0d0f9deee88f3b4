"""Which sums make up a span: whole months and all time where they are at hand, single days at its edges."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, NamedTuple

from reporting_service.domain.spans import Span

_DAY = timedelta(days=1)


class Part(NamedTuple):
    """Sums to add (`sign` 1) or to take away (-1): of days, of whole months named by their first day, or of all time.

    Both ends are included; None is open.
    """

    of: Literal["days", "months", "all"]
    first: date | None
    last: date | None
    sign: int = 1


def by_days(span: Span) -> list[Part]:
    """The span as nothing but days."""
    return [Part("days", span.first, span.last)]


def by_months(span: Span, today: date) -> list[Part]:
    """The span as whole months, and days at its edges: those inside, or all of the month less those outside.

    Whichever are fewer up to `today`; what lies ahead of it has next to nothing.
    """
    first, last = span
    begin = None if first is None else first.replace(day=1)
    end = None if last is None else last.replace(day=1)
    if first is not None and last is not None and begin == end:
        return _in_a_month(first, last, today)
    edges = []
    if first is not None and begin is not None and first > begin:
        inside, outside = (first, _next(begin) - _DAY), (begin, first - _DAY)
        if _days(*inside, today) <= _days(*outside, today):
            edges.append(Part("days", *inside))
            begin = _next(begin)
        else:
            edges.append(Part("days", *outside, -1))
    if last is not None and end is not None and last < _next(end) - _DAY:
        inside, outside = (end, last), (last + _DAY, _next(end) - _DAY)
        if _days(*inside, today) <= _days(*outside, today):
            edges.append(Part("days", *inside))
            end = (end - _DAY).replace(day=1)
        else:
            edges.append(Part("days", *outside, -1))
    if begin is not None and end is not None and end < begin:
        return edges
    return [Part("months", begin, end), *edges]


def by_all(span: Span, today: date) -> list[Part]:
    """As `by_months`; a span without a beginning is all time less what came after it."""
    if span.first is not None:
        return by_months(span, today)
    after = [] if span.last is None else by_months(Span(span.last + _DAY, None), today)
    return [Part("all", None, None), *(part._replace(sign=-part.sign) for part in after)]


def _in_a_month(first: date, last: date, today: date) -> list[Part]:
    begin = first.replace(day=1)
    outside = [
        (one, other) for one, other in ((begin, first - _DAY), (last + _DAY, _next(begin) - _DAY)) if one <= other
    ]
    if _days(first, last, today) <= sum(_days(*days, today) for days in outside):
        return [Part("days", first, last)]
    return [Part("months", begin, begin), *(Part("days", *days, -1) for days in outside)]


def _days(first: date, last: date, today: date) -> int:
    """How many up to today."""
    return max(0, (min(last, today) - first).days + 1)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)

"""From which sums a report is made: those of days, of whole months and of all time, put together as one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

from lianhu_kit.divisions import VILLAGE
from reporting_service.domain.contribution import HAPPENED
from reporting_service.domain.covering import Part, by_all, by_days, by_months
from reporting_service.domain.spans import Span
from reporting_service.queries.snapshots import Reading, place_clause

PERIODS = ("day", "month")
# The key of where requests stood before the first period.
BEFORE = ""
_KEY = {
    "village": "tenant",
    "town": "left(tenant, 9)",
    "grid": "NULLIF(grid, '')",
    "service": "service",
    "volunteer": "person::text",
    "day": "{day}::text",
    "month": "to_char({day}, 'YYYY-MM')",
}
# A range of names, so that an index can take it.
_STANDING = "(measure >= 'now.' AND measure < 'now/')"
Way = Callable[[Span], list[Part]]


def key_of(by: str, day: str) -> str:
    """What rows are grouped by; `day` is the column with the day."""
    return _KEY[by].format(day=day)


def pieces_of(reading: Reading, org: str, span: Span, by: str, basis: str) -> tuple[str, dict[str, date]]:
    """The rows `(key, measure, value)` whose sums a report shows, as SQL, and the days that it names.

    With basis happened, where requests stood at the span's end is the sum of all moves before it, however old; by day
    or month, that of the moves before the first one has the key BEFORE.
    """
    inside, until = _ways(reading, org, by)
    pieces = _Pieces("volunteer_tallies" if by == "volunteer" else "tallies", place_clause(org))
    if basis != HAPPENED or span.first is None:
        pieces.add(inside(span), _KEY[by])
    elif by in PERIODS:
        pieces.add(inside(span), _KEY[by])
        pieces.add(until(Span(None, span.first - timedelta(days=1))), f"'{BEFORE}'", _STANDING)
    else:
        pieces.add(inside(span), _KEY[by], f"NOT {_STANDING}")
        pieces.add(until(Span(None, span.last)), _KEY[by], _STANDING)
    return " UNION ALL ".join(pieces.texts), pieces.days


def _ways(reading: Reading, org: str, by: str) -> tuple[Way, Way]:
    """How a span is covered, and all that came until a day: sums of months and of all time know no grid, no holder."""
    if not reading.spans or len(org) > VILLAGE or by in ("grid", "volunteer"):
        return by_days, by_days
    today = reading.as_of.astimezone(reading.zone).date()
    whole: Way = partial(by_all, today=today)
    if by in PERIODS:
        return (by_days if by == "day" else partial(by_months, today=today)), whole
    return whole, whole


class _Pieces:
    """Texts and the values that they name."""

    def __init__(self, table: str, place: str) -> None:
        self._table, self._place = table, place
        self.texts: list[str] = []
        self.days: dict[str, date] = {}

    def add(self, parts: Sequence[Part], key: str, measures: str = "true") -> None:
        """Adds the rows of some parts of a span under a key, `{day}` in which is the part's day."""
        for part in parts:
            column = "day" if part.of == "days" else "month"
            table = self._table if part.of == "days" else "span_tallies"
            bounds = [] if part.of != "all" else ["month = '-infinity'"]
            for sign, day in ((">=", part.first), ("<=", part.last)):
                if day is not None:
                    name = f"day_{len(self.days)}"
                    self.days[name] = day
                    bounds.append(f"{column} {sign} :{name}")
            if part.of == "months" and part.first is None:
                bounds.append("month > '-infinity'")
            wanted = " AND ".join(["basis = :basis", self._place, *bounds, measures])
            value = "value" if part.sign > 0 else "-value"
            self.texts.append(
                f"SELECT {key.format(day=column)} AS key, measure, {value} AS value FROM {table} WHERE {wanted}"
            )

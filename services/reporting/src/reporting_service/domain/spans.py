"""A span of days, both ends included, in the zone that days are counted in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple


class Span(NamedTuple):
    """From one day to another, both included; None is open."""

    first: date | None
    last: date | None

    @property
    def is_backwards(self) -> bool:
        """Whether it ends before it begins."""
        return self.first is not None and self.last is not None and self.last < self.first

    def bounds(self, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """The instants (UTC): the first that lies in the span and the first after it."""
        begin = None if self.first is None else start_of(self.first, zone)
        end = None if self.last is None else start_of(self.last + timedelta(days=1), zone)
        return begin, end


def start_of(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""Limits: when something falls due, in plain or in working time, and when it turns amber.

Working time has hours (several spans a day, so that noon can be free) and days of the week, in the village's own
time zone. Seconds in, aware UTC times out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

AMBER = 0.8  # of a limit's time has passed: still in time, but look at it
DAY = 86_400
# Longer limits than this are mistakes; it also bounds the walk over days without working time.
LONGEST = 400 * DAY

DEFAULT_HOURS = (("08:00", "12:00"), ("14:30", "17:30"))
DEFAULT_DAYS = (1, 2, 3, 4, 5)


def _length(span: tuple[time, time]) -> timedelta:
    return datetime.combine(date.min, span[1]) - datetime.combine(date.min, span[0])


@dataclass(frozen=True)
class Limit:
    """So many seconds, counted in working time or around the clock."""

    seconds: int
    working: bool = False


@dataclass(frozen=True)
class WorkingTime:
    """When a village works: ISO weekdays, spans of the local day in order, and the zone they are meant in."""

    days: frozenset[int]
    spans: tuple[tuple[time, time], ...]
    zone: tzinfo

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(1, 8)):
            raise ValueError("working_days are ISO weekdays, 1 (Monday) to 7, at least one: [1, 2, 3, 4, 5]")
        if not self.spans:
            raise ValueError('working_hours need at least one span: [["08:00", "12:00"]]')
        edges = [edge for span in self.spans for edge in span]
        if any(earlier >= following for earlier, following in pairwise(edges)):
            raise ValueError("working_hours are spans that begin before they end, in order, without overlap")
        # Less than that, and a limit of weeks would be looked for over lifetimes.
        if len(self.days) * sum((_length(span) for span in self.spans), timedelta()) < timedelta(hours=1):
            raise ValueError("working_hours and working_days together make at least an hour a week")

    def of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The spans of a local day as UTC times."""
        if day.isoweekday() in self.days:
            for start, end in self.spans:
                yield (
                    datetime.combine(day, start, self.zone).astimezone(UTC),
                    datetime.combine(day, end, self.zone).astimezone(UTC),
                )


def working_time(settings: Mapping[str, Any], zone: tzinfo) -> WorkingTime | None:
    """The working time that an org unit's settings say; None when every hour is a working hour.

    ValueError with a remedy where the settings make no sense.
    """
    if settings.get("always_working"):
        return None
    hours: Sequence[Sequence[str]] = settings.get("working_hours") or DEFAULT_HOURS
    try:
        spans = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in hours)
    except (TypeError, ValueError) as error:
        raise ValueError('working_hours are pairs of local times: [["08:00", "12:00"]]') from error
    return WorkingTime(frozenset(settings.get("working_days") or DEFAULT_DAYS), spans, zone)


def later(start: datetime, seconds: float, working: WorkingTime | None) -> datetime:
    """The moment at which so many seconds have passed since `start`, counting working time only where given."""
    if seconds < 0 or seconds > LONGEST:
        raise ValueError(f"A limit lies between 0 and {LONGEST} seconds")
    start = start.astimezone(UTC)
    if working is None:
        return start + timedelta(seconds=seconds)
    left = timedelta(seconds=seconds)
    day = start.astimezone(working.zone).date()
    while True:
        for begin, end in working.of(day):
            begin = max(begin, start)  # noqa: PLW2901 - the part of the span that is still to come
            if begin < end:
                if left <= end - begin:
                    return begin + left
                left -= end - begin
        day += timedelta(days=1)


def due(start: datetime, limit: Limit, working: WorkingTime | None) -> datetime:
    """When a limit that began at `start` falls due."""
    return later(start, limit.seconds, working if limit.working else None)


def near(start: datetime, limit: Limit, working: WorkingTime | None) -> datetime:
    """When a limit turns amber: 80 % of its time has passed."""
    return later(start, limit.seconds * AMBER, working if limit.working else None)


def sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two times, where None means never."""
    if one is None or other is None:
        return one or other
    return min(one, other)


def tightened(current: datetime | None, start: datetime, seconds: int) -> datetime:
    """An urgent request's limit: around the clock, and never later than it was."""
    urgent = start + timedelta(seconds=seconds)
    return min(current, urgent) if current else urgent

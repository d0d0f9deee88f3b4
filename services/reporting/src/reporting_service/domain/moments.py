"""Moments as integers: microseconds since 1970 in UTC, exact and quick to compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# From one moment to another, or until further notice.
Stretch = tuple[int, int | None]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The aware time (UTC) of microseconds since 1970."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)


def without(stretch: Stretch, begin: int, end: int | None) -> list[Stretch]:
    """A stretch less another one: none, one or two parts."""
    first, last = stretch
    if last is not None and last <= begin:
        return [stretch]
    parts: list[Stretch] = []
    if first < begin:
        parts.append((first, begin))
    if end is not None and (last is None or end < last):
        parts.append((max(first, end), last))
    return parts

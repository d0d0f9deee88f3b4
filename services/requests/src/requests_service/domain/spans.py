"""Spans of time as readers give them: days of the local calendar, or moments."""

from datetime import date, datetime, time, timedelta, tzinfo


def edge(text: str, zone: tzinfo, *, end: bool) -> datetime:
    """One edge of a span. A day means its beginning, or as the end of a span its whole; a moment means itself.

    ValueError with a remedy for anything else, a moment without offset among them.
    """
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            moment: datetime | None = datetime.combine(day, time(), zone)
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None or not 1900 <= moment.year <= 9000:  # zones must not lead out of years
        raise ValueError("must be a day (2026-03-01) or a time with offset (2026-03-01T08:00:00+08:00)")
    return moment

"""Work on site: how many places, when it begins, how long it took, who was served."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from math import ceil

from dispatch_service.domain.eligibility import is_checked
from dispatch_service.domain.errors import ImpossibleTime, TwoPeopleNeeded

PEOPLE_FOR_A_MINOR = 2
# Phones are not always on time, and report when they have signal again.
CLOCK_SKEW = timedelta(minutes=5)
LONGEST_VISIT = timedelta(hours=24)


def places_for(asked: int, *, minor: bool) -> int:
    """The places of an assignment: those asked for, at least two for a minor, at least one."""
    return max(asked, PEOPLE_FOR_A_MINOR if minor else 1)


def check_two_people(checks: Collection[date | None], today: date) -> None:
    """Refuses a visit to a minor unless two holders have a check that is valid today; TwoPeopleNeeded."""
    checked = sum(is_checked(until, today) for until in checks)
    if checked < PEOPLE_FOR_A_MINOR:
        raise TwoPeopleNeeded(checked)


def begins(checked_in: int, *, minor: bool) -> bool:
    """Whether so many check-ins begin the work: the first, with a minor the second."""
    return checked_in >= (PEOPLE_FOR_A_MINOR if minor else 1)


def check_time(field: str, at: datetime, *, not_before: datetime, now: datetime) -> datetime:
    """A time that somebody gave: not in the future, not before what it follows, give or take 5 minutes.

    It is brought into that span, so that no stay has a negative length. ImpossibleTime names the field.
    """
    if at > now + CLOCK_SKEW:
        raise ImpossibleTime(field, "This time is in the future. Give the time as it was, or leave it out for now.")
    if at < not_before - CLOCK_SKEW:
        raise ImpossibleTime(field, "This time is before the place was taken or the work began. Correct it.")
    return min(max(at, not_before), now)


def minutes_of(checked_in: datetime | None, checked_out: datetime | None) -> int | None:
    """Whole minutes of a stay, begun minutes counted; None where an end is missing, at most 24 hours."""
    if checked_in is None or checked_out is None:
        return None
    stay = min(max(checked_out - checked_in, timedelta()), LONGEST_VISIT)
    return ceil(stay / timedelta(minutes=1))

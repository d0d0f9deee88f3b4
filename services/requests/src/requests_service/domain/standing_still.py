"""The clock that stands still for a reason, and the one longer limit. Both are asked for and decided one level up.

Source: suspend and extend in the product's glossary; decision 0019.
"""

from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=90)  # that a clock stands still, or that a limit is made longer by


class Asked(StrEnum):
    """What was asked of the next level and waits for its word."""

    SUSPEND = "suspend"
    EXTEND_CONTACT = "extend-contact"
    EXTEND_FINISH = "extend-finish"


class NothingAsked(Exception):
    """Nobody has asked for this. Give the time and the reason to decide it by yourself."""


class AlreadySuspended(Exception):
    """The clock stands still already. Resume the request first."""


class NotSuspended(Exception):
    """The clock of this request runs."""


class ExtendedBefore(Exception):
    """A limit is made longer once, and this request has had that."""


class LimitOver(Exception):
    """A longer limit is asked for before the limit passes, and this one has passed."""


class NoLimit(Exception):
    """There is no such limit to make longer: the service sets none, or it was met."""


def require_running(suspended_at: datetime | None) -> None:
    """Raises AlreadySuspended where the clock stands still."""
    if suspended_at is not None:
        raise AlreadySuspended


def require_ask(asked: str | None, wanted: Asked) -> None:
    """Raises NothingAsked unless just this waits for a decision."""
    if asked != wanted:
        raise NothingAsked


def until_is_right(until: datetime, after: datetime) -> bool:
    """Whether a time lies after another, and not further than the longest stretch."""
    return after < until <= after + LONGEST


def require_extendable(due: datetime | None, at: datetime | None, extended_at: datetime | None) -> datetime:
    """The limit that may be made longer, seen at a time; None where it was asked for in time.

    Raises ExtendedBefore, NoLimit, LimitOver.
    """
    if extended_at is not None:
        raise ExtendedBefore
    if due is None:
        raise NoLimit
    if at is not None and at >= due:
        raise LimitOver
    return due


def shifted(due: datetime | None, stopped: datetime, runs: datetime) -> datetime | None:
    """A limit after its clock stood still from `stopped` to `runs`: as much time is left as was then.

    What had passed when the clock stopped stays passed.
    """
    if due is None or due <= stopped:
        return due
    return due + max(runs - stopped, timedelta())

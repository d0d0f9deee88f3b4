"""Confirmation, grades, rework, and who may record a call back."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

LOWEST_TWO = frozenset({1, 2})
LATE_CONFIRMATION = timedelta(days=30)
TRIES = 2  # before silence may close a request, and even then as unconfirmed
REWORK_CONTACT_SECONDS = 86_400
SECOND = 2  # the reopening that is beyond the village


class Solved(StrEnum):
    """The resident's answer to: is it solved?"""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class TooLate(Exception):
    """The request was closed more than 30 days ago. Place a new one and name this one's number in it."""


class NotYourCallback(Exception):
    """Whoever accepted, held or completed a request cannot record its call back. Ask someone else to call."""


def needs_rework(solved: str, grade: int) -> bool:
    """Not solved, or one of the lowest two grades: it is done again."""
    return solved == Solved.NO or grade in LOWEST_TWO


def reworked_by_itself(reopened: int, route: str | None) -> bool:
    """Whether a reopened request goes out again at once.

    To volunteers the first time. Staff are named by a person, and a second reopening is reported up.
    """
    return reopened == 1 and route == "volunteers"


def reported_up_by_itself(reopened: int) -> bool:
    """Whether a reopened request goes to the town at once: from the second reopening on."""
    return reopened >= SECOND


def require_in_time(closed_at: datetime | None, now: datetime) -> None:
    """Raises TooLate when a closed request is past its 30 days."""
    if closed_at is not None and now > closed_at + LATE_CONFIRMATION:
        raise TooLate


def require_disinterested(caller: object, *, accepted_by: object | None, doers: Collection[object]) -> None:
    """Raises NotYourCallback for whoever accepted, held or completed the request."""
    if caller == accepted_by or caller in doers:
        raise NotYourCallback


def silence_closes(tries: int) -> bool:
    """Whether enough tries to reach the resident were made."""
    return tries >= TRIES


def reason_of_rework(solved: str) -> Literal["grade", "not-solved"]:
    """Why a request was reopened, as events say it."""
    return "not-solved" if solved == Solved.NO else "grade"

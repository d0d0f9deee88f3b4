"""What an order needs before it is stored: a way to reach someone, a guardian's consent for a child, sane times."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=5)
LATEST = timedelta(days=366)
# Kinds in which somebody goes to the one served: there a child needs two checked people.
VISITING = frozenset({"convenience", "visit", "class"})


class NoWayToReach(Exception):
    """Nobody could be told what comes of the order. Give a phone, a household, or `reach` in words."""


class ConsentMissing(Exception):
    """A child is served only with the guardian's consent: give its name, phone and time in `guardian_consent`."""


class ConsentUnasked(Exception):
    """A guardian's consent is given for a child only. Leave it out, or say that a child is served."""


@dataclass(frozen=True)
class Wanted:
    """When the resident would like it: either end may be open."""

    start: datetime | None
    end: datetime | None


def require_reach(*, phone: str | None, household: object | None, reach: str | None, account: bool) -> None:
    """Raises NoWayToReach unless a phone, a household, a way in words, or the orderer's own inbox is there."""
    if not (phone or household or reach or account):
        raise NoWayToReach


def require_consent(kind: str, *, service_asks: bool, consent: bool) -> None:
    """Raises ConsentMissing for a child's order without consent, ConsentUnasked for consent without a child.

    A service can ask for consent of its own (`service_asks`), whoever is served.
    """
    if not consent and (kind == "child" or service_asks):
        raise ConsentMissing
    if consent and kind != "child" and not service_asks:
        raise ConsentUnasked


def consent_time_fault(at: datetime, now: datetime) -> str | None:
    """Why a consent cannot have been given at that time; None when it can."""
    if at > now + CLOCKS_DIFFER:
        return "The consent lies in the future. Give the time at which it was given."
    if at < now - LATEST:
        return "The consent is over a year old. Ask the guardian again."
    return None


def wanted_fault(wanted: Wanted, now: datetime) -> str | None:
    """Why a wanted time is impossible; None when it is not."""
    if wanted.start and wanted.end and wanted.end <= wanted.start:
        return "The end comes before the beginning. Give `from` before `to`."
    if wanted.end and wanted.end < now - CLOCKS_DIFFER:
        return "The wanted time is over. Give one that is to come."
    if any(edge and edge > now + LATEST for edge in (wanted.start, wanted.end)):
        return "The wanted time is more than a year away. Give an earlier one."
    return None


def is_minor_visit(served: str, kind: str) -> bool:
    """Whether somebody will go to a child: then two people with a dated check are needed."""
    return served == "child" and kind in VISITING


def places_for(asked: int | None, *, default: int, minor: bool) -> int | None:
    """How many people a dispatch seeks; None when fewer were asked for than a visit to a minor needs."""
    if minor:
        return max(asked or default, 2) if asked is None or asked >= 2 else None
    return asked or default

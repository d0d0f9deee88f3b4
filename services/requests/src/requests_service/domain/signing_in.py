"""Rules of signing in: codes, how often, how long a session lasts. Times are seconds."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

CODE_DIGITS = 6
CODE_SECONDS = 300
TRIES = 5
# How many codes may go to one phone in how long a time.
RATES = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(days=1), 10))
DAY = timedelta(days=1)
STAFF = frozenset(
    {"grid_worker", "grid_leader", "branch_secretary", "clerk", "supervisor", "integrator", "operator", "admin"}
)
STAFF_SECONDS = 12 * 3600
FREE_SECONDS = 30 * 86_400
DEVICE_LENGTH = 60


class NobodyYet(Exception):
    """No order and no account has this phone yet. Place an order first, or ask your village to add you."""


class WrongCode(Exception):
    """This code does not count: it is wrong, used or too old. Ask for a new one after five wrong tries."""


def wait_for_code(sent: Sequence[datetime], now: datetime) -> timedelta | None:
    """How long a phone waits for its next code, None where it may have one now. `sent`: its codes of the last day."""
    waits = []
    for span, most in RATES:
        within = sorted(moment for moment in sent if moment > now - span)
        if len(within) >= most:
            waits.append(within[-most] + span - now)
    return max(waits) if waits else None


def session_seconds(roles: Collection[str]) -> int:
    """How long a sign-in lasts: a working day for staff, thirty days for residents and volunteers."""
    return STAFF_SECONDS if STAFF.intersection(roles) else FREE_SECONDS


def goes_on(roles: Collection[str]) -> bool:
    """Whether each use makes the session last anew: for residents and volunteers; a working day ends."""
    return not STAFF.intersection(roles)


def device_words(agent: str) -> str:
    """A device as its owner knows it again, from the header User-Agent (RFC 9110, 10.1.5): no version, no more."""
    systems = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
               ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip
    browsers = (("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
                ("Safari", "Safari"))  # fmt: skip
    found = [next((name for mark, name in names if mark in agent), "") for names in (browsers, systems)]
    return ", ".join(filter(None, found))[:DEVICE_LENGTH] or "?"

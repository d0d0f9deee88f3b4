"""The call list: what an outcome means for the delivery, when to try again, and when a call has become pointless."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TRIES = 2  # of one message, by themselves; a later reminder is a message of its own
STALE_AFTER = timedelta(days=1)  # older events send nothing outward (engineering.md, told once)


class Outcome(StrEnum):
    """What came of a call or a knock at the door."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"


@dataclass(frozen=True)
class Consequence:
    """What follows: the delivery's state and reason, whether another try opens, whether the clerks are told."""

    state: str
    reason: str | None = None
    try_again: bool = False
    tell_clerks: bool = False


def consequence(outcome: Outcome, attempt: int) -> Consequence:
    """The consequence of the `attempt`-th try (1, 2, …) of a message.

    Only who was reached has been told. Who refuses was tried and is not rung again: nobody is pressed. Behind a wrong
    number nobody answers better the second time: the clerks are told, so that they correct it.
    """
    if outcome is Outcome.REACHED:
        return Consequence("sent")
    if outcome is Outcome.NO_ANSWER:
        return Consequence("failed", "no-answer", try_again=attempt < TRIES)
    if outcome is Outcome.WRONG_NUMBER:
        return Consequence("failed", "wrong-number", tell_clerks=True)
    return Consequence("failed", "refused")


# What people are called for; `hearing` says on which rows.
PURPOSES: frozenset[str] = frozenset({"ask", "result", "merged", "news", "confirm", "visit", "guardian", "limit"})
_VISIT = frozenset({"visit", "guardian"})

# An event → the purposes of open calls that nobody needs to make any more.
POINTLESS: Mapping[str, frozenset[str]] = {
    "request.withdrawn": PURPOSES,
    "request.merged": PURPOSES,
    "request.transferred": PURPOSES,
    "request.rejected": PURPOSES,
    "request.replied": frozenset({"ask"}),
    "request.reviewed": frozenset({"result"}),
    "request.split": frozenset({"merged"}),
    "request.resumed": frozenset({"limit"}),
    "request.extended": frozenset({"limit"}),
    "request.agency-replied": frozenset({"news"}),
    "request.completed": _VISIT | {"ask", "news", "limit"},
    "request.confirmed": PURPOSES,
    "request.reopened": frozenset({"confirm", "result"}),
    "request.closed": PURPOSES,
    "dispatch.released": _VISIT,
    "dispatch.returned": _VISIT,
    "dispatch.cancelled": _VISIT,
}


# The two topics cross on the way: a claim can be heard of after the request's end.
_DROPPED = frozenset({"withdrawn", "merged", "rejected", "transferred"})
_OVER = _DROPPED | {"completed", "closed_confirmed", "closed_unconfirmed"}


def overtaken(event: str, audience: str, status: str, *, by_call: bool) -> bool:
    """Whether the request's end has overtaken news of its dispatch for those who asked.

    News of somebody who comes is never told after the request was dropped. After completion the inbox still gets it,
    as part of the story, but nobody is called for it.
    """
    if not event.startswith("dispatch.") or audience not in ("resident", "guardian", "reporter"):
        return False
    return status in (_OVER if by_call else _DROPPED)


_ENDED = frozenset({"withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed"})


def is_over(status: str) -> bool:
    """Whether a request has ended so that nobody is called about it any more."""
    return status in _ENDED


def is_stale(happened: datetime, now: datetime) -> bool:
    """Whether an event is too old to send anything outward for it; both aware."""
    return now - happened > STALE_AFTER

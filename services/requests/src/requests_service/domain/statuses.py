"""Where a request can stand and how it can move: declared once, obeyed everywhere.

Source: the life of a request in the product's glossary. Every move of the life is here; a status
without an entry for a move does not allow it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a request stands."""

    SUBMITTED = "submitted"
    AWAITING_RESIDENT = "awaiting_resident"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    REFERRED = "referred"
    WITH_TOWN = "with_town"
    COMPLETED = "completed"
    CLOSED_CONFIRMED = "closed_confirmed"
    CLOSED_UNCONFIRMED = "closed_unconfirmed"
    REJECTED = "rejected"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"


class Move(StrEnum):
    """What can happen to a request. The values are what people and problems call it."""

    ASK = "ask"
    REPLY = "reply"
    ACCEPT = "accept"
    REJECT = "reject"
    UPHOLD = "review: uphold"
    OVERTURN = "review: overturn"
    MERGE = "merge"
    SPLIT = "split"
    TRANSFER = "transfer"
    ANSWER = "answer"
    DISPATCH = "dispatch"
    CLAIM = "claim"
    CHECK_IN = "check-in"
    COMPLETE = "complete"
    RELEASE = "release"
    RETURN = "return"
    REFER = "refer"
    AGENCY_DONE = "agency-reply: done"
    AGENCY_BOUNCED = "agency-reply: bounced"
    REPORT_UP = "report-up"
    SEND_BACK = "send-back"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"
    # These stand beside the status: they move the clock or note something, not the status.
    CONTACT = "contacted"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"


S, M = Status, Move

OPEN = frozenset(
    {
        S.SUBMITTED,
        S.AWAITING_RESIDENT,
        S.ACCEPTED,
        S.DISPATCHED,
        S.CLAIMED,
        S.IN_PROGRESS,
        S.REFERRED,
        S.WITH_TOWN,
    }
)
WITH_DISPATCH = frozenset({S.DISPATCHED, S.CLAIMED, S.IN_PROGRESS})
BESIDE = frozenset({M.CONTACT, M.SUSPEND, M.RESUME, M.EXTEND})
# The move that no call makes: refusals do not offer it.
UNOFFERED = frozenset({M.LAPSE})

_FLOW: dict[Status, dict[Move, Status]] = {
    S.SUBMITTED: {
        M.ASK: S.AWAITING_RESIDENT,
        M.ACCEPT: S.ACCEPTED,
        M.REJECT: S.REJECTED,
        M.MERGE: S.MERGED,
        M.TRANSFER: S.TRANSFERRED,
        M.REPORT_UP: S.WITH_TOWN,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.AWAITING_RESIDENT: {
        M.REPLY: S.SUBMITTED,
        M.MERGE: S.MERGED,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.ACCEPTED: {
        M.ANSWER: S.COMPLETED,
        M.DISPATCH: S.DISPATCHED,
        M.MERGE: S.MERGED,
        M.TRANSFER: S.TRANSFERRED,
        M.REFER: S.REFERRED,
        M.REPORT_UP: S.WITH_TOWN,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.DISPATCHED: {
        M.CLAIM: S.CLAIMED,
        M.MERGE: S.MERGED,
        M.RETURN: S.ACCEPTED,
        M.REFER: S.REFERRED,
        M.REPORT_UP: S.WITH_TOWN,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.CLAIMED: {
        M.CHECK_IN: S.IN_PROGRESS,
        M.COMPLETE: S.COMPLETED,
        M.RELEASE: S.DISPATCHED,
        M.RETURN: S.ACCEPTED,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.IN_PROGRESS: {
        M.COMPLETE: S.COMPLETED,
        M.RELEASE: S.DISPATCHED,
        M.RETURN: S.ACCEPTED,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.REFERRED: {
        M.AGENCY_DONE: S.COMPLETED,
        M.AGENCY_BOUNCED: S.ACCEPTED,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.WITH_TOWN: {
        M.SEND_BACK: S.ACCEPTED,
        M.ANSWER: S.COMPLETED,
        M.REFER: S.REFERRED,
        M.DISPATCH: S.DISPATCHED,
        M.WITHDRAW: S.WITHDRAWN,
    },
    S.COMPLETED: {
        M.CONFIRM: S.CLOSED_CONFIRMED,
        M.REOPEN: S.ACCEPTED,
        M.LAPSE: S.CLOSED_UNCONFIRMED,
    },
    S.CLOSED_UNCONFIRMED: {
        M.CONFIRM: S.CLOSED_CONFIRMED,
        M.REOPEN: S.ACCEPTED,
    },
    S.REJECTED: {M.UPHOLD: S.REJECTED, M.OVERTURN: S.ACCEPTED},
    S.MERGED: {M.SPLIT: S.SUBMITTED},
    S.CLOSED_CONFIRMED: {},
    S.WITHDRAWN: {},
    S.TRANSFERRED: {},
}

TRANSITIONS: Mapping[Status, Mapping[Move, Status]] = MappingProxyType(
    {
        status: MappingProxyType(moves | ({move: status for move in Move if move in BESIDE} if status in OPEN else {}))
        for status, moves in _FLOW.items()
    }
)


class IllegalTransition(Exception):
    """The request cannot make this move from where it stands; `allowed` says what it can do instead."""

    def __init__(self, status: Status, move: Move) -> None:
        self.status = status
        self.move = move
        self.allowed = allowed(status)
        instead = ", ".join(self.allowed) if self.allowed else "nothing: it has ended"
        super().__init__(f"A request that is {status} cannot be moved by {move}. Allowed from here: {instead}.")


def allowed(status: Status) -> tuple[str, ...]:
    """The moves that calls can make from here, as their calls are named, in the order of their declaration."""
    names = (str(move).partition(":")[0] for move in TRANSITIONS[status] if move not in UNOFFERED)
    return tuple(dict.fromkeys(names))


def after(status: Status, move: Move) -> Status:
    """The status that a move leads to; IllegalTransition where the graph has no such move."""
    target = TRANSITIONS[status].get(move)
    if target is None:
        raise IllegalTransition(status, move)
    return target


_OF_ASSIGNMENT = {
    "routed": S.DISPATCHED,
    "offered": S.DISPATCHED,
    "assigned": S.DISPATCHED,
    "claimed": S.CLAIMED,
    "in_progress": S.IN_PROGRESS,
    "completed": S.COMPLETED,
    "returned": S.ACCEPTED,
}


def follow(status: Status, assignment: str, *, current: bool) -> Status:
    """Where a request stands once its assignment is known to be in a state.

    Dispatch moves only what it was given: a request that has been withdrawn, merged, referred or completed here
    meanwhile stays so, an assignment of an earlier round (`current` false) moves nothing, and a cancelled one
    neither.
    """
    if not current or status not in WITH_DISPATCH:
        return status
    return _OF_ASSIGNMENT.get(assignment, status)

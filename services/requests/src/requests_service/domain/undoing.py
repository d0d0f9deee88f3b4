"""What a desk can take back for a minute: only moves whose true inverse is in the graph. Source: decision 0026."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from requests_service.domain.statuses import Move

WINDOW = timedelta(minutes=1)


class UndoOver(Exception):
    """The minute to take it back is over. Make the move that leads on from here."""


class NothingToUndo(Exception):
    """There is nothing of yours to take back: it has moved on, or the move has no way back."""


@dataclass(frozen=True)
class Made:
    """A step of a request's story that this service made."""

    step: str
    at: datetime
    by: UUID | None


def inverse(steps: Sequence[Made], *, accepted: bool) -> Move | None:
    """The move that leads back from the last step to where the request stood before it; None where none does.

    A merged request comes out as new: that is a way back only for one that was new. A clock that was stopped because
    the village asked would run again without what was asked: that is none either.
    """
    if not steps:
        return None
    names = [each.step for each in steps]
    if names[-1] == "merged" and not accepted and _latest(names, "asked", "replied") != "asked":
        return Move.SPLIT
    asked = _latest(names[:-1], "suspend-asked", "suspended", "suspend-refused") == "suspend-asked"
    return Move.RESUME if names[-1] == "suspended" and not asked else None


def undo(steps: Sequence[Made], *, accepted: bool, person: UUID, now: datetime) -> Move:
    """The move by which somebody takes their own last move back. Raises NothingToUndo, UndoOver."""
    move = inverse(steps, accepted=accepted)
    if move is None or steps[-1].by != person:
        raise NothingToUndo
    if now > steps[-1].at + WINDOW:
        raise UndoOver
    return move


def _latest(names: Sequence[str], *wanted: str) -> str | None:
    return next((name for name in reversed(names) if name in wanted), None)

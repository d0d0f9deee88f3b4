"""What the service's own topic says of everything it ever told: enough to know again what was told, and to whom."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from notifications_service.domain.calls import Outcome
from notifications_service.domain.choices import Channel
from notifications_service.domain.hearing import HEARS
from notifications_service.domain.notices import CALL, INBOX
from notifications_service.domain.outward import recipient_of

# What was published last says until when everything told was published too, but for what waited in the outbox.
SEAM = timedelta(minutes=1)
WRONG_NUMBER = "call-wrong-number"
_ONCE = frozenset(rule.template for rule in HEARS if rule.once)
_OUTCOMES = {"no-answer": Outcome.NO_ANSWER, "wrong-number": Outcome.WRONG_NUMBER, "refused": Outcome.REFUSED}


@dataclass(frozen=True)
class Word:
    """One event of the own topic, by its id. `cause` is the id of the event or call that brought it."""

    id: str
    delivery: UUID
    kind: str
    sequence: int
    at: datetime
    cause: str
    tenant: str
    request: UUID | None
    purpose: str
    template: str
    channel: str
    audience: str
    person: UUID | None
    attempt: int = 1
    reason: str | None = None
    by: UUID | None = None


@dataclass(frozen=True)
class Told:
    """A delivery as its events leave it: who was told what by which cause, and what became of it."""

    first: Word
    last: Word
    # What followed of its outcome: the next try, and word to the clerks of a wrong number.
    following: tuple["Told", ...] = field(default=())

    @property
    def id(self) -> UUID:
        """The delivery's id."""
        return self.first.delivery

    @property
    def state(self) -> str:
        """Its state; an inbox holds it from the first word on, of what left the house nobody knows."""
        if self.last.kind != "due" or self.first.channel == CALL:
            return self.last.kind
        return "sent" if self.first.channel == INBOX else "failed"

    @property
    def reason(self) -> str | None:
        """Why it failed or was left out."""
        lost = self.first.channel not in (CALL, INBOX) and self.last.kind == "due"
        return "unknown" if lost else self.last.reason

    @property
    def outcome(self) -> str | None:
        """What came of a call that was made."""
        if self.first.channel != CALL or self.state not in ("sent", "failed"):
            return None
        return (Outcome.REACHED if self.state == "sent" else _OUTCOMES[self.last.reason or "no-answer"]).value

    @property
    def recipient(self) -> str:
        """What makes it the same recipient (audiences.Recipient.key)."""
        if self.first.channel in set(Channel) and self.first.person is not None:
            return recipient_of(self.first.channel, self.first.person)
        if self.first.person is not None:
            return f"person:{self.first.person}"
        nobody = self.last.reason == "nobody"
        return f"{'nobody' if nobody else 'call'}:{self.first.audience}:{self.first.request}"

    def about(self, event: str) -> str:
        """What it is told once for: the event, or the request."""
        return str(self.first.request) if self.first.template in _ONCE else event


class Recollection:
    """Everything told, by the event that it was told for, and the moment up to which nothing else is told again."""

    def __init__(self, words: Iterable[Word]) -> None:
        firsts: dict[UUID, Word] = {}
        lasts: dict[UUID, Word] = {}
        self.newest: datetime | None = None
        for word in words:
            if word.delivery not in firsts or word.sequence < firsts[word.delivery].sequence:
                firsts[word.delivery] = word
            if word.delivery not in lasts or word.sequence > lasts[word.delivery].sequence:
                lasts[word.delivery] = word
            self.newest = word.at if self.newest is None else max(self.newest, word.at)
        told = {id: Told(first, lasts[id]) for id, first in firsts.items()}
        self._by_cause: dict[str, list[Told]] = {}
        for one in told.values():
            self._by_cause.setdefault(one.first.cause, []).append(one)
        # What an outcome brought has the outcome's cause and is its delivery's, not an event's.
        self._followed: dict[UUID, list[Told]] = {}
        for one in told.values():
            if one.first.channel == CALL and one.last.kind == "failed":
                # The next try comes of the same call, word to the clerks of the event that told of it.
                causes = (one.last.cause, one.last.id)
                brought = [each for cause in causes for each in self._by_cause.get(cause, [])]
                self._followed[one.id] = [each for each in brought if _follows(each, one)]
        self._left = set(told)
        self.count = len(told)

    def of(self, event: str) -> list[Told]:
        """What was told for an event, each with what followed. The same whenever it is asked."""
        return [self._whole(one) for one in self._by_cause.get(event, [])]

    def _whole(self, one: Told) -> Told:
        self._left.discard(one.id)
        return replace(one, following=tuple(self._whole(each) for each in self._followed.get(one.id, [])))

    def is_past(self, at: datetime) -> bool:
        """Whether an event is older than the seam: what it told is on the topic, and nobody else is told of it."""
        return self.newest is not None and at < self.newest - SEAM

    @property
    def left(self) -> int:
        """Deliveries that no event asked for: their cause is not on the topics."""
        return len(self._left)


def _follows(one: Told, made: Told) -> bool:
    if one.id == made.id or one.first.request != made.first.request:
        return False
    if one.first.template == WRONG_NUMBER:
        return made.last.reason == "wrong-number"
    return (one.first.template, one.first.audience, one.first.attempt) == (
        made.first.template,
        made.first.audience,
        made.first.attempt + 1,
    )

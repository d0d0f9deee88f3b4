"""The events of the dispatch topic. Names, phones and free text never travel: ids, codes and masked names do."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

TOPIC = "lianhu.dispatch.v1"
MOST_PEOPLE = 500  # in one event; a larger wave is several events with one wave number


class Published(BaseModel):
    """What an event says beyond the assignment's standing, which all of them carry."""

    type: ClassVar[str]

    def data(self) -> dict[str, Any]:
        """The event's own members as JSON values."""
        return self.model_dump(mode="json")


class Routed(Published):
    """An assignment was opened and routed."""

    type = "lianhu.dispatch.routed.v1"
    service: str
    urgent: bool
    minor: bool
    route: Literal["volunteers", "staff"]


class Offered(Published):
    """It was shown to a set of people."""

    type = "lianhu.dispatch.offered.v1"
    wave: int
    audience: str
    people: list[UUID]
    offered_until: datetime | None


class Declined(Published):
    """Somebody passed."""

    type = "lianhu.dispatch.declined.v1"
    person: UUID


class Assigned(Published):
    """One named person was asked, or, as staff, ordered."""

    type = "lianhu.dispatch.assigned.v1"
    person: UUID
    ordered: bool


class Claimed(Published):
    """A place was taken. `name` is masked."""

    type = "lianhu.dispatch.claimed.v1"
    person: UUID
    name: str
    via: Literal["offer", "assignment", "order"]


class Released(Published):
    """A holder gave the place back, or did not show up."""

    type = "lianhu.dispatch.released.v1"
    person: UUID


class CheckedIn(Published):
    """A holder began the work on site."""

    type = "lianhu.dispatch.checked-in.v1"
    person: UUID
    at: datetime


class CheckedOut(Published):
    """A holder ended the work on site."""

    type = "lianhu.dispatch.checked-out.v1"
    person: UUID
    at: datetime
    minutes: int | None


class Completed(Published):
    """A holder reported the work done; `last` where that completed the assignment."""

    type = "lianhu.dispatch.completed.v1"
    person: UUID
    last: bool
    served_person_times: int
    minutes: int | None
    evidence: Literal["photo", "word"]
    checked_in: bool


class Returned(Published):
    """The grid gave it back to the village."""

    type = "lianhu.dispatch.returned.v1"


class Escalated(Published):
    """The next level was told that nobody took it."""

    type = "lianhu.dispatch.escalated.v1"
    to: Literal["leader", "town"]
    wave: int


class Reminded(Published):
    """A nudge to who holds it, is asked or is offered it."""

    type = "lianhu.dispatch.reminded.v1"
    people: list[UUID]


class Supervised(Published):
    """A written order with a deadline; its words stay here."""

    type = "lianhu.dispatch.supervised.v1"
    until: datetime
    people: list[UUID]


class Cancelled(Published):
    """It is no longer wanted here."""

    type = "lianhu.dispatch.cancelled.v1"
    reason: Literal["withdrawn", "merged", "referred", "answered", "reported-up", "replaced"]
    holders: list[UUID]

"""What this service reads of `lianhu.dispatch.v1`."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class DispatchEvent(BaseModel):
    """The fields of every event of an assignment that matter here."""

    request_id: UUID
    by: UUID | None


class Offered(DispatchEvent):
    """It was shown to people, until a time or for as long as it takes."""

    people: list[UUID]
    offered_until: datetime | None


class Assigned(DispatchEvent):
    """One person is asked, or as staff ordered."""

    person: UUID
    ordered: bool


class Claimed(DispatchEvent):
    """A person took a place; `name` is masked."""

    person: UUID
    name: str


class Escalated(DispatchEvent):
    """Nobody took it: the leader or the town is told."""

    to: str


class Reminded(DispatchEvent):
    """People were nudged."""

    people: list[UUID]


class Supervised(DispatchEvent):
    """A written order with a deadline."""

    people: list[UUID]
    until: datetime


class Cancelled(DispatchEvent):
    """The work is not needed any more."""

    holders: list[UUID]

"""What this service reads of other services' events, and no field more."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

DISPATCH = "lianhu.dispatch.v1"
NOTIFICATIONS = "lianhu.notifications.v1"


class DispatchEvent(BaseModel):
    """What every event of dispatch says: which round of which request, and how its assignment stands after it."""

    request_id: UUID
    round: int
    state: str
    by: UUID | None


class ByPerson(DispatchEvent):
    """Somebody released, checked in or out."""

    person: UUID


class DispatchClaimed(ByPerson):
    """Somebody holds it now; the name is masked."""

    name: str


class DispatchCompleted(ByPerson):
    """Somebody reports it done."""

    evidence: str


class DeliveryEvent(BaseModel):
    """Somebody was told something, or was not reached."""

    request_id: UUID | None
    purpose: str
    channel: str
    audience: str


class DeliverySent(DeliveryEvent):
    """It reached the inbox, or the caller (`by`) reached the person."""

    by: UUID | None


class DeliveryFailed(DeliveryEvent):
    """This try reached nobody."""


HolderState = Literal["held", "released", "completed", "returned", "cancelled"]

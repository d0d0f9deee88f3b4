"""What this service reads of `lianhu.requests.v1`."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class RequestEvent(BaseModel):
    """The fields of every event of a request: its status after the event, and who acted."""

    request_id: UUID
    status: str
    by: UUID | None


class Submitted(RequestEvent):
    """A request was placed."""

    number: str
    service: str
    grid: str | None
    household: UUID | None
    reporter: UUID | None
    resident: UUID | None
    guardian: bool
    minor: bool
    urgent: bool
    unseen: bool = False


class Weighed(RequestEvent):
    """The village took it on or had it dispatched, and said whether it is urgent."""

    urgent: bool


class Asked(RequestEvent):
    """The village named what is missing."""

    missing_count: int


class Reviewed(RequestEvent):
    """The town upheld a refusal, or overturned it."""

    outcome: str


class Suspended(RequestEvent):
    """The clock stands still, until a time at most."""

    until: datetime


class AgencyReplied(RequestEvent):
    """The agency answered, or sent it back."""

    outcome: str


class Merged(RequestEvent):
    """The request follows another one from now on."""

    into: UUID


class Transferred(RequestEvent):
    """It belongs to another village; `number_into` is its number there."""

    number_into: str


class Limit(RequestEvent):
    """A limit comes near, has passed or was made longer."""

    limit: str
    due_at: datetime


class Completed(RequestEvent):
    """The work is done or the answer given."""

    via: str


class Closed(RequestEvent):
    """The request ended."""

    how: str

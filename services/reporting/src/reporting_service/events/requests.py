"""Trimmed events of the topic lianhu.requests.v1."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from reporting_service.events.trimmed import OfRequest, Trimmed

Status = Literal[
    "submitted",
    "awaiting_resident",
    "accepted",
    "dispatched",
    "claimed",
    "in_progress",
    "referred",
    "with_town",
    "completed",
    "closed_confirmed",
    "closed_unconfirmed",
    "rejected",
    "merged",
    "withdrawn",
    "transferred",
]


class Limits(Trimmed):
    """Until when someone is to be contacted, and the work to be done."""

    contact: AwareDatetime | None
    finish: AwareDatetime | None


class Moved(OfRequest):
    """What all events of a request carry; enough for those that only move or tell."""

    request_id: UUID
    status: Status
    by: UUID | None


class Submitted(Moved):
    """request.submitted"""

    number: str
    service: str
    grid: str | None
    reporter: UUID | None
    resident: UUID | None
    served_id: UUID | None
    limits: Limits
    unseen: bool = False


class Accepted(Moved):
    """request.accepted"""

    limits: Limits
    grid: str | None


class DispatchRequested(Moved):
    """request.dispatch-requested"""

    round: int = Field(ge=1)
    grid: str | None
    limits: Limits


class AgencyReplied(Moved):
    """request.agency-replied"""

    outcome: str


class Contacted(Moved):
    """request.contacted"""

    how: str
    at: AwareDatetime


class LimitReached(Moved):
    """request.limit-near and request.limit-passed"""

    limit: str
    due_at: AwareDatetime


class Completed(Moved):
    """request.completed"""

    via: str


class Confirmed(Moved):
    """request.confirmed"""

    solved: Literal["yes", "partly", "no"]
    grade: int | None = Field(ge=1, le=5)
    source: Literal["resident", "callback"]


class Reopened(Moved):
    """request.reopened"""

    reason_kind: str


class Extended(Moved):
    """request.extended"""

    limit: str
    due_at: AwareDatetime


class Resumed(Moved):
    """request.resumed"""

    limits: Limits


MODELS: dict[str, type[OfRequest]] = {
    "submitted": Submitted,
    "asked": Moved,
    "replied": Moved,
    "accepted": Accepted,
    "rejected": Moved,
    "reviewed": Moved,
    "dispatch-requested": DispatchRequested,
    "answered": Moved,
    "referred": Moved,
    "agency-replied": AgencyReplied,
    "reported-up": Moved,
    "sent-back": Moved,
    "merged": Moved,
    "split": Moved,
    "transferred": Moved,
    "withdrawn": Moved,
    "suspended": Moved,
    "resumed": Resumed,
    "extended": Extended,
    "contacted": Contacted,
    "limit-near": LimitReached,
    "limit-passed": LimitReached,
    "completed": Completed,
    "confirmed": Confirmed,
    "reopened": Reopened,
    "closed": Moved,
}

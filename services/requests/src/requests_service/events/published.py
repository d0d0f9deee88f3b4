"""What happens to a request, as the topic lianhu.requests.v1 tells it. No names, phones, addresses or free text."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

from lianhu_kit.outbox import OutgoingEvent

TOPIC = "lianhu.requests.v1"


class Limits(BaseModel):
    """When contact and finish are due; None where the service sets no such limit."""

    contact: datetime | None
    finish: datetime | None


class RequestEvent(BaseModel):
    """What every event says: which request, its status after it, and whose act it was."""

    name: ClassVar[str]
    request_id: UUID
    status: str
    by: UUID | None

    def outgoing(self, *, sequence: int, tenant: str) -> OutgoingEvent:
        """The event as the outbox takes it; `sequence` is the request's next on this topic."""
        return OutgoingEvent(
            topic=TOPIC,
            key=str(self.request_id),
            sequence=sequence,
            type=f"lianhu.request.{self.name}.v1",
            subject=str(self.request_id),
            tenant=tenant,
            data=self.model_dump(mode="json"),
        )


class Submitted(RequestEvent):
    """A request was placed."""

    name = "submitted"
    number: str
    service: str
    kind: str
    grid: str | None
    household: UUID | None
    channel: str
    reporter: UUID | None
    resident: UUID | None
    guardian: bool
    minor: bool
    served_kind: str
    served_id: UUID | None
    public: bool
    unseen: bool = False
    urgent: bool
    limits: Limits
    confirm_seconds: int


class Asked(RequestEvent):
    """The village named everything that is missing."""

    name = "asked"
    missing_count: int


class Replied(RequestEvent):
    """What was missing has been brought."""

    name = "replied"


class Accepted(RequestEvent):
    """The village takes it on."""

    name = "accepted"
    urgent: bool
    limits: Limits
    grid: str | None


class Rejected(RequestEvent):
    """The village refuses it, with a reason."""

    name = "rejected"


class Reviewed(RequestEvent):
    """The town upheld the refusal, or overturned it."""

    name = "reviewed"
    outcome: Literal["upheld", "overturned"]


class DispatchRequested(RequestEvent):
    """The village wants someone sent; `minor` says that it is a visit to a child."""

    name = "dispatch-requested"
    round: int
    number: str
    service: str
    kind: str
    summary: str
    grid: str | None
    household: UUID | None
    route: Literal["volunteers", "staff"]
    staff: UUID | None
    places: int
    urgent: bool
    minor: bool
    skill: str | None
    limits: Limits
    exclude: list[UUID]


class Answered(RequestEvent):
    """Answered with a source, nobody sent."""

    name = "answered"


class Referred(RequestEvent):
    """Handed to an agency with a reference."""

    name = "referred"


class AgencyReplied(RequestEvent):
    """The agency's reply was passed on, or it sent the request back."""

    name = "agency-replied"
    outcome: Literal["done", "bounced"]


class ReportedUp(RequestEvent):
    """Beyond the village; the unit `to` decides."""

    name = "reported-up"
    to: str


class SentBack(RequestEvent):
    """The unit gave it back to the village."""

    name = "sent-back"
    unit: str


class Merged(RequestEvent):
    """It follows another request from now on."""

    name = "merged"
    into: UUID
    number_into: str


class Split(RequestEvent):
    """It was taken out of the request that it followed."""

    name = "split"
    out_of: UUID


class Transferred(RequestEvent):
    """It belongs to another village, where it was placed anew."""

    name = "transferred"
    into: UUID
    tenant_into: str
    number_into: str


class Withdrawn(RequestEvent):
    """Taken back."""

    name = "withdrawn"


class Suspended(RequestEvent):
    """The clock stands still, until a time at most."""

    name = "suspended"
    until: datetime


class Resumed(RequestEvent):
    """The clock runs again."""

    name = "resumed"
    limits: Limits


class Extended(RequestEvent):
    """A limit was made longer, once."""

    name = "extended"
    limit: Literal["contact", "finish"]
    due_at: datetime
    was_due_at: datetime


class Contacted(RequestEvent):
    """The first human contact."""

    name = "contacted"
    how: Literal["phone", "visit", "desk"]
    at: datetime


class LimitNear(RequestEvent):
    """A limit turned amber."""

    name = "limit-near"
    limit: Literal["contact", "finish", "confirm"]
    due_at: datetime


class LimitPassed(LimitNear):
    """A limit passed."""

    name = "limit-passed"


class Completed(RequestEvent):
    """Done, and waiting for the resident's word."""

    name = "completed"
    round: int | None
    via: Literal["dispatch", "answer", "agency"]
    evidence: str
    confirm_by: datetime


class Confirmed(RequestEvent):
    """The resident's word, given or called back."""

    name = "confirmed"
    solved: str
    grade: int
    source: Literal["resident", "callback"]
    first: bool


class Reopened(RequestEvent):
    """Not solved: again."""

    name = "reopened"
    reason_kind: Literal["grade", "not-solved", "resident", "clerk"]
    count: int


class Closed(RequestEvent):
    """Ended."""

    name = "closed"
    how: Literal["confirmed", "unconfirmed"]


PUBLISHED: tuple[type[RequestEvent], ...] = (
    Submitted,
    Asked,
    Replied,
    Accepted,
    Rejected,
    Reviewed,
    DispatchRequested,
    Answered,
    Referred,
    AgencyReplied,
    ReportedUp,
    SentBack,
    Merged,
    Split,
    Withdrawn,
    Suspended,
    Resumed,
    Extended,
    Contacted,
    LimitNear,
    LimitPassed,
    Completed,
    Confirmed,
    Reopened,
    Closed,
)

"""The words that bodies are made of: names, phones, times, people served."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from lianhu_kit.api import Body, DivisionCode, Line, Moment, VillageCode, Words
from requests_service.domain.about import About
from requests_service.domain.phones import normal_phone

Name = Annotated[Line, StringConstraints(max_length=100)]
Phone = Annotated[Line, StringConstraints(max_length=40), AfterValidator(normal_phone)]
ServiceCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
GridCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]
Answers = Annotated[dict[Annotated[str, StringConstraints(max_length=64)], Any], Field(max_length=50)]

__all__ = [
    "Answers",
    "ContactBody",
    "DivisionCode",
    "GridCode",
    "Moment",
    "Name",
    "OrderBody",
    "Phone",
    "ServedBody",
    "ServiceCode",
    "VillageCode",
]


class ContactBody(Body):
    """Who orders. `relation` is to the one served: self, daughter, neighbour …"""

    name: Name
    phone: Phone | None = None
    relation: Annotated[Line, StringConstraints(max_length=40)] | None = None


class ConsentBody(Body):
    """A guardian's consent: whose, how to reach them, and when it was given."""

    name: Name
    phone: Phone
    at: Moment


class ServedBody(Body):
    """Who is served, where that is not the one who orders. A child needs the guardian's consent."""

    kind: Literal["adult", "elderly", "child", "household"]
    name: Name | None = None
    guardian_consent: ConsentBody | None = None


class WantedBody(Body):
    """When it would suit; either end may be open."""

    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None


class OrderBody(Body):
    """An order. `service` is a code of the village's catalogue; `door` the household whose plate was scanned.

    With `about` it is about somebody who works or helps in the village: the town has it, the village does not see it.
    """

    tenant: VillageCode
    service: ServiceCode
    text: Words
    contact: ContactBody | None = None
    reach: Line | None = None
    served: ServedBody | None = None
    address: Line | None = None
    grid: GridCode | None = None
    household: UUID | None = None
    door: UUID | None = None
    channel: Literal["web", "desk", "phone", "door", "field", "api"] | None = None
    wanted: WantedBody | None = None
    answers: Answers = Field(default_factory=dict)
    public: bool = False
    about: About | None = None
    notice: Annotated[Line, StringConstraints(max_length=50)] | None = None


def wanted_of(body: WantedBody | None) -> tuple[datetime | None, datetime | None]:
    """Both ends of a wanted time."""
    return (body.from_, body.to) if body else (None, None)

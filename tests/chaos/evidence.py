"""What a checker judges: what clients were told, and what rows, topics and reports say. Plain data, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Told:
    """A client's certain knowledge: this call was answered with success. `key` is the one it was sent with."""

    what: str
    request: str
    person: str = ""
    assignment: str = ""
    key: str = ""


@dataclass(frozen=True)
class Event:
    """An event as it stood on its topic; the list of them keeps each partition's order. `time` is its own word."""

    topic: str
    key: str
    id: str
    sequence: int
    type: str
    data: Mapping[str, Any]
    time: datetime | None = None

    @property
    def step(self) -> str:
        """The type's own word, as in `checked-in`."""
        return self.type.split(".")[2]


class Line(NamedTuple):
    """A topic's key, whose events are numbered 1, 2, 3 …"""

    topic: str
    key: str


@dataclass(frozen=True)
class Assignment:
    """A round of dispatch as its row says; `holders` are those who hold a place or have completed it."""

    request: str
    places: int
    taken: int
    state: str
    holders: frozenset[str]


@dataclass(frozen=True)
class Delivery:
    """One telling. `recipient`, `about`, `template` and `attempt` say whom, of what, how and for which time."""

    id: str
    recipient: str
    about: str
    template: str
    attempt: int
    request: str | None
    person: str | None


@dataclass
class Evidence:
    """Everything about one village. `statuses` are the rows of requests, `lines` every owner's last sequence.

    `span` is when all of it happened, by the clock of the databases; None where nobody looked at it.
    """

    told: list[Told] = field(default_factory=list)
    unsure: int = 0
    statuses: dict[str, str] = field(default_factory=dict)
    lines: dict[Line, int] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    clerks: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    facts: dict[str, str | None] = field(default_factory=dict)
    tallies: dict[str, int] = field(default_factory=dict)
    unsent: int = 0
    set_apart: int = 0
    strange: list[str] = field(default_factory=list)
    span: tuple[datetime, datetime] | None = None

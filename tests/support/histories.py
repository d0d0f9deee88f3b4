"""Raw events of invented orders, as the services would publish them: random walks through the declared graph.

Nothing here knows how they are counted. Every event keeps its contract; times are those of one clock.
"""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

REQUESTS, DISPATCH, NOTIFICATIONS = "lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1"
SERVICES = ("home-repair", "haircut", "errand-medical", "parking")


@dataclass(frozen=True)
class Raw:
    """One published event."""

    topic: str
    key: str
    type: str
    subject: str
    tenant: str
    sequence: int
    time: datetime
    data: dict[str, Any]
    id: str

    @property
    def step(self) -> str:
        """The type's own word, as in `checked-in`."""
        return self.type.split(".")[2]


@dataclass
class Place:
    """A village with its grids and people, all invented."""

    tenant: str
    grids: list[str]
    people: list[str]

    @classmethod
    def invent(cls, tenant: str, dice: random.Random) -> "Place":
        """A village of three grids and six people."""
        return cls(tenant, [f"{tenant}{n:03d}" for n in (1, 2, 3)], [some_id(dice) for _ in range(6)])


def some_id(dice: random.Random) -> str:
    """An id that only this dice gives."""
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


@dataclass
class Order:
    """One order on its way: every call publishes one event and moves the clock."""

    dice: random.Random
    place: Place
    now: datetime
    service: str = ""
    id: str = ""
    status: str = "submitted"
    round: int = 0
    reopened: int = 0
    graded: bool = False
    contacted: bool = False
    done: bool = False
    over: bool = False
    grid: str | None = None
    holders: list[str] = field(default_factory=list)
    excluded: set[str] = field(default_factory=set)
    places: int = 1
    completed: int = 0
    checked_in: set[str] = field(default_factory=set)
    contact: datetime | None = None
    finish: datetime | None = None
    longer: datetime | None = None
    suspended: bool = False
    events: list[Raw] = field(default_factory=list)
    lasts: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = some_id(self.dice)
        self.service = self.service or self.dice.choice(SERVICES)
        self.assignment = some_id(self.dice)
        person = self.dice.choice([None, *self.place.people])
        self.grid = self.dice.choice([None, *self.place.grids])
        hours = self.dice.choice([2, 8, 24, 24, 20_000])
        self.contact = self.dice.choice([self.now + timedelta(hours=hours), None])
        self.finish = self.now + timedelta(hours=self.dice.choice([30, 72, 72, 120, 30_000]))
        self.request(
            "submitted", number=f"{self.dice.randrange(10**8):08d}", service=self.service, kind="convenience",
            grid=self.grid, household=None, channel="web", reporter=person, resident=person, guardian=False,
            minor=False, served_kind="elderly", served_id=self.dice.choice([None, *self._served()]), public=False,
            urgent=False, limits=self.limits(), confirm_seconds=604800, by=person,
        )  # fmt: skip

    def _served(self) -> list[str]:
        # Few enough that one person is served again and again, in several cells.
        return [str(uuid.uuid5(uuid.UUID(int=7), f"{self.place.tenant}{n}")) for n in range(4)]

    def limits(self) -> dict[str, str | None]:
        """Contact and finish limit as they stand."""
        moments = {"contact": self.contact, "finish": self.longer or self.finish}
        return {name: None if at is None else at.isoformat() for name, at in moments.items()}

    def publish(self, topic: str, key: str, type: str, subject: str, data: dict[str, Any]) -> None:
        """Adds one event at the clock's time."""
        self.now += timedelta(microseconds=self.dice.randrange(1, 999_999))
        number = self.lasts[topic, key] = self.lasts.get((topic, key), 0) + 1
        event = Raw(topic, key, type, subject, self.place.tenant, number, self.now, data, some_id(self.dice))
        self.events.append(event)

    def request(self, step: str, *, by: str | None = None, **data: Any) -> None:
        """An event of the requests service."""
        common = {"request_id": self.id, "status": self.status, "by": by}
        self.publish(REQUESTS, self.id, f"lianhu.request.{step}.v1", self.id, {**common, **data})

    def work(self, step: str, state: str, *, by: str | None = None, **data: Any) -> None:
        """An event of the dispatch service."""
        common = {
            "request_id": self.id, "assignment_id": self.assignment, "round": self.round, "state": state,
            "places": self.places, "taken": len(self.holders), "grid": self.grid, "by": by,
        }  # fmt: skip
        self.publish(DISPATCH, self.id, f"lianhu.dispatch.{step}.v1", self.assignment, {**common, **data})

    def notice(self, step: str, delivery: str, purpose: str, channel: str, **data: Any) -> None:
        """An event of the notifications service."""
        common = {
            "delivery_id": delivery, "request_id": self.id, "purpose": purpose, "template": purpose,
            "channel": channel, "audience": data.pop("audience", "resident"), "person": None,
        }  # fmt: skip
        type = f"lianhu.notification.{step}.v1"
        self.publish(NOTIFICATIONS, delivery, type, delivery, {**common, **data})

    def wait(self, most_hours: float = 20) -> None:
        """Lets time go by; limits that pass on the way are told, as their timers would."""
        until = self.now + timedelta(hours=self.dice.uniform(0.02, most_hours))
        for name, due, met in (
            ("contact", self.contact, self.contacted or self.over),
            ("finish", self.longer or self.finish, self.done or self.over or self.suspended),
        ):
            # Some timers are late: the worker was down, and what they wait for came first.
            if due is not None and self.now < due <= until and not met and self.dice.random() < 0.8:
                self.now = due
                self.request("limit-passed", limit=name, due_at=due.isoformat())
        self.now = max(self.now, until)

    def move(self, status: str, step: str, **data: Any) -> None:
        """A move of the request's own status."""
        self.status = status
        self.request(step, by=self.dice.choice(self.place.people), **data)


def walk(order: Order, choose: Callable[[Order], bool], most: int = 40) -> list[Raw]:
    """Takes moves until one answers False (the story rests there) or there were enough."""
    for _ in range(most):
        order.wait()
        if not choose(order):
            break
    return order.events

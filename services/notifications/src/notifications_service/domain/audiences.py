"""Whom an event concerns: named groups, found among the people whose roles the village knows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

VILLAGE = 12


class Audience(StrEnum):
    """The groups that a rule can name; `HEARD_AS` gives the word that events carry."""

    RESIDENT = "resident"  # the one to tell: an account, else someone calls or knocks
    GUARDIAN = "guardian"  # named in a consent: has no account, someone calls
    REPORTER = "reporter"  # the account that placed the order for somebody else
    FOLLOWERS = "followers"  # who asked the same and was merged into this request
    TARGET = "target"  # who asked first, when another request is merged into theirs
    PEOPLE = "people"  # the persons that the event lists
    HOLDERS = "holders"  # the persons that the event lists as holders
    PERSON = "person"  # the one person that the event names
    CLERKS = "clerks"
    LEADERS = "leaders"
    TOWN = "town"


HEARD_AS: Mapping[Audience, str] = {
    Audience.RESIDENT: "resident",
    Audience.GUARDIAN: "guardian",
    Audience.REPORTER: "reporter",
    Audience.FOLLOWERS: "resident",
    Audience.TARGET: "resident",
    Audience.PEOPLE: "volunteer",
    Audience.HOLDERS: "volunteer",
    Audience.PERSON: "volunteer",
    Audience.CLERKS: "clerk",
    Audience.LEADERS: "grid_leader",
    Audience.TOWN: "town",
}

# Which roles make up a group that stands for an office rather than for named persons.
OFFICES: Mapping[Audience, frozenset[str]] = {
    Audience.CLERKS: frozenset({"clerk"}),
    Audience.LEADERS: frozenset({"grid_leader", "branch_secretary"}),
    Audience.TOWN: frozenset({"supervisor"}),
}


OF_VILLAGE = frozenset({Audience.CLERKS, Audience.LEADERS})


@dataclass(frozen=True)
class Official:
    """A person of the directory with one of their roles and the code where they have it."""

    person: UUID
    role: str
    at: str


@dataclass(frozen=True)
class Matter:
    """What is known of a request: whom to tell, and which other requests were merged into it.

    `service` and `place` (the grid, else the village) are names to show, `locale` is the village's language and
    `quiet_hours` its setting. What is `unseen` nobody of the village hears of: the town stands for its offices.
    """

    id: UUID
    number: str
    tenant: str
    service: str
    place: str
    locale: str | None = None
    grid: str | None = None
    household: UUID | None = None
    resident: UUID | None = None
    reporter: UUID | None = None
    guardian: bool = False
    minor: bool = False
    urgent: bool = False
    unseen: bool = False
    quiet_hours: tuple[str, ...] | None = None
    status: str = "submitted"
    holders: frozenset[UUID] = frozenset()
    linking_person: UUID | None = None
    followers: tuple["Matter", ...] = field(default=(), repr=False)
    target: "Matter | None" = field(default=None, repr=False)

    def joined(self, followers: tuple["Matter", ...] = (), target: "Matter | None" = None) -> "Matter":
        """The same with the requests that are tied to it."""
        return replace(self, followers=followers, target=target)


@dataclass(frozen=True)
class Recipient:
    """One who hears: a person with an inbox, or (`person` null) somebody to be called, or an office without people."""

    audience: str
    matter: Matter
    person: UUID | None = None
    nobody: bool = False

    @property
    def key(self) -> str:
        """What makes it the same recipient, whichever rule found them."""
        if self.person is not None:
            return f"person:{self.person}"
        return f"{'nobody' if self.nobody else 'call'}:{self.audience}:{self.matter.id}"


def recipients(
    audience: Audience, matter: Matter, data: Mapping[str, Any], officials: Collection[Official]
) -> list[Recipient]:
    """Those who belong to the audience of an event about `matter`.

    `data` is the event's data (`people`, `holders`, `person`), `officials` who has a role over the village. An office
    without anyone gives one recipient marked `nobody`, so that the gap shows; other empty audiences give none.
    """
    if matter.unseen and audience in OF_VILLAGE:
        audience = Audience.TOWN
    word = HEARD_AS[audience]
    if audience in OFFICES:
        found = _office(audience, matter, officials)
        return [Recipient(word, matter, person) for person in found] or [Recipient(word, matter, nobody=True)]
    if audience is Audience.PERSON:
        return [Recipient(word, matter, data["person"])]
    if audience in (Audience.PEOPLE, Audience.HOLDERS):
        return [Recipient(word, matter, person) for person in dict.fromkeys(data[audience.value])]
    if audience is Audience.GUARDIAN:
        return [Recipient(word, matter)] if matter.guardian else []
    if audience is Audience.REPORTER:
        apart = matter.reporter is not None and matter.reporter != matter.resident
        return [Recipient(word, matter, matter.reporter)] if apart else []
    return [_resident(one) for one in _requests_of(audience, matter)]


def _requests_of(audience: Audience, matter: Matter) -> Sequence[Matter]:
    if audience is Audience.FOLLOWERS:
        return matter.followers
    if audience is Audience.TARGET:
        return [matter.target] if matter.target else []
    return [matter]


def _resident(matter: Matter) -> Recipient:
    """The resident's account; without one somebody to be called: for a child the guardian, never the child."""
    if matter.resident is None and matter.minor and matter.guardian:
        return Recipient(HEARD_AS[Audience.GUARDIAN], matter)
    return Recipient(HEARD_AS[Audience.RESIDENT], matter, matter.resident)


def _office(audience: Audience, matter: Matter, officials: Collection[Official]) -> list[UUID]:
    """Leaders: all whose area, at most a village wide, covers the grid. Others: the nearest above, and only they."""
    place = matter.grid or matter.tenant
    covering = [one for one in officials if one.role in OFFICES[audience] and one.at and place.startswith(one.at)]
    if audience is Audience.LEADERS:
        covering = [one for one in covering if len(one.at) >= VILLAGE]
    elif covering:
        nearest = max(len(one.at) for one in covering)
        covering = [one for one in covering if len(one.at) == nearest]
    return list(dict.fromkeys(one.person for one in covering))


def caller_of(matter: Matter) -> UUID | None:
    """Who calls or knocks: the household's linking person, unless they hold the work; null means the clerks.

    Whoever did the work does not ask whether it was done well (product.md, the life of a request).
    """
    person = matter.linking_person
    return None if person is None or person in matter.holders or person == matter.resident else person

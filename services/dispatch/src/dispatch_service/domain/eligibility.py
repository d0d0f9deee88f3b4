"""Who may be offered, asked or ordered: product.md "Safe and lawful" and contract.md, role by role."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

WORKS_BY_OFFER = frozenset({"volunteer", "grid_worker"})


class Bar(StrEnum):
    """A reason why somebody is not offered an assignment."""

    INACTIVE = "inactive"
    ROLE = "role"
    SKILL = "skill"
    CAPACITY = "capacity"
    AWAY = "away"
    EXCLUDED = "excluded"
    UNCHECKED = "unchecked"


# What a leader who asks by name may overrule: the one who is asked can still pass freely.
OVERRULED_BY_NAME = frozenset({Bar.SKILL, Bar.CAPACITY})
# What an order to staff overrules: staff work by duty, whatever they volunteer for.
OVERRULED_BY_ORDER = frozenset({Bar.SKILL, Bar.CAPACITY, Bar.ROLE})


@dataclass(frozen=True)
class Candidate:
    """Somebody who could do it, as the directory tells it."""

    person: UUID
    active: bool
    roles: frozenset[str]
    skills: frozenset[str]
    load: int
    capacity: int
    away_until: datetime | None
    checked_until: date | None


@dataclass(frozen=True)
class Need:
    """What an assignment asks of a person."""

    skill: str | None
    minor: bool
    excluded: Collection[UUID]


def is_checked(checked_until: date | None, today: date) -> bool:
    """Whether the dated check for visits to minors is valid today; it is on its last day."""
    return checked_until is not None and checked_until >= today


def bars(candidate: Candidate, need: Need, now: datetime, today: date) -> list[Bar]:
    """All reasons against; none means eligible. `today` is the day in the village."""
    found = {
        Bar.INACTIVE: not candidate.active,
        Bar.ROLE: not (candidate.roles & WORKS_BY_OFFER),
        Bar.SKILL: need.skill is not None and need.skill not in candidate.skills,
        Bar.CAPACITY: candidate.load >= candidate.capacity,
        Bar.AWAY: candidate.away_until is not None and candidate.away_until > now,
        Bar.EXCLUDED: candidate.person in need.excluded,
        Bar.UNCHECKED: need.minor and not is_checked(candidate.checked_until, today),
    }
    return [bar for bar, holds in found.items() if holds]


def eligible(candidate: Candidate, need: Need, now: datetime, today: date) -> bool:
    """Whether the assignment may be offered to this person now."""
    return not bars(candidate, need, now, today)


def overlaps(at: str, village: str) -> bool:
    """Whether a role held at a code reaches into a village: from above, in it, or in one of its grids."""
    return village.startswith(at) or at.startswith(village)

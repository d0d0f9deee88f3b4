"""The people of the demo: who works in which grid of a village with which role, and who orders."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from uuid import UUID, uuid5

from lianhu_tools import keys
from lianhu_tools.seed import invented
from lianhu_tools.seed.places import GRIDS, VILLAGES, Village

_HERE = UUID("6c69616e-6875-4000-8000-00000000d340")
VOLUNTEERS = 44
CAPACITY = 5
RESIDENTS = 12
HOUSEHOLDS_PER_LINK = 3
PER_VILLAGE = 100  # numbers of invented people that a village can use
SKILLS = ("electrical", "legal", "medical")  # those that the default catalogue asks for
# One in so many volunteers has a dated check for visits to minors.
CHECKED_EVERY = 3


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; `at` is where each role holds."""

    id: UUID
    name: str
    phone: str
    tenant: str
    roles: tuple[tuple[str, str], ...]
    grid: str | None = None
    skills: tuple[str, ...] = ()
    capacity: int = 0
    checked_until: date | None = None

    @property
    def volunteers(self) -> bool:
        """Whether they have a volunteer's profile."""
        return any(role in ("volunteer", "grid_worker") for role, _ in self.roles)


@dataclass(frozen=True)
class Household:
    """A household and the volunteer whose linking household looks after it."""

    id: UUID
    tenant: str
    grid: str
    group: str
    address: str
    linking_person: UUID


@dataclass(frozen=True)
class Roster:
    """Everybody of a village. Clerks come in twos, so that a third person can call back."""

    village: Village
    clerk: Person
    second_clerk: Person
    secretary: Person
    leaders: tuple[Person, ...]
    workers: tuple[Person, ...]
    steward: Person
    volunteers: tuple[Person, ...]
    residents: tuple[Person, ...]
    households: tuple[Household, ...]
    supervisor: Person
    everybody: tuple[Person, ...] = field(repr=False, default=())

    @property
    def linking(self) -> tuple[Person, ...]:
        """The linking households' volunteers, one a grid."""
        return self.volunteers[:GRIDS]

    def volunteers_of(self, grid: str) -> list[Person]:
        """The volunteers of a grid."""
        return [person for person in self.volunteers if person.grid == grid]

    def households_of(self, person: Person) -> list[Household]:
        """The households that a linking household looks after."""
        return [home for home in self.households if home.linking_person == person.id]


@cache
def roster(village: Village) -> Roster:
    """The people of a village, the same at every call and in every round."""
    code, grids = village.code, village.grids
    taken = iter(range(village.number * PER_VILLAGE, (village.number + 1) * PER_VILLAGE))

    def person(kind: str, nth: int, *roles: tuple[str, str], tenant: str = code, **profile: object) -> Person:
        """The first of a kind is who `make token` speaks for."""
        number = next(taken)
        role, at = roles[0]
        own = keys.person_of(role, at) if nth == 0 else uuid5(_HERE, f"{at}/{kind}/{nth}")
        return Person(own, invented.name(number), invented.phone(number), tenant, roles, **profile)  # type: ignore[arg-type]

    clerks = [person("clerk", nth, ("clerk", code)) for nth in range(2)]
    secretary = person("branch_secretary", 0, ("branch_secretary", code))
    leaders = tuple(person("grid_leader", 0, ("grid_leader", grid), grid=grid) for grid in grids)
    workers = [
        person("grid_worker", nth, ("grid_worker", code), grid=grids[nth % GRIDS], capacity=CAPACITY * 4)
        for nth in range(3)
    ]
    supervisor = person("supervisor", 0, ("supervisor", village.town), tenant=village.town)
    volunteers = tuple(
        person(
            "volunteer",
            nth,
            ("volunteer", code),
            grid=grids[nth % GRIDS],
            skills=skills_of(nth),
            capacity=CAPACITY,
            checked_until=check_of(nth),
        )
        for nth in range(VOLUNTEERS)
    )
    residents = tuple(person("resident", nth, ("resident", code)) for nth in range(RESIDENTS))
    found = Roster(
        village=village,
        clerk=clerks[0],
        second_clerk=clerks[1],
        secretary=secretary,
        leaders=leaders,
        workers=tuple(workers[:2]),
        steward=workers[2],
        volunteers=volunteers,
        residents=residents,
        households=_households(village, volunteers[:GRIDS]),
        supervisor=supervisor,
        everybody=(*clerks, secretary, *leaders, *workers, supervisor, *volunteers, *residents),
    )
    return found


def skills_of(nth: int) -> tuple[str, ...]:
    """The skills of the n-th volunteer of a village: every second one has one, spread over all grids."""
    return (SKILLS[(nth // GRIDS) % len(SKILLS)],) if (nth // GRIDS) % 2 else ()


def check_of(nth: int) -> date | None:
    """Until when the n-th volunteer's check for visits to minors is good: a year, for some in each grid."""
    return date.today() + timedelta(days=365) if (nth // GRIDS) % CHECKED_EVERY == 1 else None  # noqa: DTZ011


def _households(village: Village, linking: tuple[Person, ...]) -> tuple[Household, ...]:
    homes: list[Household] = []
    for person in linking:
        assert person.grid is not None  # noqa: S101 - a linking household stands in a grid
        groups = village.groups(person.grid)
        for nth in range(HOUSEHOLDS_PER_LINK):
            number = village.number * PER_VILLAGE + len(homes) + 1
            home = uuid5(_HERE, f"{person.grid}/household/{nth}")
            group = groups[nth % len(groups)]
            homes.append(Household(home, village.code, person.grid, group, invented.address(number), person.id))
    return tuple(homes)


def everybody() -> list[Person]:
    """All people of all villages, each once: a town's supervisor stands above several villages."""
    return list({person.id: person for village in VILLAGES for person in roster(village).everybody}.values())

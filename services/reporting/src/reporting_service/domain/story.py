"""What one request's events amount to: the values that marks, columns and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from reporting_service.domain.facts import Entry, Fact
from reporting_service.domain.statuses import (
    DROPPED,
    ENDED,
    OPEN,
    OUTSTANDING,
    TAKEN_ON,
    Stand,
    assignment,
    history,
)

# Someone who speaks for the one served: to have reached them is a human contact.
_RESIDENTS = frozenset({"resident", "reporter", "guardian"})
_FIRST_OF_STEP = {
    "answered": "answered",
    "dispatch-requested": "dispatched",
    "reopened": "reopened",
    "extended": "extended",
    "suspended": "suspended",
    "reported-up": "escalated",
}
_FIRST_OF_WORK = {"returned": "returned", "released": "released", "escalated": "escalated"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The aware time (UTC) of microseconds since 1970."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)


@dataclass(frozen=True, slots=True)
class Grade:
    """One answer of the resident: solved, and perhaps a grade."""

    at: int
    solved: str
    grade: int | None
    source: str


@dataclass(slots=True)
class Work:
    """What one person completed of a request, all rounds together."""

    turns: dict[int, int] = field(default_factory=dict)  # round -> when it was completed
    minutes: list[tuple[int, int]] = field(default_factory=list)  # (at, minutes)
    served: tuple[int, int] | None = None  # (person-times, at), of the largest


@dataclass(slots=True)
class Limit:
    """A limit as it was set at first (`due`), and what became of it. Times in microseconds."""

    due: int | None = None
    kept_at: int | None = None  # the first contact or completion, in time or not
    passed: bool = False  # seen to pass, or overtaken by a late contact or completion

    @property
    def counts(self) -> bool:
        """Whether it fell due: it was kept, or it passed. Before that it says nothing."""
        return self.due is not None and (self.met or self.passed)

    @property
    def met(self) -> bool:
        """Whether it was kept."""
        return self.due is not None and self.kept_at is not None and self.kept_at <= self.due


@dataclass(slots=True)
class Story:
    """Everything that is counted of one request; times are microseconds since 1970."""

    submitted_at: int
    tenant: str
    grid: str | None
    service: str
    number: str
    resident: str | None
    reporter: str | None
    served_id: str | None
    history: list[Stand]
    firsts: dict[str, int]  # measure under `ever` -> its first time
    contact: Limit
    finish: Limit
    longer: bool  # the finish limit was extended, or its clock suspended
    suspensions: list[tuple[int, int | None]]  # (from, until or None)
    grades: list[Grade]
    work: dict[UUID, Work]  # who completed something
    holders: frozenset[UUID]  # who ever held it
    overdue: list[tuple[int, int | None]]  # (from, until or None): work was owed after the limit
    assignment: tuple[str, int] | None

    @property
    def status(self) -> str:
        """Where it stands."""
        return self.history[-1].status

    @property
    def completed_at(self) -> int | None:
        """When it was completed first."""
        return self.firsts.get("completed")


def story(fact: Fact) -> Story | None:
    """Reads a fact; None while `request.submitted` has not come. Pure: equal facts give equal stories."""
    stands = history(fact)
    if not stands:
        return None
    submitted = fact.requests[0]
    data = submitted.data
    firsts, limits, grades, suspensions = _of_requests(fact, stands)
    holders, work = _of_dispatch(fact, firsts)
    contact, finish = _limits(fact, stands, firsts)
    _calls(fact, grades, firsts)
    return Story(
        submitted_at=submitted.at,
        tenant=fact.tenant,
        grid=_grid(fact),
        service=data["service"],
        number=data["number"],
        resident=data.get("resident"),
        reporter=data.get("reporter"),
        served_id=data.get("served_id"),
        history=stands,
        firsts=firsts,
        contact=contact,
        finish=finish,
        longer=bool({"extended", "suspended"} & firsts.keys()),
        suspensions=suspensions,
        grades=grades,
        work=work,
        holders=holders,
        overdue=_overdue(stands, limits, suspensions),
        assignment=assignment(fact),
    )


def _of_requests(
    fact: Fact, stands: list[Stand]
) -> tuple[dict[str, int], list[tuple[int, int]], list[Grade], list[tuple[int, int | None]]]:
    """First times, finish limits as they were set, answers and suspensions of requests' half."""
    firsts: dict[str, int] = {}
    limits: list[tuple[int, int]] = []
    grades: list[Grade] = []
    suspensions: list[tuple[int, int | None]] = []
    for at, status in stands:
        if status in TAKEN_ON:
            firsts.setdefault("accepted", at)
        if status in ("claimed", "completed", "referred"):
            firsts.setdefault(status, at)
    for entry in fact.requests:
        first = _FIRST_OF_STEP.get(entry.step)
        if first is not None:
            firsts.setdefault(first, entry.at)
        due = _finish_set(entry)
        if due is not None:
            limits.append((entry.at, due))
        if entry.step == "confirmed":
            d = entry.data
            grades.append(Grade(entry.at, d["solved"], d.get("grade"), d["source"]))
        elif entry.step == "suspended":
            suspensions.append((entry.at, None))
        elif entry.step == "resumed" and suspensions and suspensions[-1][1] is None:
            suspensions[-1] = (suspensions[-1][0], entry.at)
    if stands[-1].status not in OPEN and suspensions and suspensions[-1][1] is None:
        suspensions[-1] = (suspensions[-1][0], max(stands[-1].at, suspensions[-1][0]))
    if stands[-1].status in DROPPED and "accepted" in firsts:
        firsts["accepted_dropped"] = stands[-1].at
    return firsts, limits, grades, suspensions


def _finish_set(entry: Entry) -> int | None:
    """The finish limit that an entry sets, the longer ones included."""
    if entry.step == "extended":
        return entry.data["due_at"] if entry.data["limit"] == "finish" else None
    limits: dict[str, int | None] = entry.data.get("limits") or {}
    return limits.get("finish")


def _grid(fact: Fact) -> str | None:
    """The grid: of the current round's dispatch, else the last that requests gave, else any of dispatch."""
    requested = [entry for entry in fact.requests if entry.step == "dispatch-requested"]
    round_ = requested[-1].data["round"] if requested else 0
    asked = [entry.data["grid"] for entry in fact.requests if entry.data.get("grid")]
    routed = [(entry.data["round"], entry.data["grid"]) for entry in fact.dispatch if entry.data.get("grid")]
    current: list[str] = [grid for of, grid in routed if of == round_]
    for grids in (current, asked, [grid for _, grid in routed]):
        if grids:
            return grids[-1]
    return None


def _of_dispatch(fact: Fact, firsts: dict[str, int]) -> tuple[frozenset[UUID], dict[UUID, Work]]:
    """Who held it, who completed what. Work really done counts whatever became of the request."""
    holders: set[UUID] = set()
    work: dict[UUID, Work] = {}
    out: dict[tuple[str, int], int] = {}
    for entry in fact.dispatch:
        first = _FIRST_OF_WORK.get(entry.step)
        if first is not None:
            firsts[first] = min(firsts.get(first, entry.at), entry.at)
        if entry.step not in ("claimed", "completed", "checked-out"):
            continue
        d: dict[str, Any] = entry.data
        person, round_ = UUID(d["person"]), d["round"]
        if entry.step == "checked-out":
            if d.get("minutes") is not None:
                out[d["person"], round_] = d["minutes"]
            continue
        holders.add(person)
        if entry.step == "completed":
            done = work.setdefault(person, Work())
            if round_ in done.turns:
                continue
            done.turns[round_] = entry.at
            minutes = d.get("minutes") if d.get("minutes") is not None else out.get((d["person"], round_))
            if minutes:
                done.minutes.append((entry.at, minutes))
            times = d.get("served_person_times") or 0
            if times and (done.served is None or times > done.served[0]):
                done.served = (times, entry.at)
    return frozenset(holders), work


def _limits(fact: Fact, stands: list[Stand], firsts: dict[str, int]) -> tuple[Limit, Limit]:
    """The original limits: those of the submission, as the first acceptance may have tightened them."""
    original: dict[str, int | None] = {}
    accepted = next((entry for entry in fact.requests if entry.step == "accepted"), None)
    for entry in filter(None, (fact.requests[0], accepted)):
        original.update({k: v for k, v in (entry.data.get("limits") or {}).items() if v is not None})
    contact, finish = Limit(original.get("contact")), Limit(original.get("finish"))
    done_at = firsts.get("completed")
    contacts = [entry.data["at"] for entry in fact.requests if entry.step == "contacted"]
    contacts += [
        entry.at
        for entry in fact.notifications
        if entry.step == "sent" and entry.data["channel"] == "call" and entry.data["audience"] in _RESIDENTS
    ]
    contact.kept_at, finish.kept_at = min(contacts, default=None), done_at
    # Limits of a rework pass after the first completion: they are not the original ones.
    passed = {
        entry.data["limit"]
        for entry in fact.requests
        if entry.step == "limit-passed" and (done_at is None or entry.at < done_at)
    }
    ended_at = next((at for at, status in stands if status == "completed" or status in ENDED), None)
    contact.passed = "contact" in passed or _late(contact, ended_at)
    finish.passed = "finish" in passed or (done_at is not None and finish.due is not None and done_at > finish.due)
    return contact, finish


def _late(contact: Limit, ended_at: int | None) -> bool:
    """Reached only after the limit, while the request was not over by then: no event needs to say it passed."""
    return (
        contact.due is not None
        and contact.kept_at is not None
        and contact.kept_at > contact.due
        and (ended_at is None or ended_at > contact.due)
    )


def _calls(fact: Fact, grades: list[Grade], firsts: dict[str, int]) -> None:
    """Call backs that were due, and those that reached someone."""
    due = [e.at for e in fact.notifications if e.data["channel"] == "call" and e.data["purpose"] == "confirm"]
    reached = [
        e.at
        for e in fact.notifications
        if e.step == "sent" and e.data["channel"] == "call" and e.data["purpose"] == "confirm"
    ]
    reached += [grade.at for grade in grades if grade.source == "callback"]
    if reached:
        firsts["callbacks_reached"] = min(reached)
    if due or reached:
        firsts["callbacks_due"] = min(due + reached)


def _overdue(
    stands: list[Stand], limits: list[tuple[int, int]], suspensions: list[tuple[int, int | None]]
) -> list[tuple[int, int | None]]:
    """When work was owed after the finish limit of that time; a suspended clock owes nothing."""
    spells: list[tuple[int, int | None]] = []
    for index, (at, status) in enumerate(stands):
        until = stands[index + 1].at if index + 1 < len(stands) else None
        if status not in OUTSTANDING:
            continue
        if spells and spells[-1][1] == at:
            spells[-1] = (spells[-1][0], until)
        else:
            spells.append((at, until))
    for begin, end in suspensions:
        spells = [part for spell in spells for part in _without(spell, begin, end)]
    late = []
    for begin, end in spells:
        known = [due for at, due in limits if end is None or at < end]
        if known and (end is None or known[-1] < end):
            late.append((max(begin, known[-1]), end))
    return late


def _without(spell: tuple[int, int | None], begin: int, end: int | None) -> list[tuple[int, int | None]]:
    """A span less another one."""
    first, last = spell
    if last is not None and last <= begin:
        return [spell]
    parts: list[tuple[int, int | None]] = []
    if first < begin:
        parts.append((first, begin))
    if end is not None and (last is None or end < last):
        parts.append((max(first, end), last))
    return parts

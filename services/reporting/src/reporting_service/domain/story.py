"""What one request's events amount to: the values that marks, columns and reports are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from reporting_service.domain.facts import Fact
from reporting_service.domain.limits import Limit, original_limits, overdue, suspensions
from reporting_service.domain.moments import Stretch
from reporting_service.domain.statuses import (
    DROPPED,
    TAKEN_ON,
    Stand,
    assignment,
    history,
)

_FIRST_OF_STEP = {
    "answered": "answered",
    "dispatch-requested": "dispatched",
    "reopened": "reopened",
    "extended": "extended",
    "suspended": "suspended",
    "reported-up": "escalated",
}
_FIRST_OF_WORK = {"returned": "returned", "released": "released", "escalated": "escalated"}


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
    suspensions: list[Stretch]  # (from, until or None)
    grades: list[Grade]
    work: dict[UUID, Work]  # who completed something
    holders: frozenset[UUID]  # who ever held it
    overdue: list[Stretch]  # (from, until or None): work was owed after the limit
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
    firsts, grades = _of_requests(fact, stands)
    stopped = suspensions(fact, stands)
    holders, work = _of_dispatch(fact, firsts)
    contact, finish = original_limits(fact, stands, firsts.get("completed"))
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
        suspensions=stopped,
        grades=grades,
        work=work,
        holders=holders,
        overdue=overdue(fact, stands, stopped),
        assignment=assignment(fact),
    )


def _of_requests(fact: Fact, stands: list[Stand]) -> tuple[dict[str, int], list[Grade]]:
    """First times and answers of requests' half."""
    firsts: dict[str, int] = {}
    grades: list[Grade] = []
    for at, status in stands:
        if status in TAKEN_ON:
            firsts.setdefault("accepted", at)
        if status in ("claimed", "completed", "referred"):
            firsts.setdefault(status, at)
    for entry in fact.requests:
        first = _FIRST_OF_STEP.get(entry.step)
        if first is not None:
            firsts.setdefault(first, entry.at)
        if entry.step == "confirmed":
            d = entry.data
            grades.append(Grade(entry.at, d["solved"], d.get("grade"), d["source"]))
    if stands[-1].status in DROPPED and "accepted" in firsts:
        firsts["accepted_dropped"] = stands[-1].at
    return firsts, grades


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

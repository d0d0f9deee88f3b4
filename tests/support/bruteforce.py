"""Every tally and rate of tallies.md from raw events, the long way: no sums, no differences, no code of reporting.

Each row is counted anew by looking at every request's events.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from support.cases import ENDED, OPEN, Case

Inside = Callable[[datetime], bool]


@dataclass
class Question:
    """A report: its days, zone, basis and the moment it is asked at."""

    basis: str
    zone: ZoneInfo
    now: datetime
    first: date | None = None
    last: date | None = None

    def inside(self, moment: datetime) -> bool:
        """Whether a moment lies on one of its days."""
        day = moment.astimezone(self.zone).date()
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def end(self) -> datetime | None:
        """The first moment after its days."""
        return None if self.last is None else datetime.combine(self.last + timedelta(days=1), time(), self.zone)


def row(all_cases: list[Case], question: Question, person: str | None = None) -> dict[str, Any]:
    """One row as `field: number`; `seconds` has the exact durations behind the medians."""
    inside: Inside
    if question.basis == "submitted":
        chosen, inside, moment = [c for c in all_cases if question.inside(c.submitted.time)], _always, None
    else:
        chosen, inside, moment = all_cases, question.inside, question.end()
    asked_at = question.now if moment is None else min(moment, question.now)
    made: dict[str, Any] = defaultdict(int)
    seconds: dict[str, list[float]] = {"contact": [], "finish": []}
    served: set[str] = set()
    for case in chosen:
        _count(made, case, inside, moment, asked_at)
        _count_work(made, case, inside, person)
        for name, reached in (("contact", case.contact), ("finish", case.completed)):
            if reached is not None and inside(reached):
                seconds[name].append((reached - case.submitted.time).total_seconds())
        times = [event.time for event in case.done(None)] + ([case.completed] if case.completed else [])
        mine = person is None or case.done(person)
        if times and mine and inside(min(times)) and case.submitted.data["served_id"]:
            served.add(case.submitted.data["served_id"])
    made["served_people"] = len(served)
    return {**made, "seconds": seconds}


def _always(_moment: datetime) -> bool:
    return True


def _count(made: dict[str, Any], case: Case, inside: Inside, moment: datetime | None, asked_at: datetime) -> None:
    final_at, final = case.stood[-1]
    if inside(case.submitted.time):
        made["submitted"] += 1
        made["matters"] += final != "merged"
    status = case.status_at(moment)
    if status is not None:
        made[f"now.{status}"] += 1
        made["now.open"] += status in OPEN
        made["now.overdue"] += case.overdue_at(asked_at)
        made["now.suspended"] += case.suspended_at(asked_at)
    if final in ENDED and inside(final_at):
        made[f"ended.{final}"] += 1
    for name, at in case.ever().items():
        made[f"ever.{name}"] += at is not None and inside(at)
    for name in ("contact", "finish"):
        due, (fell, met) = case.limit(name), case.fell_due(name)
        if fell and due is not None and inside(due):
            made[f"limits.{name}_due"] += 1
            made[f"limits.{name}_met"] += met
            if name == "finish":
                made["limits.finish_longer"] += bool(case.first("extended", "suspended"))
    if case.answers:
        for part, answer in (("first", case.answers[0]), ("last", case.answers[-1])):
            if inside(answer.time):
                made[f"{part}_grades.{answer.data['grade']}"] += 1
                made[f"{part}_grades.{answer.data['source']}"] += 1
                made[f"solved.{answer.data['solved']}"] += part == "last"
    elif case.completed is not None and inside(case.completed):
        made["solved.unknown"] += 1


def _count_work(made: dict[str, Any], case: Case, inside: Inside, person: str | None) -> None:
    done = case.done(person)
    for event in done:
        if inside(event.time):
            made["volunteer_person_times"] += 1
            made["service_minutes"] += case.minutes(event)
    most = max((event.data["served_person_times"] for event in done), default=0)
    told = [event.time for event in done if event.data["served_person_times"] == most]
    if told and inside(min(told)):
        made["served_person_times"] += most


def rates(made: dict[str, Any], basis: str) -> dict[str, tuple[int, int]]:
    """Numerator and denominator of every rate of tallies.md; 3 counts as satisfied."""
    ended = "now" if basis == "submitted" else "ended"
    first = {grade: made[f"first_grades.{grade}"] for grade in range(1, 6)}
    solved = made["solved.yes"] + made["solved.partly"] + made["solved.no"]
    closed = made[f"{ended}.closed_confirmed"] + made[f"{ended}.closed_unconfirmed"]
    return {
        "acceptance": (made["ever.accepted"], made["ever.accepted"] + made[f"{ended}.rejected"]),
        "contact_in_time": (made["limits.contact_met"], made["limits.contact_due"]),
        "closing": (closed, made["ever.accepted"] - made["ever.accepted_dropped"]),
        "finish_in_time": (made["limits.finish_met"], made["limits.finish_due"]),
        "solved": (made["solved.yes"], solved),
        "satisfaction": (first[3] + first[4] + first[5], sum(first.values())),
        "participation": (sum(first.values()), made["ever.completed"]),
        "rework_satisfaction": (made["ever.reworked_satisfied"], first[1] + first[2]),
        "callbacks": (made["ever.callbacks_reached"], made["ever.callbacks_due"]),
        "reopening": (made["ever.reopened"], made["ever.completed"]),
        "returning": (made["ever.returned"], made["ever.dispatched"]),
        "extension": (made["ever.extended"], made["ever.accepted"]),
    }

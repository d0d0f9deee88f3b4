"""What one request adds to the tallies, and the difference that an event makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from reporting_service.domain.histogram import bucket_of
from reporting_service.domain.limits import Limit
from reporting_service.domain.statuses import ENDED
from reporting_service.domain.story import Story

SUBMITTED, HAPPENED = "submitted", "happened"
BASES = (SUBMITTED, HAPPENED)
CONTACT_SECONDS, FINISH_SECONDS = "contact_seconds.", "finish_seconds."


class Cell(NamedTuple):
    """Where a figure is counted; `grid` is empty while there is none, `person` names a holder's own row."""

    basis: str
    tenant: str
    day: date
    service: str
    grid: str
    person: str | None = None


class Mark(NamedTuple):
    """An amount of a measure and the moment (microseconds) that it belongs to."""

    measure: str
    at: int
    amount: int = 1


# What is counted in each cell, by measure; no zeros, no empty cells.
Contribution = dict[Cell, dict[str, int]]


def contribution(story: Story | None, zone: tzinfo) -> Contribution:
    """Every figure that a request adds: basis submitted on the day of its submission, basis happened on the
    day of each move; days are those of `zone`. A holder's cells come beside those of the village."""
    counted: Contribution = {}
    if story is None:
        return counted
    shared: tuple[dict[str, int], dict[date, dict[str, int]]] = ({}, {})
    _sum(marks(story), zone, *shared)
    place = _place(story, zone)
    for person in (None, *story.holders):
        # All amounts, for the basis submitted, and those of each day.
        sums, days = dict(shared[0]), {day: dict(amounts) for day, amounts in shared[1].items()}
        _sum(_work(story, person), zone, sums, days)
        _put(counted, place, person, sums, days)
    return counted


def difference(new: Contribution, old: Contribution) -> Contribution:
    """What must be added to the tallies so that they hold `new` in place of `old`; no zeros."""
    moved: Contribution = {}
    for cell in {**old, **new}:
        now, before = new.get(cell, {}), old.get(cell, {})
        if now == before:
            continue
        moved[cell] = {
            measure: amount for measure in {**before, **now} if (amount := now.get(measure, 0) - before.get(measure, 0))
        }
    return moved


def change(new: Story | None, old: Story | None, zone: tzinfo) -> Contribution:
    """`difference` of what the two stories add, from the marks that they do not share: an event moves few of them."""
    if new is None or old is None or _place(new, zone) != _place(old, zone) or not old.holders <= new.holders:
        return difference(contribution(new, zone), contribution(old, zone))
    moved: Contribution = {}
    place = _place(new, zone)
    all_marks = list(marks(new))
    shared = _apart(all_marks, marks(old))
    for person in (None, *new.holders):
        if person is None or person in old.holders:
            marked = [*shared, *_apart(_work(new, person), _work(old, person))]
        else:
            marked = [*all_marks, *_work(new, person)]
        if marked:
            sums: dict[str, int] = {}
            days: dict[date, dict[str, int]] = {}
            _sum(marked, zone, sums, days)
            _put(moved, place, person, sums, days)
    return moved


def _place(story: Story, zone: tzinfo) -> tuple[str, date, str, str]:
    """Where its figures are counted on the basis of submission."""
    return story.tenant, _day(story.submitted_at, zone), story.service, story.grid or ""


def _apart(new: Iterable[Mark], old: Iterable[Mark]) -> list[Mark]:
    """What must be added to the old marks for the new ones."""
    amounts: dict[tuple[str, int], int] = {}
    for measure, at, amount in new:
        amounts[measure, at] = amounts.get((measure, at), 0) + amount
    for measure, at, amount in old:
        amounts[measure, at] = amounts.get((measure, at), 0) - amount
    return [Mark(measure, at, amount) for (measure, at), amount in amounts.items() if amount]


def _put(
    counted: Contribution,
    place: tuple[str, date, str, str],
    person: UUID | None,
    sums: Mapping[str, int],
    days: Mapping[date, Mapping[str, int]],
) -> None:
    """Puts all amounts, and those of each day, into the cells of a person or the village; no zeros, no empty cells."""
    tenant, submitted, service, grid = place
    who = None if person is None else str(person)
    for basis, day, amounts in ((SUBMITTED, submitted, sums), *((HAPPENED, *day) for day in days.items())):
        if left := {measure: amount for measure, amount in amounts.items() if amount}:
            counted[Cell(basis, tenant, day, service, grid, who)] = left


def _sum(marked: Iterable[Mark], zone: tzinfo, sums: dict[str, int], days: dict[date, dict[str, int]]) -> None:
    for measure, at, amount in marked:
        # On the basis of submission, where requests ended is where they stand.
        if not measure.startswith("ended."):
            sums[measure] = sums.get(measure, 0) + amount
        day = _day(at, zone)
        if (on := days.get(day)) is None:
            on = days[day] = {}
        on[measure] = on.get(measure, 0) + amount


def _day(at: int, zone: tzinfo) -> date:
    return _day_of_quarter(at // 900_000_000, zone)


@lru_cache(maxsize=65_536)
def _day_of_quarter(quarter: int, zone: tzinfo) -> date:
    """A day begins on a quarter of an hour of UTC everywhere since 1972: one look at the zone for all within it."""
    return datetime.fromtimestamp(quarter * 900, zone).date()


def marks(story: Story) -> Iterator[Mark]:
    """All amounts but those of the work, which differ by helper. Every request adds at most 1 to each."""
    yield Mark("submitted", story.submitted_at)
    if story.status != "merged":
        yield Mark("matters", story.submitted_at)
    yield from _standing(story)
    for measure, at in story.firsts.items():
        yield Mark(f"ever.{measure}", at)
    yield from _limit("contact", story.contact)
    yield from _limit("finish", story.finish)
    if story.finish.counts and story.longer and story.finish.due is not None:
        yield Mark("limits.finish_longer", story.finish.due)
    yield from _answers(story)
    for name, reached in ((CONTACT_SECONDS, story.contact.kept_at), (FINISH_SECONDS, story.completed_at)):
        if reached is not None:
            yield Mark(f"{name}{bucket_of((reached - story.submitted_at) / 1_000_000)}", reached)


def _standing(story: Story) -> Iterator[Mark]:
    """One in where it stands now; before, each move takes one away and adds one."""
    before: str | None = None
    for at, status in story.history:
        if before is not None:
            yield Mark(f"now.{before}", at, -1)
        yield Mark(f"now.{status}", at)
        before = status
    for begin, end in story.suspensions:
        yield Mark("now.suspended", begin)
        if end is not None:
            yield Mark("now.suspended", end, -1)
    last = story.history[-1]
    if last.status in ENDED:
        yield Mark(f"ended.{last.status}", last.at)


def _limit(name: str, limit: Limit) -> Iterator[Mark]:
    """A limit belongs to the moment that it names, kept or not."""
    if limit.counts and limit.due is not None:
        yield Mark(f"limits.{name}_due", limit.due)
        if limit.met:
            yield Mark(f"limits.{name}_met", limit.due)


def _answers(story: Story) -> Iterator[Mark]:
    if story.grades:
        last = story.grades[-1]
        yield Mark(f"solved.{last.solved}", last.at)
    elif story.completed_at is not None:
        yield Mark("solved.unknown", story.completed_at)
    graded = [answer for answer in story.grades if answer.grade is not None]
    if not graded:
        return
    for part, answer in (("first_grades", graded[0]), ("last_grades", graded[-1])):
        yield Mark(f"{part}.{answer.grade}", answer.at)
        yield Mark(f"{part}.{answer.source}", answer.at)
    first, final = graded[0].grade, graded[-1].grade
    if first is not None and final is not None and first <= 2 and final >= 3:
        yield Mark("ever.reworked_satisfied", graded[-1].at)


def _work(story: Story, person: UUID | None) -> Iterator[Mark]:
    """The work: of all helpers (None), or of one of them for the row of that person."""
    done = [work for who, work in story.work.items() if person is None or who == person]
    served = [work.served for work in done if work.served is not None]
    if served:
        # Once per request however many helpers: the largest that anyone told, on its first day.
        times, at = min(served, key=lambda told: (-told[0], told[1]))
        yield Mark("served_person_times", at, times)
    for work in done:
        for at in work.turns.values():
            yield Mark("volunteer_person_times", at)
        for at, minutes in work.minutes:
            yield Mark("service_minutes", at, minutes)


def served_at(story: Story) -> int | None:
    """When the one served was served first: the first completion, or the first work done; None before."""
    times = [at for work in story.work.values() for at in work.turns.values()]
    return min([*times, *([] if story.completed_at is None else [story.completed_at])], default=None)

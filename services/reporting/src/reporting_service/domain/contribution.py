"""What one request adds to the tallies, and the difference that an event makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, tzinfo
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
    person: UUID | None = None


class Mark(NamedTuple):
    """An amount of a measure and the moment (microseconds) that it belongs to."""

    measure: str
    at: int
    amount: int = 1


Contribution = Counter[tuple[Cell, str]]


def contribution(story: Story | None, zone: tzinfo) -> Contribution:
    """Every figure that a request adds: basis submitted on the day of its submission, basis happened on the
    day of each move; days are those of `zone`. A holder's cells come beside those of the village."""
    counted: Contribution = Counter()
    if story is None:
        return counted
    shared = list(marks(story))
    _count(counted, story, zone, None, [*shared, *_work(story, None)])
    for person in story.holders:
        _count(counted, story, zone, person, [*shared, *_work(story, person)])
    return Counter({key: amount for key, amount in counted.items() if amount})


def difference(new: Contribution, old: Contribution) -> dict[tuple[Cell, str], int]:
    """What must be added to the tallies so that they hold `new` in place of `old`; no zeros."""
    moved = dict(new)
    for key, amount in old.items():
        left = moved.get(key, 0) - amount
        if left:
            moved[key] = left
        else:
            moved.pop(key, None)
    return moved


def _count(counted: Contribution, story: Story, zone: tzinfo, person: UUID | None, marked: list[Mark]) -> None:
    submitted = _day(story.submitted_at, zone)
    place = (story.service, story.grid or "", person)
    first = Cell(SUBMITTED, story.tenant, submitted, *place)
    days: dict[int, Cell] = {}
    for measure, at, amount in marked:
        # On the basis of submission, where requests ended is where they stand.
        if not measure.startswith("ended."):
            counted[first, measure] += amount
        cell = days.get(at)
        if cell is None:
            cell = days[at] = Cell(HAPPENED, story.tenant, _day(at, zone), *place)
        counted[cell, measure] += amount


def _day(at: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at // 1_000_000, zone).date()


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

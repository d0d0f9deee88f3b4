"""A request's journey as people read it: the steps of all services in one order."""

from __future__ import annotations

from typing import NamedTuple

from reporting_service.domain.facts import Entry, Fact

# What a step may say about itself besides who and when; no ids.
_TOLD = (
    "status", "state", "round", "wave", "audience", "to", "via", "how", "limit", "purpose", "channel", "attempt",
    "solved", "grade", "source", "reason", "reason_kind", "outcome",
)  # fmt: skip


class Step(NamedTuple):
    """One step: `by` is a person's id, for the reader of names, never for the answer."""

    at: int
    service: str
    step: str
    by: str | None
    told: dict[str, str | int | bool]


def steps(fact: Fact, counted_at: int | None = None) -> list[Step]:
    """All steps in the order of their times; within a service, its own order stands whatever the clocks said."""
    told: list[tuple[int, int, int, Step]] = []
    halves = (("requests", fact.requests), ("dispatch", fact.dispatch), ("notifications", fact.notifications))
    for rank, (service, entries) in enumerate(halves):
        latest = 0
        for place, entry in enumerate(entries):
            latest = max(latest, entry.at)
            told.append((latest, rank, place, _step(service, entry)))
    if counted_at is not None:
        told.append((counted_at, len(halves), 0, Step(counted_at, "reporting", "counted", None, {})))
    return [step for *_, step in sorted(told, key=lambda line: line[:3])]


def _step(service: str, entry: Entry) -> Step:
    said = {name: entry.data[name] for name in _TOLD if entry.data.get(name) is not None}
    return Step(entry.at, service, entry.step, entry.data.get("person") or entry.data.get("by"), said)

"""Limits: the original ones and whether they were kept, longer ones, a stopped clock, and what is overdue."""

from __future__ import annotations

from dataclasses import dataclass

from reporting_service.domain.facts import Entry, Fact
from reporting_service.domain.moments import Stretch, without
from reporting_service.domain.statuses import ENDED, OUTSTANDING, Stand

# Someone who speaks for the one served: to have reached them is a human contact.
_RESIDENTS = frozenset({"resident", "reporter", "guardian"})


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


def original_limits(fact: Fact, stands: list[Stand], done_at: int | None) -> tuple[Limit, Limit]:
    """The original limits: those of the submission, as the first acceptance may have tightened them."""
    original: dict[str, int] = dict(fact.requests[0].data["limits"])
    accepted = next((entry for entry in fact.requests if entry.step == "accepted"), None)
    if accepted is not None:
        earlier = {entry.step for entry in fact.requests if entry.sequence < accepted.sequence}
        tightened: dict[str, int] = dict(accepted.data["limits"])
        if earlier & {"extended", "suspended"}:
            tightened.pop("finish", None)  # by then it is no longer the original one
        original |= tightened
    contact, finish = Limit(original.get("contact")), Limit(original.get("finish"))
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


def suspensions(fact: Fact, stands: list[Stand]) -> list[Stretch]:
    """When the clock stood still: until it was resumed, at most until no more work was owed."""
    stopped: list[Stretch] = []
    for entry in fact.requests:
        if entry.step != "suspended" or (stopped and (stopped[-1][1] is None or entry.at < stopped[-1][1])):
            continue
        before = [status for at, status in stands if at <= entry.at]
        if not before or before[-1] not in OUTSTANDING:
            continue
        ends = [later.at for later in fact.requests if later.step == "resumed" and later.at >= entry.at]
        ends += [at for at, status in stands if at >= entry.at and status not in OUTSTANDING]
        stopped.append((entry.at, min(ends, default=None)))
    return stopped


def _finish_set(entry: Entry) -> int | None:
    """The finish limit that an entry sets, the longer ones included."""
    if entry.step == "extended":
        return entry.data["due_at"] if entry.data["limit"] == "finish" else None
    limits: dict[str, int | None] = entry.data.get("limits") or {}
    return limits.get("finish")


def overdue(fact: Fact, stands: list[Stand], suspensions: list[Stretch]) -> list[Stretch]:
    """When work was owed after the finish limit of that time; a suspended clock owes nothing."""
    limits = [(entry.at, due) for entry in fact.requests if (due := _finish_set(entry)) is not None]
    spells: list[Stretch] = []
    for (at, status), until in zip(stands, [*(stand.at for stand in stands[1:]), None], strict=True):
        if status in OUTSTANDING:
            spells.append((at, until))
    for begin, end in suspensions:
        spells = [part for spell in spells for part in without(spell, begin, end)]
    late: list[Stretch] = []
    for (set_at, due), replaced in zip(limits, [*(at for at, _ in limits[1:]), None], strict=True):
        for begin, end in spells:
            first = max(begin, set_at, due)
            last = end if replaced is None or (end is not None and end < replaced) else replaced
            if last is None or first < last:
                late.append((first, last))
    return late

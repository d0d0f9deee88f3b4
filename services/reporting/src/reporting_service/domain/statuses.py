"""Where a request stands and how it came there: a pure function of requests' and dispatch's halves.

requests owns the status. While its last word is `dispatched`, the assignment of the same round tells how far
the work is. An event of an older round, or one that requests overtook, moves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from reporting_service.domain.facts import Entry, Fact

OPEN = (
    "submitted",
    "awaiting_resident",
    "accepted",
    "dispatched",
    "claimed",
    "in_progress",
    "with_town",
    "completed",
)
ENDED = (
    "rejected",
    "referred",
    "merged",
    "withdrawn",
    "transferred",
    "closed_confirmed",
    "closed_unconfirmed",
)
STATUSES = OPEN + ENDED
# Work is still owed: a request that is done and waits for its grade is open, but not overdue.
OUTSTANDING = frozenset(OPEN) - {"completed"}
TAKEN_ON = frozenset(
    {"accepted", "dispatched", "claimed", "in_progress", "completed", "referred"}
    | {"closed_confirmed", "closed_unconfirmed"}
)
DROPPED = frozenset({"merged", "withdrawn", "transferred"})

# These say the status but never move it: they stand beside the story.
_BESIDE = frozenset({"contacted", "limit-near", "limit-passed", "suspended", "resumed", "extended"})
# From the assignment's state to the request's status; `cancelled` changes nothing.
_WORK = {
    "routed": "dispatched",
    "offered": "dispatched",
    "assigned": "dispatched",
    "claimed": "claimed",
    "in_progress": "in_progress",
    "completed": "completed",
    "returned": "accepted",
}


class Stand(NamedTuple):
    """From `at` (microseconds) on, the request stood at `status`."""

    at: int
    status: str


def _followed(entry: Entry) -> bool:
    """Whether requests had heard the assignment's end when it went on with this entry."""
    return (entry.step == "completed" and entry.data.get("via") == "dispatch") or (entry.step == "dispatch-requested")


def _work_of_rounds(fact: Fact) -> dict[int, list[Stand]]:
    rounds: dict[int, list[Stand]] = defaultdict(list)
    over: set[int] = set()
    latest = 0
    for entry in fact.dispatch:
        state, round_ = entry.data["state"], entry.data["round"]
        latest = max(latest, entry.at)
        if state in _WORK and round_ not in over:
            rounds[round_].append(Stand(latest, _WORK[state]))
        if state in ("completed", "returned", "cancelled"):
            over.add(round_)
    return rounds


def history(fact: Fact) -> list[Stand]:
    """Every status in its order with its time; empty while `request.submitted` has not come.

    Times never run backwards: clocks of two services differ, causes don't. A completion that requests never
    took, because it had withdrawn, merged or referred the request first, is not in it.
    """
    stands: list[Stand] = []

    def stand(at: int, status: str) -> None:
        if not stands or stands[-1].status != status:
            stands.append(Stand(max(at, stands[-1].at) if stands else at, status))

    if not fact.requests or fact.requests[0].step != "submitted":
        return stands
    work = _work_of_rounds(fact)
    owned = [entry for entry in fact.requests if entry.step not in _BESIDE]
    round_ = 0
    for index, entry in enumerate(owned):
        status = entry.data["status"]
        stand(entry.at, status)
        if entry.step == "dispatch-requested":
            round_ = entry.data["round"]
        if status != "dispatched":
            continue
        following = owned[index + 1] if index + 1 < len(owned) else None
        for done in work.get(round_, ()):
            if following is None:
                stand(done.at, done.status)
            elif _followed(following):
                stand(min(done.at, following.at), done.status)
            elif done.at < following.at and done.status != "completed":
                stand(done.at, done.status)
    return stands


def status(fact: Fact) -> str | None:
    """Where the request stands now, None while its submission has not come."""
    stands = history(fact)
    return stands[-1].status if stands else None


def assignment(fact: Fact) -> tuple[str, int] | None:
    """State of the latest round's assignment, and when dispatch first opened one; None without one."""
    if not fact.dispatch:
        return None
    round_ = max(entry.data["round"] for entry in fact.dispatch)
    latest = [entry for entry in fact.dispatch if entry.data["round"] == round_]
    return latest[-1].data["state"], fact.dispatch[0].at

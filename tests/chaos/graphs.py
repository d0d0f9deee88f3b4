"""Whether events walk along the declared graphs. A request's events show only the moves of its own service: what
dispatch moves in between is filled in with every way that the graph allows."""

from collections.abc import Iterator

from chaos.evidence import Event, Evidence
from dispatch_service.domain import states
from requests_service.domain.statuses import TRANSITIONS, WITH_DISPATCH, Move, Status

_BY_DISPATCH = (Move.CLAIM, Move.CHECK_IN, Move.COMPLETE, Move.RELEASE, Move.RETURN)
# These say what a status has already told, or move none.
_SAID = {"contacted", "limit-near", "limit-passed", "completed", "confirmed", "closed"}
_PAIRS = {
    (before.value, after.value)
    for moves in states.GRAPH.values()
    for before, afters in moves.items()
    for after in afters
}


def ways(status: Status) -> set[Status]:
    """Where dispatch alone can bring a request from a status."""
    reached, new = {status}, {status}
    while new:
        found = {TRANSITIONS[s][m] for s in new & WITH_DISPATCH for m in _BY_DISPATCH if m in TRANSITIONS[s]}
        new = found - reached
        reached |= new
    return reached


def in_order(evidence: Evidence, topic: str) -> dict[str, list[Event]]:
    """The events of each key of a topic, each once, by their sequences."""
    found = {(e.key, e.sequence): e for e in reversed(evidence.events) if e.topic == topic}
    lines: dict[str, list[Event]] = {}
    for place in sorted(found):
        lines.setdefault(place[0], []).append(found[place])
    return lines


def request_faults(evidence: Evidence) -> Iterator[str]:
    """Moves of requests that the declared graph does not have, in words."""
    for key, events in in_order(evidence, "lianhu.requests.v1").items():
        status: Status | None = None
        for event in events:
            then = Status(event.data["status"])
            if status is None:
                legal = event.step == "submitted" and then is Status.SUBMITTED
            else:
                before = ways(status)
                after = {to for s in before for to in TRANSITIONS[s].values()}
                legal = then in after or (event.step in _SAID and then in before)
            if not legal:
                yield f"request {key}: {event.step} led from {status} to {then}"
            status = then
        if status is not None and key in evidence.statuses and Status(evidence.statuses[key]) not in ways(status):
            yield f"request {key}: its last event says {status}, its row {evidence.statuses[key]}"


def assignment_faults(evidence: Evidence) -> Iterator[str]:
    """Moves of assignments that the declared graph does not have, in words."""
    last: dict[str, str] = {}
    for events in in_order(evidence, "lianhu.dispatch.v1").values():
        for event in events:
            id, state = event.data["assignment_id"], event.data["state"]
            before = last.get(id)
            if before is None and state != "routed":
                yield f"assignment {id}: began as {state}"
            elif before is not None and before != state and (before, state) not in _PAIRS:
                yield f"assignment {id}: {event.step} led from {before} to {state}"
            elif before == state and state in ("returned", "cancelled"):
                yield f"assignment {id}: {event.step} after it was {state}"
            last[id] = state
    for id, row in evidence.assignments.items():
        if id in last and last[id] != row.state:
            yield f"assignment {id}: its last event says {last[id]}, its row {row.state}"

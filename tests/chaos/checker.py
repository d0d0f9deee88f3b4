"""Judges evidence: what was lost, what was doubled, what should not be possible. Pure functions, one rule each."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chaos.evidence import Event, Evidence, Line
from chaos.graphs import assignment_faults, request_faults
from chaos.table import KINDS

REQUESTS, DISPATCH = "lianhu.requests.v1", "lianhu.dispatch.v1"
# The event that each successful call must have left behind, and whether it names the caller.
LEFT_BEHIND = {
    "place": (REQUESTS, "submitted", False),
    "accept": (REQUESTS, "accepted", False),
    "answer": (REQUESTS, "answered", False),
    "withdraw": (REQUESTS, "withdrawn", False),
    "confirm": (REQUESTS, "confirmed", False),
    "reopen": (REQUESTS, "reopened", False),
    "claim": (DISPATCH, "claimed", True),
    "release": (DISPATCH, "released", True),
    "check-in": (DISPATCH, "checked-in", True),
    "complete": (DISPATCH, "completed", True),
}
TOO_EARLY = {"limit-near", "limit-passed", "escalated"}


class Finding(NamedTuple):
    """Something wrong: its kind, the rule that it breaks, and what breaks it."""

    kind: str
    rule: str
    what: str


def check(evidence: Evidence) -> list[Finding]:
    """Every finding of every rule; none where all is well."""
    return [finding for rule in RULES for finding in rule(evidence)]


def counts(findings: list[Finding]) -> dict[str, int]:
    """How many are lost, doubled, illegal."""
    found = Counter(finding.kind for finding in findings)
    return {kind: found[kind] for kind in KINDS}


def placed_once(evidence: Evidence) -> Iterator[Finding]:
    """What clients were told = rows in requests; one row for each key."""
    by_key: dict[str, set[str]] = defaultdict(set)
    for told in evidence.told:
        if told.what == "place":
            by_key[told.key].add(told.request)
            if told.request not in evidence.statuses:
                yield Finding("lost", "placed", f"{told.request} was acknowledged and is no row")
    for key, ids in by_key.items():
        if len(ids) > 1:
            yield Finding("doubled", "placed", f"key {key} became {sorted(ids)}")
    unknown = set(evidence.statuses) - {told.request for told in evidence.told if told.what == "place"}
    for request in sorted(unknown)[: max(0, len(unknown) - evidence.unsure)]:
        yield Finding("doubled", "placed", f"{request} is a row that nobody was told of")


def moves_kept(evidence: Evidence) -> Iterator[Finding]:
    """Every successful call left its event, as often as it succeeded."""
    seen: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for event in evidence.events:
        seen[event.topic, event.step, event.key, str(event.data.get("person") or "")].add(event.id)
        seen[event.topic, event.step, event.key, "anybody"].add(event.id)
    for told in set(evidence.told):
        topic, step, personal = LEFT_BEHIND[told.what]
        found = seen[topic, step, told.request, told.person if personal else "anybody"]
        if not found:
            yield Finding("lost", "moves", f"{told.what} of {told.request} succeeded and left no {step} on {topic}")


def sequences(evidence: Evidence) -> Iterator[Finding]:
    """1, 2, 3 … per topic and key up to the owner's number, each with one id, first seen in this order."""
    ids: dict[tuple[Line, int], set[str]] = defaultdict(set)
    places: dict[str, set[tuple[Line, int]]] = defaultdict(set)
    highest: dict[Line, int] = {}
    for event in evidence.events:
        line = Line(event.topic, event.key)
        if not ids[line, event.sequence] and event.sequence != highest.get(line, 0) + 1:
            yield Finding("illegal", "order", f"{line} shows {event.sequence} after {highest.get(line, 0)}")
        highest[line] = max(highest.get(line, 0), event.sequence)
        ids[line, event.sequence].add(event.id)
        places[event.id].add((line, event.sequence))
    for (line, number), found in ids.items():
        if len(found) > 1:
            yield Finding("doubled", "sequence", f"{line} {number} has the ids {sorted(found)}")
    for id, where in places.items():
        if len(where) > 1:
            yield Finding("doubled", "sequence", f"id {id} stands at {sorted(where)}")
    for line, last in evidence.lines.items():
        for number in range(1, last + 1):
            if not ids.get((line, number)):
                yield Finding("lost", "sequence", f"{line} {number} of {last} is not on the topic")
    for line, last in highest.items():
        if last > evidence.lines.get(line, 0):
            yield Finding(
                "illegal", "sequence", f"{line} shows {last}, its owner counted {evidence.lines.get(line, 0)}"
            )
    if evidence.unsent:
        yield Finding("lost", "outbox", f"{evidence.unsent} events never left")
    if evidence.set_apart:
        yield Finding("lost", "parked", f"{evidence.set_apart} events of good keys wait or are parked")


def facts_agree(evidence: Evidence) -> Iterator[Finding]:
    """Rows in requests = facts in reporting = tallies."""
    for request, status in evidence.statuses.items():
        if request not in evidence.facts:
            yield Finding("lost", "facts", f"{request} is no fact")
        elif evidence.facts[request] != status:
            yield Finding("lost", "facts", f"{request} is {status}, reporting has {evidence.facts[request]}")
    for request in set(evidence.facts) - set(evidence.statuses):
        yield Finding("illegal", "facts", f"{request} is a fact and no row")
    right = {"submitted": len(evidence.statuses)}
    right |= {f"now.{status}": number for status, number in Counter(evidence.statuses.values()).items()}
    done = {event.id for event in evidence.events if event.topic == DISPATCH and event.step == "completed"}
    right["volunteer_person_times"] = len(done)
    for name in sorted({*right, *evidence.tallies}):
        here, there = evidence.tallies.get(name, 0), right.get(name, 0)
        if here != there:
            yield Finding("doubled" if here > there else "lost", "tallies", f"{name} is {here} and should be {there}")


def graphs_kept(evidence: Evidence) -> Iterator[Finding]:
    """No request and no assignment moved in a way that its graph does not declare."""
    for faults in (request_faults(evidence), assignment_faults(evidence)):
        for fault in faults:
            yield Finding("illegal", "graph", fault)
    for strange in evidence.strange:
        yield Finding("illegal", "answer", strange)


def one_winner(evidence: Evidence) -> Iterator[Finding]:
    """Never more holders than places, and whoever was told that they won has won."""
    for id, row in evidence.assignments.items():
        if len(row.holders) > row.places or row.taken > row.places:
            yield Finding("doubled", "winner", f"{id} has {row.places} places and is held by {sorted(row.holders)}")
    held: dict[str, set[str]] = defaultdict(set)
    for event in _once(evidence, DISPATCH):
        id, holders = event.data["assignment_id"], held[event.data["assignment_id"]]
        if event.step == "claimed":
            holders.add(event.data["person"])
        elif event.step == "released":
            holders.discard(event.data["person"])
        if len(holders) > event.data["places"]:
            yield Finding("doubled", "winner", f"{id} was held by {sorted(holders)} at once")


def told_once(evidence: Evidence) -> Iterator[Finding]:
    """Each audience once: no delivery twice, and the clerks hear of every request once."""
    seen = Counter((d.recipient, d.about, d.template, d.attempt) for d in evidence.deliveries)
    for key, times in seen.items():
        if times > 1:
            yield Finding("doubled", "told", f"{key} was told {times} times")
    heard = Counter((d.request, d.person) for d in evidence.deliveries if d.template == "request-new")
    for clerk in evidence.clerks:
        for request in evidence.statuses:
            if heard[request, clerk] != 1:
                kind = "doubled" if heard[request, clerk] else "lost"
                yield Finding(kind, "told", f"{clerk} heard {heard[request, clerk]} times of {request}")


def in_time(evidence: Evidence) -> Iterator[Finding]:
    """Every event tells a time of the run, and none is of a limit or a third wave: those are hours away."""
    for event in evidence.events:
        if evidence.span and event.time and not evidence.span[0] <= event.time <= evidence.span[1]:
            yield Finding("illegal", "time", f"{event.step} of {event.key} says {event.time}")
        if event.step in TOO_EARLY or event.data.get("audience") == "village":
            yield Finding("illegal", "time", f"{event.step} of {event.key} came hours too early")


def _once(evidence: Evidence, topic: str) -> list[Event]:
    found = {(e.key, e.sequence): e for e in reversed(evidence.events) if e.topic == topic}
    return [found[place] for place in sorted(found)]


RULES: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    placed_once, moves_kept, sequences, facts_agree, graphs_kept, one_winner, told_once, in_time,
)  # fmt: skip

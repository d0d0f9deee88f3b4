"""The checker: content with a good story, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chaos.checker import DISPATCH, REQUESTS, check, counts
from chaos.evidence import Assignment, Delivery, Event, Evidence, Line, Told

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
R, A, P, OTHER, CLERK = "request", "assignment", "person", "other", "clerk"


def _asked(sequence: int, step: str, status: str) -> Event:
    return Event(REQUESTS, R, f"r{sequence}", sequence, f"lianhu.request.{step}.v1", {"status": status}, NOON)


def _work(sequence: int, step: str, state: str, person: str | None = None) -> Event:
    data = {"assignment_id": A, "state": state, "places": 1, "person": person}
    return Event(DISPATCH, R, f"d{sequence}", sequence, f"lianhu.dispatch.{step}.v1", data, NOON)


def good() -> Evidence:
    """One order, done and confirmed, as everybody tells it."""
    events = [
        _asked(1, "submitted", "submitted"), _asked(2, "accepted", "accepted"),
        _asked(3, "dispatch-requested", "dispatched"), _asked(4, "completed", "completed"),
        _asked(5, "confirmed", "closed_confirmed"), _asked(6, "closed", "closed_confirmed"),
        _work(1, "routed", "routed"), _work(2, "offered", "offered"), _work(3, "claimed", "claimed", P),
        _work(4, "completed", "completed", P),
    ]  # fmt: skip
    told = [Told("place", R, key="k"), Told("accept", R), Told("claim", R, P, A), Told("complete", R, P, A)]
    return Evidence(
        told=[*told, Told("confirm", R)],
        statuses={R: "closed_confirmed"},
        lines={Line(REQUESTS, R): 6, Line(DISPATCH, R): 4},
        assignments={A: Assignment(R, 1, 1, "completed", frozenset({P}))},
        deliveries=[Delivery("1", f"person:{CLERK}", R, "request-new", 1, R, CLERK)],
        clerks={CLERK},
        events=events,
        facts={R: "closed_confirmed"},
        tallies={"submitted": 1, "now.closed_confirmed": 1, "volunteer_person_times": 1},
        span=(NOON - timedelta(minutes=2), NOON + timedelta(minutes=2)),
    )


def test_a_good_story_has_no_findings() -> None:
    assert check(good()) == []


def test_what_came_twice_is_no_fault() -> None:
    evidence = good()
    evidence.events += [evidence.events[3], evidence.events[0], evidence.events[7]]
    assert check(evidence) == []


def test_what_a_client_does_not_know_may_be_a_row() -> None:
    evidence = good()
    evidence.told, evidence.unsure = [told for told in evidence.told if told.what != "place"], 1
    assert check(evidence) == []


def _release_gone(evidence: Evidence) -> None:
    evidence.told.append(Told("release", R, P, A))


def test_giving_back_what_was_cancelled_and_hearing_yes_is_a_loss() -> None:
    evidence = good()
    evidence.events = [*evidence.events[:3], _asked(4, "withdrawn", "withdrawn"), *evidence.events[6:9]]
    evidence.events.append(_work(4, "cancelled", "cancelled"))
    evidence.statuses[R] = evidence.facts[R] = "withdrawn"
    evidence.lines[Line(REQUESTS, R)] = 4
    evidence.assignments[A] = Assignment(R, 1, 0, "cancelled", frozenset())
    evidence.tallies = {"submitted": 1, "now.withdrawn": 1}
    evidence.told = [*evidence.told[:3], Told("withdraw", R), Told("release", R, P, A)]
    assert [finding.kind for finding in check(evidence)] == ["lost"]


def _row_gone(evidence: Evidence) -> None:
    evidence.statuses = {}
    evidence.facts = {}
    evidence.tallies = {"volunteer_person_times": 1}
    evidence.lines = {line: last for line, last in evidence.lines.items() if line.topic == DISPATCH}
    evidence.events = [event for event in evidence.events if event.topic == DISPATCH]
    evidence.told = evidence.told[:1]


def _event_gone(evidence: Evidence) -> None:
    del evidence.events[5]


def _claim_gone(evidence: Evidence) -> None:
    evidence.told.append(Told("claim", R, OTHER, A))


def _fact_behind(evidence: Evidence) -> None:
    evidence.facts[R] = "completed"


def _tally_behind(evidence: Evidence) -> None:
    evidence.tallies["volunteer_person_times"] = 0


def _unsent(evidence: Evidence) -> None:
    evidence.unsent = 1


def _set_apart(evidence: Evidence) -> None:
    evidence.set_apart = 1


def _not_told(evidence: Evidence) -> None:
    evidence.deliveries = []


def _one_key_two_orders(evidence: Evidence) -> None:
    evidence.told.append(Told("place", OTHER, key="k"))
    evidence.statuses[OTHER] = evidence.facts[OTHER] = "submitted"
    evidence.tallies |= {"submitted": 2, "now.submitted": 1}
    evidence.lines[Line(REQUESTS, OTHER)] = 1
    evidence.events.append(replace(_asked(1, "submitted", "submitted"), key=OTHER, id="o1"))
    evidence.deliveries.append(Delivery("2", f"person:{CLERK}", OTHER, "request-new", 1, OTHER, CLERK))


def _two_ids(evidence: Evidence) -> None:
    evidence.events.append(replace(evidence.events[2], id="again"))


def _one_id_twice(evidence: Evidence) -> None:
    evidence.events[5] = replace(evidence.events[5], id="r5")


def _tally_ahead(evidence: Evidence) -> None:
    evidence.tallies["submitted"] = 2


def _two_winners(evidence: Evidence) -> None:
    evidence.assignments[A] = replace(evidence.assignments[A], holders=frozenset({P, OTHER}))


def _told_twice(evidence: Evidence) -> None:
    evidence.deliveries.append(replace(evidence.deliveries[0], id="2", recipient="role:clerk"))


def _off_the_graph(evidence: Evidence) -> None:
    evidence.events[4] = _asked(5, "confirmed", "withdrawn")


def _row_beside_its_events(evidence: Evidence) -> None:
    evidence.statuses[R] = evidence.facts[R] = "withdrawn"
    evidence.tallies |= {"now.closed_confirmed": 0, "now.withdrawn": 1}


def _assignment_off_its_graph(evidence: Evidence) -> None:
    evidence.events[8] = _work(3, "claimed", "completed", P)


def _wrong_order(evidence: Evidence) -> None:
    evidence.events[1], evidence.events[2] = evidence.events[2], evidence.events[1]


def _time_of_another_clock(evidence: Evidence) -> None:
    evidence.events[3] = replace(evidence.events[3], time=NOON + timedelta(hours=1))


def _third_wave_at_once(evidence: Evidence) -> None:
    evidence.events[7].data["audience"] = "village"  # type: ignore[index]


def _limit_at_once(evidence: Evidence) -> None:
    evidence.events[5] = replace(evidence.events[5], type="lianhu.request.limit-passed.v1")


def _strange_answer(evidence: Evidence) -> None:
    evidence.strange.append("POST answered 500")


PLANTED: dict[Callable[[Evidence], None], str] = {
    _row_gone: "lost",
    _event_gone: "lost",
    _claim_gone: "lost",
    _release_gone: "lost",
    _fact_behind: "lost",
    _tally_behind: "lost",
    _unsent: "lost",
    _set_apart: "lost",
    _not_told: "lost",
    _one_key_two_orders: "doubled",
    _two_ids: "doubled",
    _one_id_twice: "doubled",
    _tally_ahead: "doubled",
    _two_winners: "doubled",
    _told_twice: "doubled",
    _off_the_graph: "illegal",
    _row_beside_its_events: "illegal",
    _assignment_off_its_graph: "illegal",
    _wrong_order: "illegal",
    _time_of_another_clock: "illegal",
    _third_wave_at_once: "illegal",
    _limit_at_once: "illegal",
    _strange_answer: "illegal",
}


@pytest.mark.parametrize(("plant", "kind"), PLANTED.items(), ids=[plant.__name__ for plant in PLANTED])
def test_a_planted_fault_is_found(plant: Callable[[Evidence], None], kind: str) -> None:
    evidence = good()
    plant(evidence)
    found = counts(check(evidence))
    assert found[kind] >= 1, found
    assert sum(found.values()) == found[kind], check(evidence)

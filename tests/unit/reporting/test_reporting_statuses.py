"""Where a request stands, by hand-made stories: rounds, two places, and every crossing in both orders."""

from datetime import UTC
from typing import Any
from uuid import UUID

import pytest

from reporting_service.domain.contribution import SUBMITTED, contribution
from reporting_service.domain.facts import Entry, Fact
from reporting_service.domain.statuses import assignment, history, status
from reporting_service.domain.story import story

ID = UUID(int=1)
PERSON = str(UUID(int=2))


def fact(*told: tuple[str, str, int, dict[str, Any]]) -> Fact:
    """A fact from (half, step, at, data); sequences are counted here."""
    made = Fact(ID, "990000000001")
    numbers = {"requests": 0, "dispatch": 0}
    for half, step, at, data in told:
        numbers[half] += 1
        made.add("requests" if half == "requests" else "dispatch", Entry(numbers[half], step, at, data))
    return made


def asked(step: str, when: int, status: str, **data: Any) -> tuple[str, str, int, dict[str, Any]]:
    """An event of requests."""
    return "requests", step, when, {"status": status, **data}


def worked(step: str, at: int, state: str, round: int = 1, **data: Any) -> tuple[str, str, int, dict[str, Any]]:
    """An event of dispatch."""
    return "dispatch", step, at, {"state": state, "round": round, "person": PERSON, **data}


LIMITS = {"contact": 1000, "finish": 2000}
BEGUN = (
    asked("submitted", 1, "submitted", number="12345678", service="haircut", limits=LIMITS),
    asked("accepted", 2, "accepted", limits=LIMITS),
    asked("dispatch-requested", 3, "dispatched", round=1, limits=LIMITS),
    worked("routed", 4, "routed"),
    worked("offered", 5, "offered"),
)


def test_dispatch_refines_while_requests_last_word_is_dispatched() -> None:
    told = fact(*BEGUN, worked("claimed", 6, "claimed"), worked("checked-in", 7, "in_progress"))
    assert [stand.status for stand in history(told)] == [
        "submitted",
        "accepted",
        "dispatched",
        "claimed",
        "in_progress",
    ]


def test_two_places_stay_dispatched_until_both_are_taken() -> None:
    one = fact(*BEGUN, worked("claimed", 6, "offered"))
    assert status(one) == "dispatched"
    assert status(fact(*BEGUN, worked("claimed", 6, "offered"), worked("claimed", 7, "claimed"))) == "claimed"
    released = (worked("claimed", 6, "offered"), worked("claimed", 7, "claimed"), worked("released", 8, "offered"))
    assert status(fact(*BEGUN, *released)) == "dispatched"


def test_an_older_round_never_moves_the_status() -> None:
    again = (
        worked("returned", 6, "returned"),
        asked("dispatch-requested", 7, "dispatched", round=2, limits=LIMITS),
        worked("cancelled", 8, "cancelled", 1),
        worked("claimed", 9, "claimed", 1),
    )
    told = fact(*BEGUN, *again)
    assert status(told) == "dispatched"
    assert [stand.status for stand in history(told)][-2:] == ["accepted", "dispatched"]
    assert assignment(told) == ("claimed", 4)
    assert assignment(fact(*BEGUN, *again, worked("routed", 10, "routed", 2))) == ("routed", 4)


@pytest.mark.parametrize(("withdrawn", "claimed"), [(6, 7), (7, 6)])
def test_withdrawn_while_a_claim_is_in_flight(withdrawn: int, claimed: int) -> None:
    told = fact(
        *BEGUN,
        asked("withdrawn", withdrawn, "withdrawn"),
        worked("claimed", claimed, "claimed"),
        worked("cancelled", 8, "cancelled"),
    )
    assert status(told) == "withdrawn"
    assert ("claimed" in [stand.status for stand in history(told)]) == (claimed < withdrawn)


@pytest.mark.parametrize(("withdrawn", "completed"), [(6, 7), (7, 6)])
def test_withdrawn_while_a_completion_is_in_flight_still_counts_the_work(withdrawn: int, completed: int) -> None:
    done = worked("completed", completed, "completed", served_person_times=2, minutes=30)
    told = fact(*BEGUN, worked("claimed", 5, "claimed"), asked("withdrawn", withdrawn, "withdrawn"), done)
    assert status(told) == "withdrawn"
    read = story(told)
    assert read is not None
    assert "completed" not in read.firsts
    assert read.firsts["accepted_dropped"] == withdrawn
    assert read.work[UUID(PERSON)].minutes == [(completed, 30)]


def test_completed_shows_before_requests_has_said_so_and_stays_when_it_does() -> None:
    done = (worked("claimed", 6, "claimed"), worked("completed", 7, "completed"))
    early = fact(*BEGUN, *done)
    assert status(early) == "completed"
    late = fact(*BEGUN, *done, asked("completed", 8, "completed", via="dispatch"))
    assert history(late) == history(early)


def test_clocks_that_differ_change_no_order() -> None:
    skewed = fact(
        *BEGUN, worked("claimed", 6, "claimed"), worked("completed", 50, "completed"),
        asked("completed", 20, "completed", via="dispatch"), asked("closed", 19, "closed_unconfirmed"),
    )  # fmt: skip
    stands = history(skewed)
    assert [stand.status for stand in stands[-3:]] == ["claimed", "completed", "closed_unconfirmed"]
    assert [stand.at for stand in stands] == sorted(stand.at for stand in stands)


def test_nothing_is_known_before_the_submission() -> None:
    assert status(fact(worked("claimed", 6, "claimed"))) is None
    assert story(fact(worked("claimed", 6, "claimed"))) is None


def test_a_limit_says_nothing_before_it_was_kept_or_has_passed() -> None:
    open_still = story(fact(*BEGUN))
    assert open_still is not None
    assert (open_still.contact.counts, open_still.finish.counts) == (False, False)
    kept = story(fact(*BEGUN, asked("contacted", 6, "dispatched", at=900)))
    assert kept is not None
    assert (kept.contact.counts, kept.contact.met) == (True, True)
    late = story(fact(*BEGUN, asked("contacted", 1200, "dispatched", at=1100)))
    assert late is not None
    assert (late.contact.counts, late.contact.met) == (True, False)
    passed = story(fact(*BEGUN, asked("limit-passed", 2000, "dispatched", limit="finish")))
    assert passed is not None
    assert (passed.finish.counts, passed.finish.met) == (True, False)


def test_overdue_ends_with_the_work_and_waits_for_a_longer_limit() -> None:
    assert _overdue(fact(*BEGUN)) == [(2000, None)]
    longer = asked("extended", 1500, "dispatched", limit="finish", due_at=9000)
    assert _overdue(fact(*BEGUN, longer)) == [(9000, None)]
    late = asked("extended", 2500, "dispatched", limit="finish", due_at=9000)
    assert _overdue(fact(*BEGUN, late)) == [(2000, 2500), (9000, None)]
    stopped = (asked("suspended", 1000, "dispatched"), asked("resumed", 3000, "dispatched", limits=LIMITS))
    assert _overdue(fact(*BEGUN, *stopped)) == [(3000, None)]
    done = (worked("claimed", 6, "claimed"), worked("completed", 2100, "completed"))
    assert _overdue(fact(*BEGUN, *done)) == [(2000, 2100)]


def _overdue(told: Fact) -> list[tuple[int, int | None]]:
    read = story(told)
    assert read is not None
    return read.overdue


def test_one_passed_to_another_village_is_dropped_here_and_owes_nothing_any_more() -> None:
    here = fact(
        asked("submitted", 1, "submitted", number="12345678", service="haircut", limits=LIMITS),
        asked("accepted", 2, "accepted", limits=LIMITS),
        asked("transferred", 1500, "transferred"),
    )
    assert status(here) == "transferred"
    assert _overdue(here) == []
    told = story(here)
    assert told is not None
    [counted] = [sums for cell, sums in contribution(told, UTC).items() if cell.basis == SUBMITTED]
    assert counted["now.transferred"] == 1
    assert counted["ever.accepted_dropped"] == 1
    assert "now.open" not in counted
    straight = story(fact(BEGUN[0], asked("transferred", 2, "transferred")))
    assert straight is not None
    [counted] = [sums for cell, sums in contribution(straight, UTC).items() if cell.basis == SUBMITTED]
    assert "ever.accepted_dropped" not in counted

"""What the outcome of a call means."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications_service.domain.calls import (
    POINTLESS,
    TRIES,
    Outcome,
    consequence,
    is_over,
    is_stale,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_only_who_was_reached_has_been_told() -> None:
    assert consequence(Outcome.REACHED, 1).state == "sent"
    for outcome in set(Outcome) - {Outcome.REACHED}:
        assert consequence(outcome, 1).state == "failed"


def test_nobody_answered_is_tried_again_up_to_two_times() -> None:
    tries = [consequence(Outcome.NO_ANSWER, attempt).try_again for attempt in range(1, TRIES + 2)]
    assert tries == [True] * (TRIES - 1) + [False, False]
    assert consequence(Outcome.NO_ANSWER, 1).reason == "no-answer"


def test_a_wrong_number_goes_to_the_clerks_and_is_not_dialled_again() -> None:
    follows = consequence(Outcome.WRONG_NUMBER, 1)
    assert (follows.reason, follows.try_again, follows.tell_clerks) == ("wrong-number", False, True)


def test_who_refuses_counts_as_tried_and_is_left_alone() -> None:
    follows = consequence(Outcome.REFUSED, 1)
    assert (follows.reason, follows.try_again, follows.tell_clerks) == ("refused", False, False)


@pytest.mark.parametrize(
    ("event", "purpose", "pointless"),
    [
        ("request.withdrawn", "visit", True),
        ("request.confirmed", "confirm", True),
        ("request.closed", "result", True),
        ("request.completed", "visit", True),
        ("request.completed", "confirm", False),
        ("request.reopened", "confirm", True),
        ("request.replied", "ask", True),
        ("request.replied", "visit", False),
        ("dispatch.released", "guardian", True),
        ("dispatch.released", "confirm", False),
        ("request.accepted", "ask", False),
    ],
)
def test_calls_that_nobody_needs_to_make(event: str, purpose: str, pointless: bool) -> None:
    assert (purpose in POINTLESS.get(event, ())) is pointless


def test_nobody_is_tried_again_after_the_end() -> None:
    over = {"withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed"}
    assert {status for status in over | {"completed", "merged", "rejected", "accepted"} if is_over(status)} == over


def test_an_event_is_old_after_a_day() -> None:
    assert not is_stale(NOON - timedelta(hours=23, minutes=59), NOON)
    assert is_stale(NOON - timedelta(hours=24, minutes=1), NOON)

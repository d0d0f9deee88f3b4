"""The declared graph: every request walks only along it, and refusals say where they are and what is allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.statuses import (
    BESIDE,
    OPEN,
    TRANSITIONS,
    WITH_DISPATCH,
    IllegalTransition,
    Move,
    Status,
    after,
    allowed,
    follow,
)

ASSIGNMENT_STATES = ["routed", "offered", "assigned", "claimed", "in_progress", "completed", "returned", "cancelled"]
DISPATCH_MOVES = (Move.CLAIM, Move.CHECK_IN, Move.COMPLETE, Move.RELEASE, Move.RETURN)


def test_every_status_has_its_row_and_every_move_a_place() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {move for row in TRANSITIONS.values() for move in row} == set(Move)


def test_every_status_can_be_reached_from_submitted() -> None:
    seen, todo = set(), [Status.SUBMITTED]
    while todo:
        status = todo.pop()
        if status not in seen:
            seen.add(status)
            todo.extend(TRANSITIONS[status].values())
    assert seen == set(Status)


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ("ask reply accept dispatch claim check-in complete confirm", "closed_confirmed"),
        ("accept dispatch claim complete lapse confirm", "closed_confirmed"),
        ("accept dispatch claim release claim return refer agency-reply:_bounced answer", "completed"),
        ("accept dispatch refer agency-reply:_done reopen dispatch", "dispatched"),
        ("report-up refer agency-reply:_done lapse reopen", "accepted"),
        ("reject review:_uphold review:_overturn answer", "completed"),
        ("accept dispatch merge split accept withdraw", "withdrawn"),
        ("transfer", "transferred"),
    ],
)
def test_the_life_in_the_glossary(path: Any, end: Any) -> None:
    status = Status.SUBMITTED
    for step in path.split():
        status = after(status, Move(step.replace("_", " ")))
    assert status == end


@pytest.mark.parametrize("status", [Status.CLAIMED, Status.IN_PROGRESS])
def test_work_in_hand_is_not_merged_or_referred(status: Any) -> None:
    for move in (Move.MERGE, Move.REFER):
        with pytest.raises(IllegalTransition):
            after(status, move)


def test_a_refusal_names_the_state_and_what_is_allowed() -> None:
    with pytest.raises(IllegalTransition) as refused:
        after(Status.REFERRED, Move.ACCEPT)
    assert refused.value.status == "referred"
    assert refused.value.allowed == ("agency-reply", "withdraw", "contacted", "suspend", "resume", "extend")
    assert "referred" in str(refused.value)
    assert "agency-reply, withdraw, contacted, suspend, resume, extend" in str(refused.value)


def test_a_refusal_can_be_reviewed() -> None:
    assert allowed(Status.REJECTED) == ("review",)


def test_what_has_ended_allows_nothing() -> None:
    assert allowed(Status.WITHDRAWN) == ()
    assert "it has ended" in str(IllegalTransition(Status.WITHDRAWN, Move.ACCEPT))


def test_moves_beside_the_status_do_not_move_it() -> None:
    for status in Status:
        for move in BESIDE:
            if status in OPEN:
                assert after(status, move) == status
            else:
                assert move not in TRANSITIONS[status]


@given(st.lists(st.sampled_from(list(Move)), max_size=40))
def test_random_orders_of_moves_never_leave_the_graph(moves: Any) -> None:
    status = Status.SUBMITTED
    for move in moves:
        if move in TRANSITIONS[status]:
            status = after(status, move)
            assert status in Status
        else:
            with pytest.raises(IllegalTransition) as refused:
                after(status, move)
            assert (refused.value.status, refused.value.move) == (status, move)


@given(st.sampled_from(list(Status)), st.sampled_from(ASSIGNMENT_STATES), st.booleans())
def test_dispatch_moves_a_request_only_where_dispatch_may(status: Any, state: Any, current: Any) -> None:
    target = follow(status, state, current=current)
    if target != status:
        assert current
        assert status in WITH_DISPATCH
        # An event or two may have been skipped, but some walk of dispatch's own moves leads there.
        reach = {status}
        for _ in range(4):
            reach |= {TRANSITIONS[s][m] for s in reach & WITH_DISPATCH for m in DISPATCH_MOVES if m in TRANSITIONS[s]}
        assert target in reach


@given(st.lists(st.sampled_from(ASSIGNMENT_STATES), max_size=12))
def test_replaying_what_dispatch_said_ends_where_it_ended(states: list[str]) -> None:
    def play(status: Status) -> Status:
        for state in states:
            status = follow(status, state, current=True)
        return status

    assert play(play(Status.DISPATCHED)) == play(Status.DISPATCHED)


def test_withdrawn_stays_withdrawn_whatever_dispatch_says() -> None:
    for state in ASSIGNMENT_STATES:
        assert follow(Status.WITHDRAWN, state, current=True) == Status.WITHDRAWN

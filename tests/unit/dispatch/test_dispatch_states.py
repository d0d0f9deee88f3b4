"""The declared graph of an assignment."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatch_service.domain.errors import IllegalTransition
from dispatch_service.domain.states import GRAPH, OPEN, Move, State, allowed, begin, moved, resting

ENDED = set(State) - OPEN


def test_nothing_moves_an_assignment_that_has_ended() -> None:
    for state in ENDED:
        assert allowed(state) == []
        for move in Move:
            with pytest.raises(IllegalTransition, match=f"is {state} cannot {move}.*Possible now: nothing more"):
                begin(state, move)


@given(some.sampled_from(list(State)), some.sampled_from(list(Move)), some.sampled_from(list(State)))
def test_a_move_ends_where_the_graph_says_or_is_refused_with_what_is_possible(
    state: State, move: Move, to: State
) -> None:
    if to in GRAPH[move].get(state, frozenset()):
        assert moved(state, move, to) is to
        return
    with pytest.raises(IllegalTransition) as refused:
        moved(state, move, to)
    assert refused.value.state == state
    assert refused.value.allowed == allowed(state)


def test_every_open_state_can_be_left_by_the_village_and_by_the_resident() -> None:
    for state in OPEN:
        assert GRAPH[Move.RETURN][state] == {State.RETURNED}
        assert GRAPH[Move.CANCEL][state] == {State.CANCELLED}


def test_every_state_can_be_reached_from_routed() -> None:
    reached, frontier = {State.ROUTED}, [State.ROUTED]
    while frontier:
        state = frontier.pop()
        for targets in GRAPH.values():
            frontier += (new := targets.get(state, frozenset()) - reached)
            reached |= new
    assert reached == set(State)


def test_a_claim_needs_an_offer() -> None:
    assert set(GRAPH[Move.CLAIM]) == {State.OFFERED}
    assert "claim" in allowed(State.OFFERED)
    assert "claim" not in allowed(State.ASSIGNED)


@given(some.integers(1, 9), some.integers(0, 9), some.booleans())
def test_it_rests_as_claimed_with_all_places_taken_and_as_before_otherwise(
    places: int, taken: int, offered: bool
) -> None:
    expected = State.CLAIMED if taken >= places else (State.OFFERED if offered else State.ROUTED)
    assert resting(taken, places, offered=offered) is expected

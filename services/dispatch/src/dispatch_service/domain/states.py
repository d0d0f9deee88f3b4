"""The states of an assignment and the moves between them, declared once.

Source: product.md, "The life of a request", the part that dispatch owns.
"""

from enum import StrEnum

from dispatch_service.domain.errors import IllegalTransition


class State(StrEnum):
    """Where an assignment stands."""

    ROUTED = "routed"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What can happen to an assignment; most are calls of the API under the same name."""

    OFFER = "offer"
    ESCALATE = "escalate"
    CLAIM = "claim"
    DECLINE = "decline"
    ASSIGN = "assign"
    ORDER = "order"
    ACCEPT = "accept"
    RELEASE = "release"
    CHECK_IN = "check-in"
    CHECK_OUT = "check-out"
    COMPLETE = "complete"
    RETURN = "return"
    REMIND = "remind"
    SUPERVISE = "supervise"
    CANCEL = "cancel"


_R, _O, _A, _C, _P = State.ROUTED, State.OFFERED, State.ASSIGNED, State.CLAIMED, State.IN_PROGRESS
OPEN = frozenset({_R, _O, _A, _C, _P})
_STAYS = {state: frozenset({state}) for state in OPEN}

# move → state before → states after. Routed, offered and assigned can have holders: some of two places are taken.
GRAPH: dict[Move, dict[State, frozenset[State]]] = {
    Move.OFFER: {_R: frozenset({_O}), _O: frozenset({_O})},
    Move.ESCALATE: {_R: frozenset({_R}), _O: frozenset({_O})},
    Move.CLAIM: {_O: frozenset({_O, _C})},
    Move.DECLINE: {_O: frozenset({_O}), _A: frozenset({_A, _O, _R})},
    Move.ASSIGN: {_R: frozenset({_A}), _O: frozenset({_A}), _A: frozenset({_A})},
    Move.ORDER: {
        _R: frozenset({_R, _C}),
        _O: frozenset({_O, _C}),
        _A: frozenset({_R, _O, _C}),
    },
    Move.ACCEPT: {_A: frozenset({_R, _O, _C})},
    Move.RELEASE: {
        _R: frozenset({_R}),
        _O: frozenset({_O}),
        _A: frozenset({_A}),
        _C: frozenset({_R, _O}),
        _P: frozenset({_R, _O}),
    },
    Move.CHECK_IN: {_C: frozenset({_C, _P}), _P: frozenset({_P})},
    Move.CHECK_OUT: _STAYS,
    Move.COMPLETE: {
        _R: frozenset({_R}),
        _O: frozenset({_O}),
        _A: frozenset({_A}),
        _C: frozenset({_C, State.COMPLETED}),
        _P: frozenset({_P, State.COMPLETED}),
    },
    Move.RETURN: {state: frozenset({State.RETURNED}) for state in OPEN},
    Move.REMIND: _STAYS,
    Move.SUPERVISE: _STAYS,
    Move.CANCEL: {state: frozenset({State.CANCELLED}) for state in OPEN},
}

_BY_PEOPLE = tuple(move for move in Move if move not in {Move.OFFER, Move.ESCALATE, Move.ORDER, Move.CANCEL})


def allowed(state: State) -> list[str]:
    """The calls that are possible from a state, in the order of the life of an assignment."""
    return [move.value for move in _BY_PEOPLE if state in GRAPH[move]]


def begin(state: State, move: Move) -> None:
    """Refuses a move that is not possible from this state: IllegalTransition names the state and what is allowed."""
    if state not in GRAPH[move]:
        raise IllegalTransition(move.value, state.value, allowed(state))


def moved(state: State, move: Move, to: State) -> State:
    """The state after a move, held against the graph; IllegalTransition where it is not declared."""
    begin(state, move)
    if to not in GRAPH[move][state]:
        raise IllegalTransition(move.value, state.value, allowed(state))
    return to


def resting(taken: int, places: int, *, offered: bool) -> State:
    """Where an assignment rests when somebody took or gave back a place: claimed with all places taken.

    `offered` says whether offers were ever made: without any it is routed and waits for its leader.
    """
    if taken >= places:
        return State.CLAIMED
    return State.OFFERED if offered else State.ROUTED

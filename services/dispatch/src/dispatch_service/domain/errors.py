"""What the rules refuse. Every error is a sentence with a remedy.

Refusal
├── IllegalTransition   the state does not allow the move
├── AlreadyClaimed      all places are taken
├── OfferEnded          the caller passed on it, or gave it back
├── AtCapacity          the volunteer holds as much as agreed
├── NotEligible         the person may not do this one
├── TwoPeopleNeeded     a visit to a minor with fewer than two checked people
├── NotHeld             the person holds no place
├── ImpossibleTime      a time that cannot be
└── HolderUnclear       several people hold it, and none was named
"""

from collections.abc import Sequence


class Refusal(Exception):
    """A rule says no."""


class IllegalTransition(Refusal):
    """The state does not allow the move."""

    def __init__(self, move: str, state: str, allowed: Sequence[str]) -> None:
        possible = ", ".join(allowed) or "nothing more"
        super().__init__(f"An assignment that is {state} cannot {move}. Possible now: {possible}.")
        self.state = state
        self.allowed = list(allowed)


class AlreadyClaimed(Refusal):
    """All places are taken."""

    def __init__(self) -> None:
        super().__init__("All places of this assignment are taken. See what else is offered to you.")


class OfferEnded(Refusal):
    """The caller passed on it or gave it back."""

    def __init__(self) -> None:
        super().__init__("You passed on this one or gave it back. The grid leader can ask you again by name.")


class AtCapacity(Refusal):
    """The volunteer holds as much as agreed."""

    def __init__(self, load: int, capacity: int) -> None:
        super().__init__(
            f"You hold {load} of at most {capacity} assignments. Complete or give back one, or raise your capacity."
        )
        self.load = load
        self.capacity = capacity


class NotEligible(Refusal):
    """The person may not do this one; `bars` are the codes of the reasons."""

    def __init__(self, bars: Sequence[str]) -> None:
        super().__init__(f"This person cannot take this one: {', '.join(bars)}. Choose someone else.")
        self.bars = list(bars)


class TwoPeopleNeeded(Refusal):
    """A visit to a minor with fewer than two checked people (product.md, "Safe and lawful")."""

    def __init__(self, checked: int) -> None:
        super().__init__(
            f"A visit to a minor needs two people with a dated check; {checked} of them hold this one. "
            "Wait for the second, or ask the grid leader to assign one."
        )
        self.checked = checked


class NotHeld(Refusal):
    """The person holds no place."""

    def __init__(self) -> None:
        super().__init__("This person holds no place of this assignment. Claim it first, or name a holder.")


class HolderUnclear(Refusal):
    """Several people hold it, and none was named."""

    def __init__(self) -> None:
        super().__init__("Several people, or nobody, hold this one. Say in `person` who gives it back.")


class ImpossibleTime(Refusal):
    """A time that cannot be; `field` is the input's field."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(remedy)
        self.field = field

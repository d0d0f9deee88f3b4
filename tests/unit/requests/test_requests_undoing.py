"""Which moves can be taken back, by whom and for how long."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from requests_service.domain.statuses import Move
from requests_service.domain.undoing import Made, NothingToUndo, UndoOver, inverse, undo

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ME = uuid4()


def story(*steps: str) -> list[Made]:
    return [Made(step, NOW, ME) for step in steps]


@pytest.mark.parametrize(
    ("steps", "accepted", "back"),
    [
        (("submitted", "merged"), False, Move.SPLIT),
        (("submitted", "asked", "replied", "merged"), False, Move.SPLIT),
        (("submitted", "asked", "merged"), False, None),  # it waited for the resident: split makes it new
        (("submitted", "accepted", "merged"), True, None),
        (("accepted", "suspended"), True, Move.RESUME),
        (("accepted", "suspend-asked", "suspended"), True, None),  # what was asked would be lost
        (("accepted", "suspend-asked", "suspend-refused", "suspended"), True, Move.RESUME),
        (("submitted", "rejected"), False, None),
        (("submitted", "accepted"), True, None),
        ((), False, None),
    ],
)
def test_only_a_true_inverse_leads_back(steps: tuple[str, ...], accepted: bool, back: Move | None) -> None:
    assert inverse(story(*steps), accepted=accepted) == back


def test_it_is_ones_own_and_for_a_minute() -> None:
    steps = story("submitted", "merged")
    soon, late = NOW + timedelta(seconds=60), NOW + timedelta(seconds=61)
    assert undo(steps, accepted=False, person=ME, now=soon) is Move.SPLIT
    with pytest.raises(UndoOver):
        undo(steps, accepted=False, person=ME, now=late)
    with pytest.raises(NothingToUndo):
        undo(steps, accepted=False, person=uuid4(), now=soon)
    with pytest.raises(NothingToUndo):
        undo(story("submitted", "merged", "split"), accepted=False, person=ME, now=soon)

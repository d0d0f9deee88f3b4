"""What is decided one level up, and by whom."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain.statuses import Status
from requests_service.domain.town import (
    NotOneLevelUp,
    OwnDecision,
    WithVillage,
    above,
    decides,
    require_above,
    require_another,
    require_hands,
)

CODE = "44170200820500101"
LENGTHS = [2, 4, 6, 9, 12, 15, 17]


@pytest.mark.parametrize(
    ("code", "up"), [(CODE[:12], CODE[:9]), (CODE[:9], CODE[:6]), (CODE, CODE[:15]), (CODE[:4], CODE[:2])]
)
def test_one_level_up(code: str, up: str) -> None:
    assert above(code) == up


def test_a_province_has_nothing_above_it() -> None:
    with pytest.raises(ValueError, match="top of the tree"):
        above("44")


@given(st.sampled_from(LENGTHS[1:]))
def test_what_is_above_contains_it_and_nothing_lies_between(length: Any) -> None:
    up = above(CODE[:length])
    assert CODE[:length].startswith(up)
    assert [between for between in LENGTHS if len(up) < between < length] == []


@given(st.sampled_from(LENGTHS))
def test_only_a_place_above_the_village_decides(length: Any) -> None:
    if length < 12:
        require_above(CODE[:length], CODE[:12])
    else:
        with pytest.raises(NotOneLevelUp):
            require_above(CODE[:length], CODE[:12])


def test_another_town_does_not_decide() -> None:
    with pytest.raises(NotOneLevelUp):
        require_above("441702009", CODE[:12])


def test_nobody_decides_on_their_own() -> None:
    one, other = uuid4(), uuid4()
    require_another(one, other)
    require_another(one, None)
    with pytest.raises(OwnDecision):
        require_another(one, one)


VILLAGE, TOWN = CODE[:12], CODE[:9]


def test_what_is_with_the_town_is_in_the_towns_hands_alone() -> None:
    require_hands(Status.WITH_TOWN, VILLAGE, [("clerk", VILLAGE), ("supervisor", TOWN)])
    for roles in ([("clerk", VILLAGE)], [("supervisor", VILLAGE)], [("supervisor", "441702009")], [("clerk", TOWN)]):
        with pytest.raises(NotOneLevelUp):
            require_hands(Status.WITH_TOWN, VILLAGE, roles)


@given(st.sampled_from([status for status in Status if status != Status.WITH_TOWN]))
def test_everything_else_is_in_the_villages_hands(status: Any) -> None:
    require_hands(status, VILLAGE, [("clerk", VILLAGE)])
    require_hands(status, VILLAGE, [("supervisor", TOWN), ("branch_secretary", VILLAGE)])
    with pytest.raises(WithVillage):
        require_hands(status, VILLAGE, [("supervisor", TOWN)])


@pytest.mark.parametrize(
    ("role", "at", "to"),
    [
        ("clerk", VILLAGE, TOWN),
        ("supervisor", VILLAGE, TOWN),
        ("supervisor", TOWN, TOWN),
        ("supervisor", CODE[:6], CODE[:6]),
    ],
)
def test_to_whom_it_is_reported_up(role: str, at: str, to: str) -> None:
    assert decides(role, at, VILLAGE) == to

"""The ladder of waves and its settings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatch_service.domain.ladder import (
    AUDIENCES,
    DEFAULT_SECONDS,
    URGENT_SECONDS,
    Step,
    inherited,
    reached,
    seconds,
    steps_after,
)


def test_the_ladder_goes_from_the_linking_household_to_the_town() -> None:
    assert steps_after(None) == (Step.LINKING_HOUSEHOLD, Step.GRID, Step.VILLAGE, Step.LEADER, Step.TOWN)
    assert steps_after(Step.TOWN) == ()


@given(some.sampled_from(list(Step)))
def test_what_was_reached_and_what_comes_make_the_ladder(step: Step) -> None:
    told = tuple(Step)[: tuple(Step).index(step) + 1]
    assert told + steps_after(step) == tuple(Step)
    assert reached(step) == tuple(one for one in told if one in AUDIENCES)
    assert reached(None) == ()


@pytest.mark.parametrize("unsound", [None, 0, -5, "60", True, [], {}])
def test_an_unsound_setting_gives_way_to_the_default(unsound: Any) -> None:
    assert seconds(Step.GRID, {"grid": unsound}, urgent=False) == DEFAULT_SECONDS[Step.GRID]


@given(some.integers(1, 10**7), some.sampled_from([*AUDIENCES, Step.LEADER]))
def test_a_setting_counts_and_urgent_work_waits_ten_minutes_at_most(given_seconds: int, step: Step) -> None:
    settings = {step.value: given_seconds}
    assert seconds(step, settings, urgent=False) == given_seconds
    assert seconds(step, settings, urgent=True) == min(given_seconds, URGENT_SECONDS)


def test_settings_are_inherited_by_prefix_and_the_nearest_unit_wins_rung_by_rung() -> None:
    units: dict[str, dict[str, Any]] = {
        "441702": {"wave_seconds": {"grid": 10, "village": 20}, "locale": "zh-CN"},
        "441702008205": {"wave_seconds": {"grid": 5}, "default_grid": "441702008205001"},
        "441702008206": {"wave_seconds": {"village": 1}},
        "441702008": {"locale": "en"},
    }
    assert inherited(units, "441702008205002") == {
        "wave_seconds": {"grid": 5, "village": 20},
        "locale": "en",
        "default_grid": "441702008205001",
    }


def test_a_place_without_settings_has_none() -> None:
    assert inherited({}, "441702008205") == {"wave_seconds": {}}

"""Who may be offered work."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dispatch_service.domain.eligibility import Bar, Candidate, Need, bars, eligible, is_checked, overlaps

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
SOMEBODY = Candidate(
    person=UUID(int=7),
    active=True,
    roles=frozenset({"volunteer"}),
    skills=frozenset({"水电"}),
    load=0,
    capacity=5,
    away_until=None,
    checked_until=None,
)
ANYTHING = Need(skill=None, minor=False, excluded=())


def test_a_volunteer_without_anything_against_them_is_eligible() -> None:
    assert eligible(SOMEBODY, ANYTHING, NOW, TODAY)


@pytest.mark.parametrize(
    ("candidate", "need", "bar"),
    [
        (replace(SOMEBODY, active=False), ANYTHING, Bar.INACTIVE),
        (replace(SOMEBODY, roles=frozenset({"clerk"})), ANYTHING, Bar.ROLE),
        (SOMEBODY, replace(ANYTHING, skill="理发"), Bar.SKILL),
        (replace(SOMEBODY, load=5), ANYTHING, Bar.CAPACITY),
        (replace(SOMEBODY, capacity=0), ANYTHING, Bar.CAPACITY),
        (replace(SOMEBODY, away_until=NOW + timedelta(seconds=1)), ANYTHING, Bar.AWAY),
        (SOMEBODY, replace(ANYTHING, excluded=(UUID(int=7),)), Bar.EXCLUDED),
        (SOMEBODY, replace(ANYTHING, minor=True), Bar.UNCHECKED),
        (replace(SOMEBODY, checked_until=TODAY - timedelta(days=1)), replace(ANYTHING, minor=True), Bar.UNCHECKED),
    ],
)
def test_one_thing_against_somebody_is_named_alone(candidate: Candidate, need: Need, bar: Bar) -> None:
    assert bars(candidate, need, NOW, TODAY) == [bar]


def test_who_is_back_has_the_skill_and_a_check_on_its_last_day_is_eligible_for_a_minor() -> None:
    back = replace(SOMEBODY, away_until=NOW, checked_until=TODAY, load=4)
    assert eligible(back, Need("水电", minor=True, excluded=()), NOW, TODAY)


def test_a_grid_worker_may_be_offered_work_too() -> None:
    assert eligible(replace(SOMEBODY, roles=frozenset({"grid_worker", "clerk"})), ANYTHING, NOW, TODAY)


@given(some.dates(), some.dates())
def test_a_check_is_valid_up_to_and_on_its_day(until: date, today: date) -> None:
    assert is_checked(until, today) == (today <= until)
    assert not is_checked(None, today)


@given(some.integers(0, 9), some.integers(0, 9), some.booleans(), some.booleans(), some.booleans())
def test_nobody_is_eligible_with_a_full_load_or_excluded_or_unchecked(
    load: int, capacity: int, excluded: bool, minor: bool, checked: bool
) -> None:
    candidate = replace(SOMEBODY, load=load, capacity=capacity, checked_until=TODAY if checked else None)
    need = Need(None, minor, (candidate.person,) if excluded else ())
    expected = load < capacity and not excluded and (checked or not minor)
    assert eligible(candidate, need, NOW, TODAY) == expected


@pytest.mark.parametrize(
    ("at", "village", "expected"),
    [
        ("441702008", "441702008205", True),
        ("441702008205", "441702008205", True),
        ("441702008205003", "441702008205", True),
        ("441702008206", "441702008205", False),
        ("441702009", "441702008205", False),
    ],
)
def test_a_role_reaches_into_a_village_from_above_in_it_and_from_its_grids(
    at: str, village: str, expected: bool
) -> None:
    assert overlaps(at, village) is expected

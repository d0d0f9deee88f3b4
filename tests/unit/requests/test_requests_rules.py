"""Answers, consent, reach, times, duplicates, grades, call backs, masks, inheritance, who sees contact details."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_service.domain import access, answers, duplicates, grades, inheritance, masking, orders
from requests_service.domain.statuses import Status

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
QUESTIONS = (
    answers.Question("papers", "text", required=True),
    answers.Question("hall", "choice", choices=("town", "city")),
    answers.Question("rooms", "number"),
    answers.Question("day", "date"),
    answers.Question("pets", "bool"),
)


def test_good_answers_have_no_objection() -> None:
    given = {"papers": "卡", "hall": "town", "rooms": 2, "day": "2026-03-01", "pets": False}
    assert answers.check(QUESTIONS, given) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "answers.papers"),
        ({"papers": None}, "answers.papers"),
        ({"papers": "  "}, "answers.papers"),
        ({"papers": "x" * 501}, "answers.papers"),
        ({"papers": "卡", "hall": "moon"}, "answers.hall"),
        ({"papers": "卡", "rooms": "2"}, "answers.rooms"),
        ({"papers": "卡", "rooms": True}, "answers.rooms"),
        ({"papers": "卡", "rooms": float("nan")}, "answers.rooms"),
        ({"papers": "卡", "day": "2026-02-30"}, "answers.day"),
        ({"papers": "卡", "day": "20260301"}, "answers.day"),
        ({"papers": "卡", "pets": "yes"}, "answers.pets"),
        ({"papers": "卡", "colour": "red"}, "answers.colour"),
    ],
)
def test_a_bad_answer_names_its_question(given: Any, field: Any) -> None:
    assert [objection.field for objection in answers.check(QUESTIONS, given)] == [field]


def test_somebody_must_be_reachable() -> None:
    with pytest.raises(orders.NoWayToReach):
        orders.require_reach(phone=None, household=None, reach=None, account=False)
    orders.require_reach(phone="13900000001", household=None, reach=None, account=False)
    orders.require_reach(phone=None, household=uuid4(), reach=None, account=False)
    orders.require_reach(phone=None, household=None, reach="通过小管家", account=False)
    orders.require_reach(phone=None, household=None, reach=None, account=True)


def test_a_child_needs_consent_and_only_a_child_does() -> None:
    with pytest.raises(orders.ConsentMissing):
        orders.require_consent("child", service_asks=False, consent=False)
    with pytest.raises(orders.ConsentMissing):
        orders.require_consent("elderly", service_asks=True, consent=False)
    with pytest.raises(orders.ConsentUnasked):
        orders.require_consent("adult", service_asks=False, consent=True)
    orders.require_consent("child", service_asks=False, consent=True)
    orders.require_consent("adult", service_asks=False, consent=False)


@pytest.mark.parametrize(
    ("at", "good"),
    [
        (NOW, True),
        (NOW + timedelta(minutes=4), True),
        (NOW + timedelta(hours=1), False),
        (NOW - timedelta(days=400), False),
    ],
)
def test_consent_has_a_possible_time(at: Any, good: Any) -> None:
    assert (orders.consent_time_fault(at, NOW) is None) is good


@pytest.mark.parametrize(
    ("start", "end", "good"),
    [
        (NOW, NOW + timedelta(hours=2), True),
        (None, None, True),
        (None, NOW + timedelta(hours=2), True),
        (NOW + timedelta(hours=2), NOW, False),
        (NOW, NOW, False),
        (NOW - timedelta(days=2), NOW - timedelta(days=1), False),
        (NOW + timedelta(days=500), None, False),
    ],
)
def test_wanted_times_are_possible(start: Any, end: Any, good: Any) -> None:
    assert (orders.wanted_fault(orders.Wanted(start, end), NOW) is None) is good


def test_a_visit_to_a_child_takes_two() -> None:
    assert orders.is_minor_visit("child", "visit")
    assert not orders.is_minor_visit("child", "errand")
    assert not orders.is_minor_visit("adult", "visit")
    assert orders.places_for(None, default=1, minor=True) == 2
    assert orders.places_for(1, default=1, minor=True) is None
    assert orders.places_for(3, default=1, minor=True) == 3
    assert orders.places_for(None, default=1, minor=False) == 1
    assert orders.places_for(4, default=1, minor=False) == 4


HOUSEHOLDS = [UUID(int=1), UUID(int=2), None]
MATTERS = st.builds(
    duplicates.Matter,
    st.sampled_from(["tap", "haircut"]),
    st.sampled_from(HOUSEHOLDS),
    st.sampled_from(["441702008205001", "441702008205002", None]),
    st.integers(0, 72).map(lambda hours: NOW + timedelta(hours=hours)),
)


@given(MATTERS, MATTERS)
def test_sameness_is_mutual_and_never_across_services(one: Any, other: Any) -> None:
    assert duplicates.may_be_the_same(one, other) == duplicates.may_be_the_same(other, one)
    if one.service != other.service:
        assert not duplicates.may_be_the_same(one, other)


def test_what_counts_as_the_same() -> None:
    home = duplicates.Matter("tap", UUID(int=1), None, NOW)
    grid = duplicates.Matter("tap", None, "441702008205001", NOW)
    week = timedelta(days=7)
    assert duplicates.may_be_the_same(home, duplicates.Matter("tap", UUID(int=1), None, NOW + week))
    assert duplicates.may_be_the_same(
        grid, duplicates.Matter("tap", UUID(int=2), "441702008205001", NOW + timedelta(days=1))
    )
    assert not duplicates.may_be_the_same(grid, duplicates.Matter("tap", None, "441702008205001", NOW + week))
    assert not duplicates.may_be_the_same(
        duplicates.Matter("tap", None, None, NOW), duplicates.Matter("tap", None, None, NOW)
    )


@given(st.sampled_from(list(grades.Solved)), st.integers(1, 5))
def test_rework_follows_no_or_the_lowest_two(solved: Any, grade: Any) -> None:
    assert grades.needs_rework(solved, grade) == (solved == "no" or grade <= 2)


def test_rework_goes_out_by_itself_once_and_to_volunteers() -> None:
    assert grades.reworked_by_itself(1, "volunteers")
    assert not grades.reworked_by_itself(1, "staff")
    assert not grades.reworked_by_itself(1, None)
    assert not grades.reworked_by_itself(2, "volunteers")


def test_a_second_reopening_is_reported_up_and_never_sent_out_by_itself() -> None:
    assert [grades.reported_up_by_itself(count) for count in range(4)] == [False, False, True, True]
    assert not any(grades.reworked_by_itself(count, "volunteers") for count in range(2, 5))


def test_silence_closes_after_two_tries_and_confirmation_within_thirty_days() -> None:
    assert [grades.silence_closes(tries) for tries in range(4)] == [False, False, True, True]
    grades.require_in_time(None, NOW)
    grades.require_in_time(NOW - timedelta(days=30), NOW)
    with pytest.raises(grades.TooLate):
        grades.require_in_time(NOW - timedelta(days=31), NOW)


def test_who_took_part_does_not_call_back() -> None:
    clerk, doer, other = uuid4(), uuid4(), uuid4()
    grades.require_disinterested(other, accepted_by=clerk, doers={doer})
    for caller in (clerk, doer):
        with pytest.raises(grades.NotYourCallback):
            grades.require_disinterested(caller, accepted_by=clerk, doers={doer})


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("欧阳小明", "欧*"), ("𠮷田", "𠮷*"), ("Anna Example", "A*"), (" 李 ", "李*"), ("", "**")],
)
def test_names_are_masked(name: Any, masked: Any) -> None:
    assert masking.mask_name(name) == masked


def test_phones_are_masked() -> None:
    assert masking.mask_phone("13900005678") == "139****5678"
    assert masking.mask_phone("3210000") == "*****00"


@given(st.text(min_size=3, max_size=30))
def test_a_mask_never_holds_the_whole_name(name: Any) -> None:
    assert name.strip() not in masking.mask_name(name) or len(name.strip()) < 2


@dataclass(frozen=True)
class Entry:
    code: str
    tenant: str
    active: bool = True


def test_the_nearest_catalogue_entry_wins_and_can_remove_one() -> None:
    city, town, village = "4417", "441702008", "441702008205"
    entries = [
        Entry("tap", city),
        Entry("haircut", city),
        Entry("tap", village),
        Entry("meals", town),
        Entry("haircut", town, False),
    ]
    assert inheritance.inherited_catalogue(entries) == [Entry("tap", village), Entry("meals", town)]


def test_the_nearest_setting_wins_key_by_key() -> None:
    village: dict[str, Any] = {"locale": "en"}
    units = [("441702008205", village), ("4417", {"locale": "zh-CN", "confirm_seconds": 5})]
    assert inheritance.inherited_settings(units) == {"locale": "en", "confirm_seconds": 5}


def seen(
    status: str = "claimed",
    *,
    holds: bool = False,
    held: bool = False,
    own: bool = False,
    first: int | None = None,
    last: int | None = None,
) -> access.Seen:
    return access.Seen(Status(status), holds, held, own, first, last)


@pytest.mark.parametrize(
    ("role", "what", "expected"),
    [
        ("clerk", seen("submitted"), "yes"),
        ("resident", seen(own=True), "yes"),
        ("volunteer", seen(holds=True), "yes"),
        ("volunteer", seen("dispatched", holds=True), "yes"),  # one of two places is taken
        ("volunteer", seen("dispatched"), "not-yet"),
        ("volunteer", seen(), "unknown"),
        ("volunteer", seen("completed", held=True), "over"),
        ("volunteer", seen("withdrawn", holds=True), "over"),
        ("grid_worker", seen("submitted", own=True), "yes"),
        ("grid_worker", seen("submitted"), "unknown"),
        ("grid_leader", seen(), "yes"),
        ("grid_leader", seen("completed"), "no"),
        ("branch_secretary", seen("submitted"), "no"),
        ("supervisor", seen(), "no"),
        ("supervisor", seen("with_town"), "yes"),
        ("supervisor", seen("accepted", first=2), "yes"),
        ("supervisor", seen("closed_confirmed", first=5, last=5), "no"),
        ("admin", seen(), "no"),
        ("operator", seen(), "no"),
    ],
)
def test_contact_details_open_by_right_only(role: Any, what: Any, expected: Any) -> None:
    assert access.contact(role, what) == expected


def test_a_role_reaches_what_is_under_its_code() -> None:
    village, grid = "441702008205", "441702008205001"
    assert access.within("441702", tenant=village, grid=None)
    assert access.within(village, tenant=village, grid=None)
    assert access.within(grid, tenant=village, grid=grid)
    assert not access.within(grid, tenant=village, grid=None)
    assert not access.within(grid, tenant=village, grid="441702008205002")
    assert not access.within("441702008206", tenant=village, grid=grid)

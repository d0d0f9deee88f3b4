"""The seed: real places, invented people whom a search finds, enough volunteers, the same at every call."""

import csv
import json
from itertools import combinations

import pytest

from lianhu_kit.divisions import ancestors, level_of
from lianhu_tools import keys
from lianhu_tools.seed import catalogue, invented, places
from lianhu_tools.seed.people import CAPACITY, everybody, roster
from lianhu_tools.seed.places import MANDA, TOWN, VILLAGES, Village
from lianhu_tools.seed.planting import _row as row_of
from requests_service.domain.phones import normal_phone
from requests_service.handlers.directory import default_catalogue

BODY_LIMIT = 64 * 1024
EVERY = pytest.mark.parametrize("village", VILLAGES, ids=lambda village: village.code)


def real_codes() -> dict[str, str]:
    with places.DIVISIONS.open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def test_the_villages_are_those_of_the_issue() -> None:
    codes = {village.code for village in VILLAGES}
    assert {"441702008205", "340111100204", "520627110215", "152922103005"} <= codes
    assert sum(code.startswith(TOWN) for code in codes) == 3


def test_units_are_real_down_to_the_village_and_each_stands_under_one_that_is_there() -> None:
    real, units = real_codes(), {unit["code"]: unit for unit in places.units()}
    for code, unit in units.items():
        assert unit["level"] == level_of(code)
        if len(code) <= 12:
            assert unit["name"] == real[code]
        assert all(above in units for above in ancestors(code))
    assert list(units) == sorted(units, key=lambda code: (len(code), code))  # ancestors come first


@EVERY
def test_a_village_has_grids_groups_and_enough_volunteers(village: Village) -> None:
    people = roster(village)
    able = [person for person in people.volunteers if person.capacity == CAPACITY]
    assert len(village.grids) >= 2
    assert len(able) >= 40
    assert CAPACITY == 5
    assert {person.grid for person in able} == set(village.grids)
    assert all(home.group.startswith(home.grid) and level_of(home.group) == "group" for home in people.households)


@EVERY
def test_each_grid_has_two_checked_a_linking_household_and_a_leader(village: Village) -> None:
    people = roster(village)
    for grid in village.grids:
        assert sum(person.checked_until is not None for person in people.volunteers_of(grid)) >= 2
        assert any(person.grid == grid and people.households_of(person) for person in people.linking)
        assert any(("grid_leader", grid) in leader.roles for leader in people.leaders)


@EVERY
def test_a_third_person_can_call_back(village: Village) -> None:
    people = roster(village)
    assert people.clerk.id != people.second_clerk.id
    assert all(("clerk", village.code) in one.roles for one in (people.clerk, people.second_clerk))


def test_ids_and_phones_belong_to_one_person_each_and_stay() -> None:
    people = everybody()
    assert len({person.phone for person in people}) == len({person.id for person in people}) == len(people)
    roster.cache_clear()
    assert [person.id for person in everybody()] == [person.id for person in people]


def test_the_first_of_a_role_is_who_make_token_speaks_for() -> None:
    people = roster(MANDA)
    assert people.clerk.id == keys.person_of("clerk", MANDA.code)
    assert people.volunteers[0].id == keys.person_of("volunteer", MANDA.code)


def test_every_invented_thing_carries_its_mark() -> None:
    for person in everybody():
        assert invented.NAME_MARK in person.name
        assert person.phone.startswith(invented.PHONE_MARK)
        assert normal_phone(person.phone) == person.phone  # the API takes it as it is
    homes = [home for village in VILLAGES for home in roster(village).households]
    assert all(home.address.startswith(invented.ADDRESS_MARK) for home in homes)
    assert invented.words("x").startswith(invented.TEXT_MARK)


def test_no_more_people_are_invented_than_there_are_numbers() -> None:
    assert len(invented.phone(9999)) == 11
    with pytest.raises(ValueError, match="0 to 9999"):
        invented.phone(10_000)


def test_marks_are_in_nothing_that_travels_or_is_public() -> None:
    public = json.dumps([places.units(), default_catalogue(), catalogue.OWN], ensure_ascii=False)
    marks = (invented.NAME_MARK, invented.PHONE_MARK, invented.ADDRESS_MARK, invented.TEXT_MARK)
    assert not [mark for mark in marks if mark in public]


def test_people_go_over_in_bodies_that_the_service_takes() -> None:
    rows = [row_of(person) for person in everybody()]
    largest = max(
        len(json.dumps({"items": rows[begin : begin + 150]}, ensure_ascii=False).encode())
        for begin in range(0, len(rows), 150)
    )
    assert largest < BODY_LIMIT


def test_a_towns_catalogue_keeps_the_default_order_with_limits_of_its_own() -> None:
    entries = catalogue.of_town(TOWN, list(default_catalogue()))
    first = entries[0]
    assert [entry["code"] for entry in entries] == [entry["code"] for entry in default_catalogue()]
    assert first["route_default"] == "volunteers"
    assert not first["skill"]
    assert not any(question.get("required") for question in first["questions"])
    assert all(entry["limits"] == catalogue.LIMITS and entry["tenant"] == TOWN for entry in entries)


def test_waves_and_the_quick_service_are_a_matter_of_seconds() -> None:
    for one, other in combinations(("linking_household", "grid", "village"), 2):
        for village in VILLAGES:
            waves = {**places.SETTINGS, **village.settings}["wave_seconds"]
            assert waves[one] + waves[other] < 30
    assert catalogue.OWN["limits"]["confirm"]["seconds"] <= 20

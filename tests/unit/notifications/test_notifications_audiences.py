"""Who belongs to an audience."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from notifications_service.domain.audiences import (
    OFFICES,
    Audience,
    Matter,
    Official,
    caller_of,
    recipients,
)

VILLAGE = "900000000001"
GRID = VILLAGE + "001"
ANA, BEN, CAI, DAN = (UUID(int=number) for number in range(1, 5))


def matter(**fields: object) -> Matter:
    """A request of the village, with what a test says of it."""
    known = {"id": uuid4(), "number": "48213074", "tenant": VILLAGE, "service": "home-repair", "place": "一网格"}
    return Matter(**{**known, **fields})  # type: ignore[arg-type]


def people(audience: Audience, at: Matter, *officials: Official) -> list[UUID | None]:
    return [one.person for one in recipients(audience, at, {}, officials)]


def test_a_resident_with_an_account_has_an_inbox_without_one_is_called() -> None:
    (told,) = recipients(Audience.RESIDENT, matter(resident=ANA), {}, [])
    assert (told.person, told.audience) == (ANA, "resident")
    (told,) = recipients(Audience.RESIDENT, matter(), {}, [])
    assert (told.person, told.audience, told.nobody) == (None, "resident", False)


def test_a_child_is_not_called_but_the_guardian() -> None:
    (told,) = recipients(Audience.RESIDENT, matter(minor=True, guardian=True), {}, [])
    assert (told.person, told.audience) == (None, "guardian")
    (told,) = recipients(Audience.RESIDENT, matter(minor=True, guardian=True, resident=ANA), {}, [])
    assert (told.person, told.audience) == (ANA, "resident")


def test_a_guardian_is_told_where_a_consent_names_one() -> None:
    assert recipients(Audience.GUARDIAN, matter(), {}, []) == []
    assert [one.audience for one in recipients(Audience.GUARDIAN, matter(guardian=True), {}, [])] == ["guardian"]


def test_a_reporter_is_told_apart_only_when_somebody_else_is_the_resident() -> None:
    assert people(Audience.REPORTER, matter(reporter=ANA, resident=BEN)) == [ANA]
    assert people(Audience.REPORTER, matter(reporter=ANA)) == [ANA]
    assert people(Audience.REPORTER, matter(reporter=ANA, resident=ANA)) == []
    assert people(Audience.REPORTER, matter(resident=ANA)) == []


def test_the_event_names_people_and_holders_each_once() -> None:
    told = recipients(Audience.PEOPLE, matter(), {"people": [ANA, BEN, ANA]}, [])
    assert [one.person for one in told] == [ANA, BEN]
    assert {one.audience for one in told} == {"volunteer"}
    assert [one.person for one in recipients(Audience.HOLDERS, matter(), {"holders": [CAI]}, [])] == [CAI]
    assert [one.person for one in recipients(Audience.PERSON, matter(), {"person": DAN}, [])] == [DAN]


def test_clerks_are_the_nearest() -> None:
    town, village = Official(ANA, "clerk", VILLAGE[:9]), Official(BEN, "clerk", VILLAGE)
    assert people(Audience.CLERKS, matter(grid=GRID), town, village) == [BEN]
    assert people(Audience.CLERKS, matter(), town) == [ANA]


def test_leaders_are_all_whose_area_covers_the_grid() -> None:
    leader = Official(ANA, "grid_leader", GRID)
    secretary = Official(BEN, "branch_secretary", VILLAGE)
    other = Official(CAI, "grid_leader", VILLAGE + "002")
    far = Official(DAN, "grid_leader", VILLAGE[:9])
    assert people(Audience.LEADERS, matter(grid=GRID), leader, secretary, other, far) == [ANA, BEN]
    assert people(Audience.LEADERS, matter(), leader, secretary, other, far) == [BEN]


def test_an_office_without_people_shows_as_a_gap() -> None:
    (told,) = recipients(Audience.TOWN, matter(), {}, [Official(ANA, "supervisor", "900000001")])
    assert (told.person, told.nobody, told.audience) == (None, True, "town")


CODES = st.sampled_from([VILLAGE[:2], VILLAGE[:9], VILLAGE, GRID, VILLAGE + "002", "900000000002", "90"])
OFFICIALS = st.lists(
    st.builds(
        Official,
        st.sampled_from([ANA, BEN, CAI, DAN]),
        st.sampled_from([*sorted(frozenset[str]().union(*OFFICES.values())), "volunteer"]),
        CODES,
    ),
    max_size=12,
)


@given(OFFICIALS, st.sampled_from([None, GRID, VILLAGE + "002"]), st.sampled_from(sorted(OFFICES)))
def test_an_office_tells_each_once_and_nobody_from_elsewhere(
    officials: list[Official], grid: str | None, office: Audience
) -> None:
    at = matter(grid=grid)
    told = recipients(office, at, {}, officials)
    assert len({one.key for one in told}) == len(told) >= 1
    for one in told:
        if not one.nobody:
            held = [item for item in officials if item.person == one.person and item.role in OFFICES[office]]
            assert any((grid or VILLAGE).startswith(item.at) for item in held)


def test_the_linking_person_calls_unless_they_hold_the_work() -> None:
    assert caller_of(matter()) is None
    assert caller_of(matter(linking_person=ANA)) == ANA
    assert caller_of(matter(linking_person=ANA, holders=frozenset({ANA}))) is None
    assert caller_of(matter(linking_person=ANA, resident=ANA)) is None

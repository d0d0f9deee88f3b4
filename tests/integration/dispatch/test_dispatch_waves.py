"""Offers in waves, by timers with short seconds."""

from datetime import datetime
from typing import Any

import pytest

from lianhu_kit.identifiers import new_id

Village = Any
Stage = Any


async def told(stage: Stage, here: Village, **wave_seconds: int) -> Village:
    """A village like this one whose waves have their own length."""
    return await type(here)(stage).told(**wave_seconds)


async def test_the_circle_widens_until_leader_and_town_are_told(stage: Stage, here: Village) -> None:
    there = await told(stage, here, linking_household=1, grid=1, village=1, leader=1)
    linking, in_grid = await there.person(), await there.person()
    elsewhere = await there.person(grid=there.code + "002")
    household = await there.household(linking)
    await there.known(linking, in_grid, elsewhere)

    request = await there.request(household=household)
    events = await stage.until(request, "routed", "offered", "offered", "offered", "escalated", "escalated")

    offers = [event.data for event in events[1:4]]
    assert [(offer["wave"], offer["audience"], offer["people"]) for offer in offers] == [
        (1, "linking_household", [str(linking)]),
        (2, "grid", [str(in_grid)]),
        (3, "village", [str(elsewhere)]),
    ]
    assert [event.data["to"] for event in events[4:]] == ["leader", "town"]
    assert {event.data["state"] for event in events[1:]} == {"offered"}
    assert all(event.data["by"] is None for event in events[1:])
    stage.gapless(request)
    # Wider waves keep the earlier offers, which stay open without an end while leader and town are told.
    [item] = (await stage.call("GET", "assignments", there.as_(linking), mine="offered")).json()["items"]
    assert (item["wave"], item["offered_until"], item["why"][:9]) == (3, None, "您是这一户的联系户")
    assert (await there.act(linking, request, "claim")).status_code == 200


async def test_a_claim_ends_the_waves(stage: Stage, here: Village) -> None:
    there = await told(stage, here, grid=1)
    one, _ = await there.person(), await there.person(grid=there.code + "002")
    await there.known(one)
    request = await there.request()
    await stage.until(request, "routed", "offered")
    assert (await there.act(one, request, "claim")).status_code == 200
    other = await there.request()  # the same village, the same seconds: its wave shows that time has passed
    await stage.until(other, "routed", "offered", "offered")
    assert stage.types(request) == ["routed", "offered", "claimed"]


async def test_a_circle_without_anybody_new_is_passed_over(stage: Stage, here: Village) -> None:
    there = await told(stage, here, grid=1)
    one = await there.person()
    await there.known(one)
    request = await there.request()
    events = await stage.until(request, "routed", "offered", "escalated")
    assert events[2].data == {**events[2].data, "to": "leader", "wave": 1, "state": "offered"}


async def test_when_everybody_passes_the_next_wave_begins_at_once(here: Village) -> None:
    one, other = await here.person(), await here.person(grid=here.code + "002")
    await here.known(one, other)
    request = await here.request()
    await here.stage.until(request, "routed", "offered")
    for _ in range(2):  # the repeat changes nothing
        answer = await here.act(one, request, "decline")
        assert answer.status_code == 200
        assert "why" not in answer.json()
    events = await here.stage.until(request, "routed", "offered", "declined", "offered")
    assert (events[2].data["person"], events[2].data["by"]) == (str(one), str(one))
    assert events[3].data["people"] == [str(other)]
    late = await here.act(one, request, "claim")
    assert (late.status_code, late.json()["type"]) == (409, "urn:lianhu:problem:offer-ended")
    here.stage.gapless(request)


async def test_only_who_has_skill_capacity_and_time_and_is_not_excluded_is_offered_it(here: Village) -> None:
    fits = await here.person(skills=["理发"], away_until="2026-01-01T00:00:00+08:00")
    others = [
        await here.person(),
        await here.person(skills=["理发"], capacity=0),
        await here.person(skills=["理发"], away_until="2099-01-01T00:00:00+08:00"),
        await here.person(skills=["理发"], active=False),
        await here.person(skills=["理发"], role="clerk"),
    ]
    earlier = await here.person(skills=["理发"])
    await here.known(fits, earlier, *others)
    request = await here.request(skill="理发", exclude=[str(earlier)])
    events = await here.stage.until(request, "routed", "offered")
    assert events[1].data["people"] == [str(fits)]


async def test_a_request_without_a_grid_goes_to_its_households_or_to_the_villages_own(here: Village) -> None:
    household = await here.household(grid=here.code + "003")
    by_household = await here.request(grid=None, household=household)
    assert (await here.stage.until_last(by_household, "escalated")).data["grid"] == here.code + "003"
    nowhere = await here.request(grid=None)
    assert (await here.stage.until_last(nowhere, "escalated")).data["grid"] is None
    await here.unit(here.code, {"default_grid": here.code + "004"})

    async def routed() -> str | None:
        request = await here.request(grid=None)
        event = await here.stage.until_last(request, "escalated")
        grid: str | None = event.data["grid"]
        return grid

    assert await routed() == here.code + "004"


async def test_nobody_at_all_leaves_it_routed_and_the_leader_is_told_after_a_pause(here: Village) -> None:
    request = await here.request()
    events = await here.stage.until(request, "routed", "escalated")
    assert {event.data["state"] for event in events} == {"routed"}
    assert events[1].data["wave"] == 1


@pytest.mark.parametrize("urgent", [False, True])
async def test_urgent_work_waits_ten_minutes_at_most(stage: Stage, here: Village, urgent: bool) -> None:
    there = await told(stage, here, grid=7200)
    one = await there.person()
    await there.known(one)
    request = await there.request(urgent=urgent)
    events = await stage.until(request, "routed", "offered")
    item = await stage.call("GET", f"assignments/{events[1].data['assignment_id']}", there.as_(one))
    lasts = datetime.fromisoformat(item.json()["offered_until"]) - datetime.fromisoformat(item.json()["opened_at"])
    assert lasts.total_seconds() == pytest.approx(600 if urgent else 7200, abs=1)


async def test_work_waits_for_a_village_that_the_directory_has_not_told_of(stage: Stage, here: Village) -> None:
    there = type(here)(stage)
    request = await there.request()
    known = await here.request()  # in order behind it: dispatch has seen the first when it opened the second
    await stage.until(known, "routed", "escalated")
    assert stage.types(request) == []
    one = await there.person()
    await there.told()
    await stage.until(request, "routed", "offered")
    assert stage.events(request)[1].data["people"] == [str(one)]


async def test_people_and_households_told_of_late_are_still_offered_it(here: Village) -> None:
    household = str(new_id())
    request = await here.request(household=household, grid=None)
    await here.stage.until_last(request, "escalated")
    linking = await here.person(grid=None)
    events = await here.stage.until(request, "routed", "escalated", "offered")
    assert (events[2].data["people"], events[2].data["wave"]) == ([str(linking)], 1)
    in_grid = await here.person()
    events = await here.stage.until(request, "routed", "escalated", "offered", "offered")
    assert events[3].data["people"] == [str(in_grid)]
    assert (await here.act(in_grid, request, "claim")).status_code == 200
    here.stage.gapless(request)


async def test_an_event_that_comes_again_changes_nothing(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    await here.act(one, request, "complete", {"result": "修好了"})
    await here.stage.until(request, "routed", "offered", "claimed", "completed")
    tables = ("requests", "assignments", "offers", "holdings", "moves")

    async def state() -> list[Any]:
        return [
            [tuple(row) for row in await here.stage.rows(f"SELECT * FROM {name} ORDER BY 1, 2", tenant=here.code)]
            for name in tables
        ]

    before = await state()
    assert await here.stage.again() > 10
    behind = await here.request()  # read after all repeats of its partition; others are behind the directory's
    await here.stage.until_last(behind, "offered")
    after = await state()
    assert [rows for rows in before[0] if str(rows[0]) == request] == [
        rows for rows in after[0] if str(rows[0]) == request
    ]
    for earlier, later in zip(before[1:], after[1:], strict=True):
        assert [row for row in later if row in earlier] == earlier
    assert here.stage.types(request) == ["routed", "offered", "claimed", "completed"]

"""Claims: exactly `places` win."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from lianhu_kit.identifiers import new_id

Village = Any
CLAIMS = 1000
PEOPLE = 40
AT_ONCE = 60


async def people(here: Village, count: int) -> list[UUID]:
    """So many volunteers of the first grid."""
    return [await here.person() for _ in range(count)]


async def storm(here: Village, request: str, claimers: list[UUID]) -> Counter[tuple[int, str]]:
    """A thousand claims of one assignment, by each of its claimers in turn, as many at once as a server takes."""
    assignment = here.stage.events(request)[-1].data["assignment_id"]
    headers = {person: here.as_(person) for person in claimers}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(person: UUID) -> tuple[int, str]:
        async with gate:
            answer = await here.stage.call("POST", f"assignments/{assignment}/claim", headers[person])
        kind = answer.json().get("type", "")
        return answer.status_code, str(person) if answer.status_code == 200 else kind.rpartition(":")[2]

    return Counter(await asyncio.gather(*[one(claimers[turn % len(claimers)]) for turn in range(CLAIMS)]))


@pytest.mark.parametrize("places", [1, 2])
async def test_of_a_thousand_concurrent_claims_as_many_people_win_as_there_are_places(
    here: Village, places: int
) -> None:
    offered_to = await people(here, PEOPLE)
    request = await here.offered(*offered_to, places=places)

    outcomes = await storm(here, request, offered_to)

    winners = [who for (status, who) in outcomes if status == 200]
    assert len(winners) == places
    assert {(status, kind) for status, kind in outcomes if status != 200} == {(409, "already-claimed")}
    assert sum(outcomes.values()) == CLAIMS
    events = await here.stage.until(request, "routed", "offered", *["claimed"] * places)
    assert [event.data["person"] for event in events[2:]] != []
    assert sorted(event.data["person"] for event in events[2:]) == sorted(winners)
    assert [event.data["taken"] for event in events[2:]] == list(range(1, places + 1))
    assert [event.data["state"] for event in events[2:]] == ["offered"] * (places - 1) + ["claimed"]
    loads = await here.stage.rows("SELECT id, load FROM volunteers WHERE tenant = :tenant", tenant=here.code)
    assert {str(row.id): row.load for row in loads if row.load} == dict.fromkeys(winners, 1)
    here.stage.gapless(request)


async def test_the_winners_repeat_is_answered_as_the_first_time(here: Village) -> None:
    [winner] = await people(here, 1)
    request = await here.offered(winner)
    first = await here.act(winner, request, "claim")
    again = await here.act(winner, request, "claim")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["held_by"] == [str(winner)]
    await here.stage.until(request, "routed", "offered", "claimed")


async def test_what_was_not_offered_is_not_there(here: Village) -> None:
    [offered_to] = await people(here, 1)
    request = await here.offered(offered_to)
    stranger = await here.act(new_id(), request, "claim")
    assert stranger.status_code == 404
    assert (await here.act(offered_to, request, "claim", role="resident")).status_code == 403
    elsewhere = here.as_(offered_to, at="110101001001")
    assignment = here.stage.events(request)[-1].data["assignment_id"]
    assert (await here.stage.call("POST", f"assignments/{assignment}/claim", elsewhere)).status_code == 404
    assert (await here.stage.call("POST", f"assignments/{assignment}/claim", {})).status_code == 401


async def test_who_holds_as_much_as_agreed_is_told_so_and_may_claim_after_giving_back(here: Village) -> None:
    somebody = await here.person(capacity=1)
    first = await here.offered(somebody)
    second = await here.offered(somebody)
    assert (await here.act(somebody, first, "claim")).status_code == 200
    full = await here.act(somebody, second, "claim")
    assert (full.status_code, full.json()["type"]) == (409, "urn:lianhu:problem:at-capacity")
    assert (full.json()["load"], full.json()["capacity"]) == (1, 1)
    assert (await here.act(somebody, first, "release", {"reason": "临时有事"})).status_code == 200
    assert (await here.act(somebody, second, "claim")).status_code == 200


async def test_a_volunteer_with_one_place_left_takes_one_of_two_at_once(here: Village) -> None:
    somebody = await here.person(capacity=1)
    requests = [await here.offered(somebody) for _ in range(4)]
    answers = await asyncio.gather(*[here.act(somebody, request, "claim") for request in requests])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    refused = {answer.json()["type"] for answer in answers if answer.status_code == 409}
    assert refused == {"urn:lianhu:problem:at-capacity"}


async def test_lists_show_what_is_offered_and_what_is_held(here: Village) -> None:
    one, other = sorted(await people(here, 2))
    request = await here.offered(one, other)
    offered = await here.stage.call("GET", "assignments", here.as_(one), mine="offered")
    [item] = offered.json()["items"]
    assert item["request_id"] == request
    assert item["summary"] == "厨房水龙头漏水"
    assert item["why"] == f"您在本网格 {here.grid}；您手上 0 件，上限 5 件。"
    assert (item["state"], item["wave"], item["places"], item["taken"], item["held_by"]) == ("offered", 1, 1, 0, [])
    english = {**here.as_(one), "Accept-Language": "en"}
    [item] = (await here.stage.call("GET", "assignments", english, mine="offered")).json()["items"]
    assert item["why"] == f"You are in its grid {here.grid}; you hold 0 of at most 5."

    await here.act(one, request, "claim")
    for person, mine, count in ((one, "held", 1), (one, "offered", 0), (other, "offered", 0), (other, "held", 0)):
        items = (await here.stage.call("GET", "assignments", here.as_(person), mine=mine)).json()["items"]
        assert len(items) == count, (mine, person)

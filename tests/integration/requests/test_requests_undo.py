"""Undo on the desk: within a minute, one's own, where the graph leads back; and in words why not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from support.browsing import Page, Person
from support.requests_rig import Place, Rig


def clerk(rig: Rig, place: Place, person: UUID | None = None) -> Person:
    return Person(rig.client, [("clerk", place.code)], person or place.clerk)


async def merged(rig: Rig, place: Place, person: Person) -> tuple[Any, Any, Page]:
    """Two orders, one of them merged into the other: both, and the page after it."""
    one, other = await rig.order(place, grid=place.grid), await rig.order(place, grid=place.grid)
    await person.get(f"/desk/{other['id']}")
    return one, other, await person.send("/merge", into=one["id"])


async def later(rig: Rig, place: Place, order: Any, seconds: int) -> None:
    """Time goes by."""
    owner = await asyncpg.connect(rig.urls.owner)
    try:
        async with owner.transaction():
            await owner.execute("SELECT set_config('lianhu.scope', $1, true)", place.code)
            moved = await owner.execute(
                "UPDATE steps SET at = at - make_interval(secs => $2) WHERE request_id = $1", UUID(order["id"]), seconds
            )
            assert moved != "UPDATE 0"
    finally:
        await owner.close()


async def test_a_merge_is_taken_back(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    _, other, page = await merged(rig, place, person)
    assert (await rig.get(place, other))["status"] == "merged"
    page = await person.send("/undo")
    assert page.status == 200, page.text
    assert "Taken back" in page.text
    assert not page.has_form("/undo")
    assert (await rig.get(place, other))["status"] == "submitted"
    assert (await rig.told(other))[-2:] == ["merged", "split"]


async def test_after_a_minute_it_says_why_not(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    _, other, page = await merged(rig, place, person)
    assert page.has_form("/undo")
    await later(rig, place, other, 61)
    page = await person.send("/undo")
    assert page.status == 422
    assert "The minute to take it back is over" in page.text
    assert (await rig.get(place, other))["status"] == "merged"
    assert not (await person.get(f"/desk/{other['id']}", done="merge")).has_form("/undo")


async def test_twice_is_once(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    _, other, page = await merged(rig, place, person)
    fields = page.form("/undo").fields
    assert (await person.post(f"/desk/{other['id']}/undo", **fields)).status == 303
    again = await person.post(f"/desk/{other['id']}/undo", **fields)
    assert again.status == 422
    assert "nothing of yours to take back" in again.text
    assert (await rig.told(other)).count("split") == 1


async def test_it_is_ones_own(rig: Rig, place: Place) -> None:
    person, colleague = clerk(rig, place), clerk(rig, place, uuid4())
    _, other, page = await merged(rig, place, person)
    assert not (await colleague.get(f"/desk/{other['id']}", done="merge")).has_form("/undo")
    fields = (await colleague.get("/desk/new", service="tap")).form("/desk/new").fields
    page = await colleague.post(f"/desk/{other['id']}/undo", **fields)
    assert page.status == 422
    assert (await rig.get(place, other))["status"] == "merged"
    assert (await Person(rig.client).post(f"/desk/{other['id']}/undo")).status == 401


async def test_a_clock_that_the_town_stopped_runs_again(rig: Rig, place: Place) -> None:
    order = await rig.accepted(place, accept={"route": "none"})
    town = Person(rig.client, [("supervisor", place.code[:9])], uuid4())
    await town.get(f"/desk/{order['id']}")
    until = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")
    page = await town.send("/suspend", until=until, reason="等配件", approve="yes")
    assert (await rig.get(place, order))["suspended_until"] is not None, page.text
    await town.send("/undo")
    assert (await rig.get(place, order))["suspended_until"] is None
    assert (await rig.told(order))[-2:] == ["suspended", "resumed"]


async def test_what_has_no_way_back_offers_none(rig: Rig, place: Place) -> None:
    person = clerk(rig, place)
    accepted = await rig.accepted(place, accept={"route": "none"})
    one, order = await rig.order(place), await rig.order(place)
    await person.get(f"/desk/{order['id']}")
    page = await person.send("/reject", reason="不归村里管")
    assert "Done:" in page.text
    assert not page.has_form("/undo")
    # One that was accepted comes out of a merge as new: that is no way back.
    await rig.move(place, accepted, "merge", {"into": one["id"]})
    assert not (await person.get(f"/desk/{accepted['id']}", done="merge")).has_form("/undo")

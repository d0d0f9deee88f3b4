"""What the village does not see: counted everywhere, shown to those above the village alone."""

from dataclasses import replace
from typing import Any

from support.people import bearer
from support.places import village
from support.walks import orders

SUBMITTED = "lianhu.request.submitted.v1"


async def test_it_is_counted_and_shown_to_the_town_alone(make_stage: Any) -> None:
    stage, home = await make_stage(), village()
    events = orders(53, [home], 6)
    first = next(event for event in events if event.type == SUBMITTED)
    events = [replace(event, data={**event.data, "unseen": True}) if event is first else event for event in events]
    async with stage.working():
        await stage.send(events)
        await stage.applied()
    clerk, town = bearer("clerk", home), bearer("supervisor", home[:9])
    shown = {}
    for name, headers in (("village", clerk), ("town", town)):
        tallies = (await stage.client.get(f"/v1/tallies?org={home}", headers=headers)).json()
        assert tallies["total"]["submitted"] == 6
        page = (await stage.client.get(f"/v1/figures/submitted?org={home}&limit=200", headers=headers)).json()
        shown[name] = {item["id"] for item in page["items"]}
    key = first.data["request_id"]
    assert len(shown["town"]) == 6
    assert shown["town"] - shown["village"] == {key}
    path = f"/v1/requests/{key}/timeline"
    assert (await stage.client.get(path, headers=clerk)).status_code == 404
    assert (await stage.client.get(path, headers=town)).status_code == 200

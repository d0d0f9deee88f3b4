"""A merged request is taken out again."""

from support.requests_rig import Place, Rig


async def test_a_merged_request_is_taken_out_again_and_taken_on_for_itself(rig: Rig, place: Place) -> None:
    leader, slip = await rig.order(place), await rig.order(place)
    await rig.move(place, slip, "merge", {"into": leader["id"]})
    assert await rig.timers(slip) == set()
    state = await rig.move(place, slip, "split", {"reason": "不是同一件事"})
    assert (state["status"], state["merged_into"], state["closed_at"]) == ("submitted", None, None)
    assert (await rig.last(slip, "split"))["out_of"] == leader["id"]
    assert "同一件事" not in str([event.data for event in await rig.events(slip["id"])])
    assert await rig.timers(slip) == {"contact-near", "finish-near"}
    assert (await rig.move(place, slip, "accept", {"summary": "水龙头漏水"}))["status"] == "dispatched"


async def test_only_what_was_merged_is_split(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    problem = await rig.refused(409, "POST", f"/v1/requests/{slip['id']}/split", rig.clerk(place), {"reason": "误并"})
    assert problem["state"] == "submitted"

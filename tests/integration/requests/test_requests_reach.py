"""How far a caller's role reaches where no request is named: placing orders, lists, bodies that may be left out."""

from uuid import uuid4

import pytest

from support import bearer, village
from support.requests_rig import Place, Rig


async def test_a_resident_without_a_place_has_an_empty_list_where_nothing_is_theirs(rig: Rig, place: Place) -> None:
    await rig.order(place)
    found = await rig.good("GET", f"/v1/requests?tenant={place.code}", bearer("resident", "", uuid4()))
    assert found == {"items": []}


async def test_a_grid_out_of_reach_is_not_there(rig: Rig, place: Place) -> None:
    path = f"/v1/requests?grid={place.grid}"
    assert (await rig.good("GET", path, rig.clerk(place)))["items"] == []
    await rig.refused(404, "GET", path, bearer("clerk", village()))
    await rig.refused(404, "GET", path, bearer("grid_leader", place.code + "002"))


@pytest.mark.parametrize("role", ["operator", "service"])
async def test_a_role_that_places_no_orders_is_told_so(rig: Rig, place: Place, role: str) -> None:
    body = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
    problem = await rig.refused(403, "POST", "/v1/requests", bearer(role, place.code), body)
    assert problem["type"].endswith(":forbidden")


async def test_withdrawn_without_a_word(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    answer = await rig.client.post(f"/v1/requests/{slip['id']}/withdraw", headers=rig.clerk(place))
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")

"""What happens when several do it at once: one order of locks, one winner, sequences without gaps."""

import asyncio
from uuid import uuid4

from support import bearer
from support.requests_rig import Place, Rig


async def test_one_of_many_acceptances_wins(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    calls = [
        rig.call("POST", f"/v1/requests/{slip['id']}/accept", rig.clerk(place), {"summary": "漏水"}) for _ in range(8)
    ]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert await rig.told(slip) == ["submitted", "accepted", "dispatch-requested"]


async def test_two_merged_into_each_other_end_as_one(rig: Rig, place: Place) -> None:
    for _ in range(5):
        one, other = await rig.order(place), await rig.order(place)
        answers = await asyncio.gather(
            rig.call("POST", f"/v1/requests/{one['id']}/merge", rig.clerk(place), {"into": other["id"]}),
            rig.call("POST", f"/v1/requests/{other['id']}/merge", rig.clerk(place), {"into": one["id"]}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        statuses = {(await rig.get(place, slip))["status"] for slip in (one, other)}
        assert statuses == {"merged", "submitted"}


async def test_withdrawal_and_completion_at_once_leave_one_end(rig: Rig, place: Place) -> None:
    for _ in range(5):
        volunteer = uuid4()
        slip = await rig.accepted(place)
        await rig.claimed(place, slip, volunteer)
        withdrawn, _ = await asyncio.gather(
            rig.call("POST", f"/v1/requests/{slip['id']}/withdraw", rig.clerk(place), {}),
            rig.done(place, slip, volunteer),
        )
        end = "withdrawn" if withdrawn.status_code == 200 else "completed"
        assert (await rig.get(place, slip))["status"] == end
        assert [name for name in await rig.told(slip) if name in ("withdrawn", "completed")] == [end]


async def test_the_same_order_sent_at_once_is_placed_once(rig: Rig, place: Place) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
    answers = await asyncio.gather(*(rig.call("POST", "/v1/requests", headers, body) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    counts = await rig.good("GET", f"/v1/counts?org={place.code}", rig.clerk(place))
    assert sum(counts["by_status"].values()) == 1


async def test_households_and_people_written_at_once_keep_their_sequences(rig: Rig, place: Place) -> None:
    admin, people = bearer("admin", place.code), [str(uuid4()) for _ in range(3)]
    entries = [
        {"id": person, "tenant": place.code, "name": "示例志愿者", "roles": [{"role": "volunteer", "at": place.code}]}
        for person in people
    ]
    homes = [{"id": str(uuid4()), "tenant": place.code, "linking_person": person} for person in people]
    await rig.good("POST", "/v1/people/batch", admin, {"items": entries})
    answers = await asyncio.gather(
        *(rig.call("POST", "/v1/people/batch", admin, {"items": entries[::step]}) for step in (1, -1)),
        *(rig.call("PUT", "/v1/households", admin, {"items": homes[::step]}) for step in (1, -1)),
    )
    assert {answer.status_code for answer in answers} == {200}
    for person, home in zip(people, homes, strict=True):
        assert (await rig.data(person))[-1]["linking_households"] == [home["id"]]

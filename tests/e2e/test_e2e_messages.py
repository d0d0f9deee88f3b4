"""A message leaves the house: from an offer over four processes to the file that stands for a phone, once."""

import json

import httpx

from lianhu_tools.looks.databases import ask
from support.conditions import eventually
from support.settlement import Settlement
from support.system import System

PHONE = "19000000077"


def brought_to(system: System, phone: str) -> int:
    """How many messages a phone would have got."""
    folder = system.topology.state / "services" / "notifications-worker" / "messages"
    return sum(json.loads(file.read_text("utf-8"))["to"] == phone for file in folder.glob("*.json"))


async def test_a_volunteer_is_told_on_the_phone_and_those_without_one_are_not_tried(
    system: System, settlement: Settlement
) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        await told_once(system, settlement, client)


async def told_once(system: System, settlement: Settlement, client: httpx.AsyncClient) -> None:
    """The walk of the test above."""
    person = settlement.volunteers[0]
    body = {
        "id": person, "tenant": settlement.tenant, "name": "测试志愿者", "phone": PHONE,
        "roles": [{"role": "volunteer", "at": settlement.tenant}],
        "volunteer": {"grid": settlement.grid, "capacity": 100},
    }  # fmt: skip
    admin = system.bearer("admin", settlement.tenant)
    kept = await client.post(f"{system.url('requests')}/v1/people", json=body, headers=admin)
    assert kept.status_code == 200, kept.text
    await settlement.offered(system, client)

    async def ended() -> bool:
        # One look: counted one after the other, they could come in between.
        done = (
            "SELECT count(*) FILTER (WHERE state <> 'due') FROM deliveries WHERE tenant = $1 AND channel = 'phone' "
            "HAVING count(*) >= $2 AND count(*) FILTER (WHERE state = 'due') = 0"
        )
        return bool(await ask(system.topology, "notifications", done, settlement.tenant, len(settlement.volunteers)))

    await eventually(ended, timeout=60)
    mine = await client.get(
        f"{system.url('notifications')}/v1/deliveries/mine",
        headers=system.bearer("volunteer", settlement.tenant, person),
    )
    assert [(one["channel"], one["state"], one.get("reason")) for one in mine.json()["items"]] == [
        ("phone", "sent", None)
    ]
    assert brought_to(system, PHONE) == 1
    other = await client.get(
        f"{system.url('notifications')}/v1/deliveries/mine",
        headers=system.bearer("volunteer", settlement.tenant, settlement.volunteers[1]),
    )
    assert [(one["state"], one["reason"]) for one in other.json()["items"]] == [("suppressed", "no-address")]

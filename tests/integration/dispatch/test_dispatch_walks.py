"""Random moves by random people, with everything that can cross: what must hold always, holds."""

import asyncio
import random
from typing import Any

import pytest

from lianhu_kit.identifiers import new_id
from support.conditions import eventually

Village = Any
MOVES = ["claim"] * 6 + ["decline", "release", "check-in", "check-out", "complete", "complete", "accept"]
DESK = ["assign", "assign", "assign", "remind", "return"]
BODIES: dict[str, Any] = {
    "release": {"reason": "有事"},
    "return": {"reason": "做不了"},
    "complete": {"result": "做完了"},
}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_places_loads_and_sequences_add_up(here: Village, seed: int) -> None:
    dice = random.Random(seed)
    people = sorted([await here.person(capacity=3) for _ in range(5)])
    requests = [await here.offered(*people, places=dice.choice([1, 1, 2])) for _ in range(5)]
    rounds = dict.fromkeys(requests, 1)
    statuses: list[int] = []

    async def step() -> None:
        request, person = dice.choice(requests), dice.choice(people)
        chance = dice.random()
        if chance < 0.03:
            await here.move(request, "withdrawn", "withdrawn")
        elif chance < 0.13:
            rounds[request] += 1
            await here.request(id=request, round=rounds[request], places=dice.choice([1, 2]))
        elif chance < 0.25:
            move = dice.choice(DESK)
            body = {"person": str(person)} if move == "assign" else BODIES.get(move)
            statuses.append((await here.act(new_id(), request, move, body, role="clerk")).status_code)
        else:
            move = dice.choice(MOVES)
            statuses.append((await here.act(person, request, move, BODIES.get(move))).status_code)

    # At least thirty rounds, and on until enough moves succeeded: how the eight of a round interleave is not ours.
    for number in range(150):
        await asyncio.gather(*[step() for _ in range(8)])
        if number >= 30 and statuses.count(200) > 30:
            break
    assert set(statuses) <= {200, 404, 409}
    assert statuses.count(200) > 30

    for request in requests:  # a last round each: whatever came before it on its key was applied
        await here.request(id=request, round=rounds[request] + 1)

    async def settled() -> bool:
        return all(here.stage.events(request)[-1].data["round"] > rounds[request] for request in requests)

    await eventually(settled)
    assignments = await here.stage.rows(
        "SELECT a.id, a.state, a.places, a.taken, (SELECT count(*) FROM holdings h WHERE h.assignment_id = a.id "
        "AND h.ended_at IS NULL) AS held, (SELECT count(*) FROM holdings h WHERE h.assignment_id = a.id "
        "AND h.completed_at IS NOT NULL) AS completed FROM assignments a WHERE tenant = :tenant",
        tenant=here.code,
    )
    for row in assignments:
        assert row.taken == row.held <= row.places, row
        assert (row.state == "completed") == (row.completed == row.places), row
        if row.state in ("claimed", "in_progress"):
            assert row.taken == row.places, row
        if row.state == "offered":
            assert row.taken < row.places, row
    loads = await here.stage.rows(
        "SELECT v.load, v.capacity, (SELECT count(*) FROM holdings h WHERE h.person = v.id AND h.ended_at IS NULL "
        "AND h.completed_at IS NULL) AS open FROM volunteers v WHERE tenant = :tenant",
        tenant=here.code,
    )
    assert all(row.load == row.open for row in loads), loads
    sequences = await here.stage.rows("SELECT id, sequence FROM requests WHERE tenant = :tenant", tenant=here.code)

    async def all_published() -> bool:
        return all(len(here.stage.events(str(row.id))) == row.sequence for row in sequences)

    await eventually(all_published)
    for request in requests:
        here.stage.gapless(request)
        last = here.stage.events(request)[-1].data
        [now] = [row for row in assignments if str(row.id) == last["assignment_id"]]
        assert (last["state"], last["taken"]) == (now.state, now.taken)

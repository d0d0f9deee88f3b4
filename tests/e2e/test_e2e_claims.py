"""A thousand claims of one assignment over HTTP: exactly as many winners as there are places."""

import asyncio
from collections import Counter

import httpx
import pytest

from support.settlement import Settlement
from support.system import System

CLAIMS = 1000


@pytest.mark.parametrize("places", [1, 2])
async def test_a_thousand_claims(system: System, settlement: Settlement, places: int) -> None:
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
        assignment = await settlement.offered(system, client, places=places)
        volunteers = settlement.volunteers
        assert len(volunteers) == 40
        headers = {person: system.bearer("volunteer", settlement.tenant, person) for person in volunteers}
        address = f"{system.url('dispatch')}/v1/assignments/{assignment}/claim"

        async def claim(turn: int) -> tuple[str, httpx.Response]:
            person = volunteers[turn % len(volunteers)]
            return person, await client.post(address, headers=headers[person])

        answers = await asyncio.gather(*(claim(turn) for turn in range(CLAIMS)))
        statuses = Counter(answer.status_code for _, answer in answers)
        assert set(statuses) == {200, 409}, statuses
        winners = {person for person, answer in answers if answer.status_code == 200}
        assert len(winners) == places
        for person, answer in answers:  # the winner's repeats succeed, everyone else's never
            assert (answer.status_code == 200) == (person in winners)
            if answer.status_code == 409:
                assert answer.json()["type"].endswith("already-claimed"), answer.text
        stranger = await client.post(address, headers=system.bearer("volunteer", settlement.tenant))
        assert stranger.status_code == 404
        clerk = system.bearer("clerk", settlement.tenant)
        shown = await client.get(f"{system.url('dispatch')}/v1/assignments/{assignment}", headers=clerk)
        assert set(shown.json()["held_by"]) == winners
        assert shown.json()["taken"] == places

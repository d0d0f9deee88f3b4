"""The restore drill: a lost database comes back with its log to the end; from an older dump, with fences."""

import asyncio
import json
import subprocess
from datetime import UTC, datetime
from typing import Any

import httpx

from e2e.test_e2e_lost_databases import lose, quiet, rows
from support import eventually
from support.settlement import Settlement
from support.system import System, headers_of, key_of

TOPIC = "lianhu.requests.v1"


async def does(system: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command and shows what it says."""
    done = await asyncio.to_thread(system.lianhu, *arguments, seconds=300)
    print(f"\n$ lianhu {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done


async def placed(system: System, client: httpx.AsyncClient, home: Settlement) -> dict[str, Any]:
    """A new order."""
    answer = await client.post(f"{system.url('requests')}/v1/requests", json=home.order())
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def accept(system: System, client: httpx.AsyncClient, home: Settlement, request: str) -> httpx.Response:
    """The clerk takes an order on."""
    return await client.post(
        f"{system.url('requests')}/v1/requests/{request}/accept",
        json={"summary": "搬一个旧柜子", "places": 1, "grid": home.grid},
        headers=system.bearer("clerk", home.tenant, home.clerk),
    )


async def told(system: System, request: str) -> list[int]:
    """The sequences of a request on its topic."""
    found = await asyncio.to_thread(system.events, [TOPIC])
    return [int(headers_of(event)["ce_sequence"]) for event in found if key_of(event) == request]


async def test_a_lost_database_comes_back_with_its_log_to_the_end(system: System, settlement: Settlement) -> None:
    states = "SELECT id, status, sequence FROM requests"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await placed(system, client, settlement)
        made = await does(system, "backup")
        assert made.returncode == 0
        later = [await placed(system, client, settlement) for _ in range(5)]
        assert (await accept(system, client, settlement, later[0]["id"])).status_code == 200
        await quiet(system)
        before = await rows(system, "requests", states)
        moment = datetime.now(UTC).isoformat()
        await rows(system, "postgres", "SELECT pg_current_xact_id()")  # recovery stops at a commit, and the drop is one
        await lose(system, "requests")
        assert (await client.get(f"{system.url('requests')}/readyz")).status_code == 503
        done = await does(system, "restore", "requests", "--to", moment, "--yes")
        assert done.returncode == 0
        assert "No topic is ahead" in done.stdout
        assert await rows(system, "requests", states) == before
        assert (await does(system, "fenced", "requests")).stdout.strip() == "Nothing is fenced."
        again = await accept(system, client, settlement, later[1]["id"])
        assert again.status_code == 200, again.text
        await quiet(system)
    sequences = await told(system, later[1]["id"])
    assert sorted(set(sequences)) == list(range(1, max(sequences) + 1))
    assert max(sequences) > 1


async def test_an_older_dump_fences_what_the_topics_know_and_it_does_not(
    system: System, settlement: Settlement
) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        moved, untouched = [await placed(system, client, settlement) for _ in range(2)]
        await quiet(system)
        name = (await does(system, "backup", "requests")).stdout.partition(":")[0]
        assert (await accept(system, client, settlement, moved["id"])).status_code == 200
        gone = await placed(system, client, settlement)
        await quiet(system)
        had = max(await told(system, moved["id"]))
        refused = await does(system, "restore", "requests", "--from", name)
        assert refused.returncode == 1
        assert "Say yes=1" in refused.stderr
        done = await does(system, "restore", "requests", "--from", name, "--yes")
        assert done.returncode == 0

        fences = {each["key"]: each for each in json.loads((await does(system, "fenced", "requests", "--json")).stdout)}
        assert set(fences) == {moved["id"], gone["id"]}
        assert (fences[moved["id"]]["held"], fences[moved["id"]]["told"]) == (1, had)
        assert (fences[gone["id"]]["held"], fences[gone["id"]]["number"]) == (0, gone["number"])

        stopped = await accept(system, client, settlement, moved["id"])
        assert (stopped.status_code, stopped.json()["type"]) == (409, "urn:lianhu:problem:fenced"), stopped.text
        free = await accept(system, client, settlement, untouched["id"])
        assert free.status_code == 200, free.text
        await placed(system, client, settlement)
        await asyncio.sleep(0)
        assert max(await told(system, moved["id"])) == had

        lifted = await does(system, "unfence", "requests", "--key", "all", "--why", "asked the village")
        assert "1 keys go on" in lifted.stdout
        assert "1 stay fenced" in lifted.stdout
        went_on = await accept(system, client, settlement, moved["id"])
        assert went_on.status_code == 200, went_on.text

        async def heard() -> bool:
            return max(await told(system, moved["id"])) > had

        await eventually(heard, timeout=60)
    sequences = await told(system, moved["id"])
    assert sorted(set(sequences)) == list(range(1, max(sequences) + 1))
    assert len(sequences) == len(set(sequences)), "no sequence is used for two events"

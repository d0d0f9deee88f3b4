"""A database that was lost is rebuilt from the topics while the others go on, and shows what it showed before."""

import asyncio
from typing import Any

import asyncpg
import httpx

from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores.server import SUPERUSER
from support import eventually
from support.system import System

TOWN = "441702008"
FACTS = "SELECT request_id, status, halves::text FROM facts JOIN generations USING (generation) WHERE state = 'active'"
TALLIES = """
    SELECT basis, tenant, day, service, grid, measure, value FROM tallies JOIN generations USING (generation)
    WHERE state = 'active' AND value <> 0
"""


async def rows(system: System, database: str, *statements: str) -> list[list[Any]]:
    """What a service's database holds, sorted."""
    connection = await asyncpg.connect(cluster_of(system.topology).url(SUPERUSER, database))
    try:
        return [sorted(map(repr, await connection.fetch(statement))) for statement in statements]
    finally:
        await connection.close()


async def lose(system: System, service: str) -> None:
    """The service's database is gone at once."""
    connection = await asyncpg.connect(cluster_of(system.topology).url(SUPERUSER, "postgres"))
    try:
        await connection.execute(f'DROP DATABASE "{service}" WITH (FORCE)')
    finally:
        await connection.close()


async def quiet(system: System) -> None:
    """Waits until nothing is on its way any more."""

    async def still() -> bool:
        done = await asyncio.to_thread(system.lianhu, "lag", "--json", seconds=60)
        return done.returncode == 0 and '"total": 0' in done.stdout

    await eventually(still, timeout=120)


async def test_a_lost_database_of_reporting_comes_back_from_the_topics(system: System, demo: object) -> None:
    await quiet(system)
    before = await rows(system, "reporting", FACTS, TALLIES)
    assert len(before[0]) > 3
    await lose(system, "reporting")
    tallies, who = f"{system.url('reporting')}/v1/tallies?org={TOWN}", system.bearer("supervisor", TOWN)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        away = await client.get(tallies, headers=who)
        assert away.status_code == 503, away.text
        done = await asyncio.to_thread(system.lianhu, "rebuild", "reporting", seconds=240)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "has read everything" in done.stdout
        back = await client.get(tallies, headers=who)
        assert back.status_code == 200, back.text
    await quiet(system)
    after = await rows(system, "reporting", FACTS, TALLIES)
    assert after == before

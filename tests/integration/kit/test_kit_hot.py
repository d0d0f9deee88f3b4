"""The transaction of a hot path keeps every rule of the ordinary one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy.util import greenlet_spawn

from integration.kit.station import Station
from lianhu_kit.database import Database, wake_after_commit
from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import RECALLED, Keyed
from lianhu_kit.identifiers import new_id
from lianhu_kit.problems import Conflict
from support import eventually, village

_ADD = "INSERT INTO notes (id, tenant, words, twin) VALUES ($1, $2, '', $3)"
_LEFT = "SELECT current_setting('lianhu.scope', true) AS scope, (SELECT count(*) FROM notes) AS notes"


@pytest.fixture
async def database(station: Station) -> AsyncIterator[Database]:
    """Two connections at most, so that each is used again."""
    made = Database(station.api.url, application_name=f"hot {new_id().hex[:8]}", pool_size=1)
    yield made
    await made.close()


async def add(database: Database, scope: str, tenant: str, twin: str | None = None) -> None:
    """A note, committed."""
    async with HotTransaction(database, scope) as hot:
        await hot.row(_ADD, new_id(), tenant, twin)


async def seen(database: Database, scope: str) -> int:
    """How many notes a scope sees."""
    async with HotTransaction(database, scope) as hot:
        row = await hot.row("SELECT count(*) AS n FROM notes")
        assert row is not None
        return int(row["n"])


async def nothing_left(database: Database) -> None:
    """Every connection of the pool at once: none is missing, none has a scope."""
    pool: Any = database.engine.pool
    assert pool.checkedout() == 0
    async with HotTransaction(database, "") as one, HotTransaction(database, "") as two:
        for hot in (one, two):
            row = await hot.row(_LEFT)
            assert row is not None
            assert (row["scope"], row["notes"]) == ("", 0)


async def test_a_scope_is_there_from_the_first_statement_and_ends_with_the_transaction(database: Database) -> None:
    town = village()[:9]
    one, two = town + "001", town + "002"
    for each in (one, two):
        await add(database, each, each)
    assert [await seen(database, scope) for scope in (one, town, "", one + "001")] == [1, 2, 0, 1]
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await add(database, one, two)
    await nothing_left(database)


@pytest.mark.parametrize(("scope", "person"), [("1'; DROP", None), ("4417", "'; --"), ("\u0663\u0664", None)])
def test_only_a_code_and_a_person_come_into_the_opening_statement(scope: str, person: Any) -> None:
    with pytest.raises(ValueError, match="a scope is a division code"):
        HotTransaction(Database("postgresql://nobody@127.0.0.1:1/none", application_name="none"), scope, person)


async def test_a_commit_that_fails_leaves_nothing_and_wakes_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, woken = village(), list[str]()
    monkeypatch.setattr(database.wakeups, "wake", woken.append)
    await add(database, here, here, here)

    async def clash() -> None:
        async with HotTransaction(database, here) as hot:
            wake_after_commit(hot, "kit_test")
            await hot.row(_ADD, new_id(), here, here)  # the constraint is deferred: only COMMIT finds out

    with pytest.raises(asyncpg.UniqueViolationError, match="notes_twin_key"):
        await clash()
    assert (woken, await seen(database, here)) == ([], 1)
    async with HotTransaction(database, here) as hot:
        wake_after_commit(hot, "kit_test")
    assert woken == ["kit_test"]
    await nothing_left(database)


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.003, 0.01, 0.05])
async def test_a_cancelled_one_is_rolled_back_and_gives_its_connection_back(database: Database, pause: float) -> None:
    here = village()

    async def work() -> None:
        async with HotTransaction(database, here) as hot:
            await hot.row(_ADD, new_id(), here, None)
            await hot.row("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(work()) for _ in range(4)]  # two hold a connection, two wait for one
    await asyncio.sleep(pause)
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()  # and again, while it gives back
    assert all(isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True))
    pool: Any = database.engine.pool
    await eventually(lambda: _all_in(pool))
    assert await seen(database, here) == 0
    await nothing_left(database)


async def _all_in(pool: Any) -> bool:
    return bool(pool.checkedout() == 0)


async def test_a_connection_that_the_server_ended_is_replaced_before_anybody_notices(
    station: Station, database: Database
) -> None:
    here = village()
    await add(database, here, here)
    other: asyncpg.Connection[Any] = await asyncpg.connect(station.superuser)
    try:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1"
        assert await other.fetchval(ended, database.application_name)
    finally:
        await other.close()
    await eventually(lambda: _noticed(database))
    assert await seen(database, here) == 1
    await nothing_left(database)


async def _noticed(database: Database) -> bool:
    held: Any = await database.engine.raw_connection()
    try:
        return bool(held.driver_connection.is_closed())
    finally:
        await greenlet_spawn(held.close)


async def test_a_key_is_locked_from_the_first_statement_on(database: Database) -> None:
    here = village()
    keyed = Keyed(str(new_id()), "POST /hot", "it's\\x", b"{}")
    look = f"SELECT {RECALLED}"
    async with HotTransaction(database, here, first=keyed.lock) as first:
        row = await first.row(look, *keyed.place)
        assert row is not None
        assert keyed.recalled(row) is None
        async with HotTransaction(database, here, first=keyed.lock) as second:
            row = await second.row(look, *keyed.place)
            assert row is not None
            with pytest.raises(Conflict, match="in progress"):
                keyed.recalled(row)
    async with HotTransaction(database, here, first=keyed.lock) as third:
        row = await third.row(look, *keyed.place)
        assert row is not None
        assert keyed.recalled(row) is None

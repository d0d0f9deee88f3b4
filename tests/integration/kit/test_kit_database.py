"""The transaction scope: who sees what, what a commit means, and what is left behind."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.station import Station
from lianhu_kit.database import Database, Wakeups, enter_scope, is_transient, listening, now, wake_after_commit
from lianhu_kit.identifiers import new_id
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.worker import Work, Worker
from support import eventually, village

_ADD = text("INSERT INTO notes (id, tenant, words, twin) VALUES (:id, :tenant, :words, :twin)")
_SEEN = text("SELECT count(*) FROM notes")


async def add(session: AsyncSession, tenant: str, *, words: str = "", twin: str | None = None) -> None:
    """A note."""
    await session.execute(_ADD, {"id": new_id(), "tenant": tenant, "words": words, "twin": twin})


async def committed(database: Database, scope: str, *tenants: str, twin: str | None = None) -> None:
    """Notes in these villages, committed."""
    async with database.transaction() as session:
        await enter_scope(session, scope)
        for tenant in tenants:
            await add(session, tenant, twin=twin)


async def seen(database: Database, scope: str | None) -> int:
    """How many notes a scope sees; None: no scope was ever entered in this transaction."""
    async with database.transaction() as session:
        if scope is not None:
            await enter_scope(session, scope)
        count: int = (await session.execute(_SEEN)).scalar_one()
        return count


@pytest.mark.parametrize("role", ["api", "worker"])
async def test_a_pooled_connection_that_had_a_scope_shows_nothing_afterwards(station: Station, role: str) -> None:
    here = village()
    url = {"api": station.api.url, "worker": station.worker.url}[role]
    database = Database(url, application_name="one", pool_size=1)
    try:
        assert await seen(database, None) == 0  # no setting yet: NULL
        await committed(database, here, here)
        assert await seen(database, here) == 1
        async with database.transaction() as session:
            setting = (await session.execute(text("SELECT current_setting('lianhu.scope', true)"))).scalar_one()
            assert setting == ""  # the same connection: not NULL now
            assert (await session.execute(_SEEN)).scalar_one() == 0
        assert await seen(database, "") == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            await committed(database, "", here)
    finally:
        await database.close()


async def test_a_scope_reaches_what_is_under_it_and_nothing_beside_it(station: Station) -> None:
    town = village()[:9]
    one, two = town + "001", town + "002"
    beside = str(int(town) + 1) + "001"
    for each in (one, two, beside):
        await committed(station.worker, each, each)
    assert [await seen(station.api, scope) for scope in (one, town, beside, one + "001")] == [1, 2, 1, 1]
    with pytest.raises(DBAPIError, match="row-level security"):
        await committed(station.api, one, two)
    async with station.api.transaction() as session:
        await enter_scope(session, one)
        changed = await session.execute(text("UPDATE notes SET words = 'mine' WHERE tenant = :two"), {"two": two})
        assert changed.rowcount == 0  # type: ignore[attr-defined]


async def test_the_scope_and_the_clock_are_this_transactions_own(station: Station) -> None:
    async with station.api.transaction() as session:
        with pytest.raises(RuntimeError, match="enter_scope comes before now"):
            now(session)
        first = await enter_scope(session, village())
        assert await enter_scope(session, village()) == first == now(session)
        assert first.utcoffset() is not None


async def test_a_commit_that_fails_leaves_nothing_and_wakes_nobody(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, woken = village(), list[str]()
    monkeypatch.setattr(station.api.wakeups, "wake", woken.append)
    await committed(station.api, here, here, twin=here)

    async def clash() -> None:
        async with station.api.transaction() as session:
            await enter_scope(session, here)
            await add(session, here, twin=here)  # the constraint is deferred: only COMMIT finds out
            wake_after_commit(session, "kit_test")

    with pytest.raises(DBAPIError, match="notes_twin_key"):
        await clash()
    assert woken == []
    assert await seen(station.api, here) == 1


async def test_a_cancelled_transaction_is_rolled_back_and_gives_its_connection_back(station: Station) -> None:
    here = village()
    database = Database(station.api.url, application_name=f"cancelled {here}", pool_size=2)
    try:
        for sleep in ("SELECT pg_sleep(30)", None):
            entered = asyncio.Event()

            async def work(sleep: str | None = sleep, entered: asyncio.Event = entered) -> None:
                async with database.transaction() as session:
                    await enter_scope(session, here)
                    await add(session, here)
                    entered.set()
                    await (session.execute(text(sleep)) if sleep else asyncio.sleep(30))

            task = asyncio.create_task(work())
            await entered.wait()
            await asyncio.sleep(0)
            task.cancel()
            assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
        await eventually(lambda: _idle(station, f"cancelled {here}"))
        assert await seen(database, here) == 0
    finally:
        await database.close()


async def _idle(station: Station, name: str) -> bool:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(station.superuser)
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'"
    try:
        return not await connection.fetchval(sql, name)
    finally:
        await connection.close()


async def test_only_faults_that_pass_are_called_transient(station: Station) -> None:
    async def failing(sql: str) -> BaseException:
        try:
            async with station.api.transaction() as session:
                await session.execute(text(sql))
        except Exception as error:
            return error
        raise AssertionError(sql)

    assert is_transient(await failing("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"))
    assert is_transient(await failing("DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$"))
    assert is_transient(await failing("SET LOCAL lock_timeout = 1; SELECT 1/0")) is False
    assert not is_transient(await failing("SELECT 1/0"))
    assert not is_transient(await failing("SELECT * FROM nowhere"))
    assert not is_transient(ValueError())
    away = Database("postgresql://kit:kit@127.0.0.1:1/kit", application_name="away")
    with pytest.raises(OSError, match="1") as caught:
        await seen(away, None)
    assert is_transient(caught.value)
    await away.close()


async def test_a_notify_comes_after_the_commit_and_is_coalesced(station: Station) -> None:
    channel = f"kit_{new_id().hex}"
    async with listening(station.worker.url, channel, "listener") as listener:
        assert await listener.wait(10)  # it listens, and says so once
        for number in range(20):
            async with station.api.transaction() as session:
                await enter_scope(session, village())
                wake_after_commit(session, channel, str(number % 2))
        assert await listener.wait(10)
        await eventually(lambda: _heard(listener.payloads, {"0", "1"}))


async def _heard(payloads: set[str], expected: set[str]) -> bool:
    return payloads == expected


async def test_a_listener_that_lost_its_connection_listens_again(station: Station) -> None:
    name = f"listener {new_id().hex}"
    async with listening(station.worker.url, "kit_any", name) as listener:
        assert await listener.wait(10)
        connection: asyncpg.Connection[Any] = await asyncpg.connect(station.superuser)
        sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1"
        assert await connection.fetchval(sql, f"{name}:listen")
        assert await listener.wait(15)  # something may have happened meanwhile: it wakes its waiter
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
        assert await connection.fetchval(count, f"{name}:listen") == 1
    await eventually(lambda: _gone(connection, count, f"{name}:listen"))
    await connection.close()


async def _gone(connection: Any, sql: str, name: str) -> bool:
    return not await connection.fetchval(sql, name)


async def test_wakeups_never_raise_and_leave_nothing_after_their_end(station: Station) -> None:
    away = Wakeups("postgresql://kit:kit@127.0.0.1:1/kit", "away")
    away.wake("kit_any")
    await away.close()
    away.wake("kit_any")
    assert [task for task in asyncio.all_tasks() if task.get_name() == "wakeups" and not task.done()] == []


async def test_a_whole_worker_becomes_ready_keeps_house_and_ends(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    settings: ServiceSettings = station.settings
    worker = Worker(settings, Work(required_revision="0001"))
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    transport = httpx.ASGITransport(worker.health())
    async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)
        assert (await client.get("/readyz")).json()["broker"] == "reached"

        async def measured() -> bool:
            shown = (await client.get("/metrics")).text
            return 'lianhu_outbox_oldest_seconds{service="kit"}' in shown

        await eventually(measured)
    stop.set()
    await asyncio.wait_for(running, 15)


async def test_a_part_that_cannot_go_on_ends_the_whole_worker(station: Station) -> None:
    async def breaks(_database: Database, _stop: asyncio.Event) -> None:
        raise LookupError("a part broke")

    worker = Worker(station.settings, Work(required_revision="0001", background=[breaks]))
    with pytest.raises(LookupError, match="a part broke"):
        await asyncio.wait_for(worker.run(asyncio.Event()), 15)


async def test_partitions_are_made_by_two_at_once(station: Station) -> None:
    async def make() -> None:
        async with station.worker.transaction() as session:
            await session.execute(text("SELECT lianhu_partitions(20)"))

    await asyncio.gather(make(), make(), make())
    sql = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'published'::regclass"
    assert await station.value(sql) == 22

"""Timers: one effect each, whoever takes them, whatever happens to them meanwhile."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.station import Station
from lianhu_kit import timers as module
from lianhu_kit.database import enter_scope, now
from lianhu_kit.identifiers import new_id
from lianhu_kit.timers import Timer, TimerHandler, Timers, arm, disarm
from support import eventually, village


class Room:
    """One test's own village, and timers whose kinds no other test has."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.tenant = village()
        self.prefix = str(new_id())

    def kind(self, name: str) -> str:
        """A kind of this test's own."""
        return f"{self.prefix} {name}"

    def timers(self, handlers: Mapping[str, TimerHandler]) -> Timers:
        """A worker's timers."""
        return Timers("kit", self.station.worker, {self.kind(name): handler for name, handler in handlers.items()})

    async def arm(self, name: str, aggregate: UUID, seconds: float = -1, *, version: int = 0) -> None:
        """Arms a timer as the API does."""
        async with self.station.api.transaction() as session:
            due = await enter_scope(session, self.tenant) + timedelta(seconds=seconds)
            await arm(session, self.kind(name), aggregate, due, tenant=self.tenant, version=version)

    async def disarm(self, aggregate: UUID, *names: str) -> None:
        """Ends timers as the API does."""
        async with self.station.api.transaction() as session:
            await enter_scope(session, self.tenant)
            await disarm(session, aggregate, *map(self.kind, names))

    async def armed(self, aggregate: UUID) -> list[str]:
        """The names of an aggregate's timers."""
        sql = "SELECT kind FROM timers WHERE aggregate = :a ORDER BY kind"
        rows = await self.station.rows(sql, a=aggregate)
        return [row.kind.removeprefix(self.prefix + " ") for row in rows]

    async def effects(self) -> list[str]:
        """The effects, in order."""
        sql = "SELECT words FROM effects WHERE tenant = :t ORDER BY id"
        return [row.words for row in await self.station.rows(sql, self.tenant, t=self.tenant)]


async def effect(session: AsyncSession, timer: Timer) -> None:
    """Writes one row."""
    sql = text("INSERT INTO effects (tenant, topic, key, event_id, words) VALUES (:t, '', :k, '', :w)")
    words = f"{timer.kind.split(' ')[1]} {timer.version}"
    await session.execute(sql, {"t": timer.tenant, "k": str(timer.aggregate), "w": words})


@pytest.fixture
def room(station: Station) -> Room:
    """A village with timers."""
    return Room(station)


async def test_two_workers_that_see_the_same_timers_fire_each_once(room: Room) -> None:
    for number in range(30):
        await room.arm("wave", new_id(), version=number)
    workers = [room.timers({"wave": effect}) for _ in range(4)]

    async def work(each: Timers) -> int:
        taken = 0
        while count := await each.step(batch=3):
            taken += count
        return taken

    taken = await asyncio.gather(*map(work, workers))
    assert sum(taken) == 30
    assert sorted(await room.effects()) == sorted(f"wave {number}" for number in range(30))


async def test_the_same_timer_fired_by_two_workers_has_one_effect(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0)  # the first worker outlives its lease at once
    aggregate, entered, may_end = new_id(), asyncio.Event(), asyncio.Event()

    async def slow(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        entered.set()
        await may_end.wait()

    await room.arm("wave", aggregate)
    first = asyncio.create_task(room.timers({"wave": slow}).step())
    await entered.wait()
    second = asyncio.create_task(room.timers({"wave": effect}).step())
    assert await second == 1
    may_end.set()
    await first
    assert await room.effects() == ["wave 0"]
    assert await room.armed(aggregate) == []


async def test_a_timer_armed_again_by_its_own_handler_stays_armed(room: Room) -> None:
    aggregate = new_id()

    async def again(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        due = now(session) + timedelta(hours=1 if timer.version else -1)
        await arm(session, timer.kind, timer.aggregate, due, tenant=timer.tenant, version=timer.version + 1)

    await room.arm("wave", aggregate)
    worker = room.timers({"wave": again})
    assert [await worker.step(), await worker.step(), await worker.step()] == [1, 1, 0]
    assert await room.effects() == ["wave 0", "wave 1"]
    assert await room.armed(aggregate) == ["wave"]


async def test_a_handler_may_end_its_own_timer_and_its_aggregates_others(room: Room) -> None:
    aggregate, other = new_id(), new_id()

    async def end_all(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        if timer.aggregate == aggregate:
            await disarm(session, aggregate)

    await room.arm("close", aggregate, -5)
    await room.arm("remind", aggregate, -2)  # due as well, and taken in the same batch
    await room.arm("later", aggregate, 3600)
    await room.arm("remind", other, -1)
    worker = room.timers({"close": end_all, "remind": end_all, "later": effect})
    assert await worker.step() == 3
    assert await room.effects() == ["close 0", "remind 0"]
    assert await room.armed(aggregate) == []
    assert await room.armed(other) == []


async def test_a_timer_that_is_disarmed_or_moved_while_taken_has_no_effect(room: Room) -> None:
    ended, moved = new_id(), new_id()

    async def meanwhile(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        if timer.aggregate == ended:
            await room.disarm(ended, "wave")
        else:
            await room.arm("wave", moved, 3600, version=7)

    await room.arm("wave", ended)
    await room.arm("wave", moved)
    assert await room.timers({"wave": meanwhile}).step() == 2
    assert await room.effects() == []
    assert await room.armed(ended) == []
    assert await room.armed(moved) == ["wave"]
    assert await room.station.value("SELECT version FROM timers WHERE aggregate = :a", a=moved) == 7


async def test_a_failing_handler_is_tried_again_later_and_keeps_nobody_from_firing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.2)
    bad, good = new_id(), new_id()
    tries: list[float] = []

    async def handle(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        if timer.aggregate == bad:
            tries.append(asyncio.get_running_loop().time())
            if len(tries) < 3:
                raise ZeroDivisionError

    await room.arm("wave", bad, -10)
    await room.arm("wave", good, -1, version=1)
    stop = asyncio.Event()
    running = asyncio.create_task(room.timers({"wave": handle}).run(stop))
    await eventually(lambda: _count(room, 2))
    stop.set()
    await running
    assert await room.effects() == ["wave 1", "wave 0"]  # nothing is left of the tries that failed
    first, second = tries[1] - tries[0], tries[2] - tries[1]
    assert first > 0.15
    assert second > 0.3


async def _count(room: Room, count: int) -> bool:
    return len(await room.effects()) == count


async def test_what_a_killed_worker_had_taken_is_fired_once_its_lease_is_over(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.5)
    aggregate, entered = new_id(), asyncio.Event()

    async def never(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        entered.set()
        await asyncio.Event().wait()

    await room.arm("wave", aggregate)
    killed = asyncio.create_task(room.timers({"wave": never}).step())
    await entered.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    heir = room.timers({"wave": effect})
    assert await heir.step() == 0  # the lease still holds
    await eventually(heir.step, timeout=5)
    assert await room.effects() == ["wave 0"]


async def test_a_transient_fault_is_repeated_at_once(room: Room) -> None:
    tries = []

    async def handle(session: AsyncSession, timer: Timer) -> None:
        await effect(session, timer)
        tries.append(timer)
        if len(tries) == 1:
            await session.execute(text("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"))

    await room.arm("wave", new_id())
    await room.timers({"wave": handle}).step()
    assert len(tries) == 2
    assert await room.effects() == ["wave 0"]


async def test_timers_run_on_time_and_end_when_told(room: Room) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(room.timers({"wave": effect}).run(stop))
    await room.arm("wave", new_id(), 0.3)
    assert await room.effects() == []
    await eventually(lambda: _count(room, 1), timeout=5)
    stop.set()
    await asyncio.wait_for(running, 3)


async def test_a_timer_of_another_village_is_out_of_reach(room: Room) -> None:
    aggregate = new_id()
    await room.arm("wave", aggregate, 3600)
    stranger = Room(room.station)
    stranger.prefix = room.prefix
    await stranger.disarm(aggregate)
    assert await room.armed(aggregate) == ["wave"]

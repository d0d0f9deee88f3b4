"""A rebuild beside the live worker: equal checksums, readers never without a report, refused rather than lossy."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lianhu_kit.database import is_transient
from reporting_service.consumer import replay as replaying
from reporting_service.consumer.replay import Refused, replay
from reporting_service.handlers.generations import RebuildNeeded, live_books
from support.conditions import eventually
from support.histories import REQUESTS
from support.places import village
from support.sending import mixed
from support.walks import orders

TABLES = (
    "facts",
    "tallies",
    "span_tallies",
    "volunteer_tallies",
    "org_units",
    "services",
    "people",
    "positions",
    "offsets",
)


async def filled(stage: Any, seed: int, number: int = 40) -> str:
    """A village whose orders are all counted."""
    home = village()
    await stage.send(mixed(orders(seed, [home], number), random.Random(seed)))
    await stage.applied()
    return home


async def active(stage: Any) -> int:
    """The active generation."""
    (row,) = await stage.rows("SELECT generation FROM generations WHERE state = 'active'")
    generation: int = row.generation
    return generation


async def test_twice_in_a_row_gives_equal_checksums_while_readers_read_and_events_come(make_whole: Any) -> None:
    stage = await make_whole()
    async with stage.working():
        home = await filled(stage, 21)
        before = await stage.get("tallies", "clerk", home)
        told: list[str] = []
        checksums = []
        for round_ in range(2):
            rebuilding = asyncio.create_task(replay(stage.worker_settings, told.append))
            reads = 0
            while not rebuilding.done():
                shown = await stage.get("tallies", "clerk", home)
                assert shown["total"] == before["total"]
                assert shown["rows"] == before["rows"]
                reads += 1
            rebuilt = await rebuilding
            assert reads > 3
            assert rebuilt.equal
            assert rebuilt.generation == round_ + 2 == await active(stage)
            checksums += [rebuilt.before, rebuilt.after]
        assert len(set(checksums)) == 1
        assert any(checksums[0] in line for line in told)
        for table in TABLES:
            rows = await stage.rows(f"SELECT DISTINCT generation FROM {table}")
            assert [row.generation for row in rows] in ([3], []), table
        # The live worker goes on in the new generation, and what comes twice counts once.
        other = await filled(stage, 22, 20)
        assert (await stage.get("tallies", "clerk", other))["total"]["submitted"] == 20
        await stage.send(orders(21, [home], 40))
        assert (await stage.get("tallies", "clerk", home))["total"] == before["total"]
        assert (await replay(stage.worker_settings, told.append)).equal


async def test_the_moment_a_request_was_first_counted_survives_a_rebuild(make_whole: Any) -> None:
    stage = await make_whole()
    async with stage.working():
        await filled(stage, 23, 5)
    counted = await stage.rows("SELECT request_id, counted_at FROM facts ORDER BY 1")
    await replay(stage.worker_settings, lambda _line: None)
    assert await stage.rows("SELECT request_id, counted_at FROM facts ORDER BY 1") == counted


@pytest.mark.parametrize("table", ["tallies", "span_tallies"])
async def test_drift_is_repaired_and_said(make_whole: Any, table: str) -> None:
    stage = await make_whole()
    async with stage.working():
        home = await filled(stage, 24, 10)
    right = await stage.get("tallies", "clerk", home)
    by = "day" if table == "tallies" else "village"
    await stage.rows(f"UPDATE {table} SET value = value + 1 WHERE measure = 'submitted' RETURNING 1")
    assert (await stage.get("tallies", "clerk", home, by=by))["total"] != right["total"]
    rebuilt = await replay(stage.worker_settings, lambda _line: None)
    assert (rebuilt.equal, rebuilt.ahead) == (False, 0)
    assert (await stage.get("tallies", "clerk", home, by=by))["total"] == right["total"]


async def test_refused_where_a_key_does_not_begin_at_1_and_good_once_it_does(make_whole: Any) -> None:
    stage = await make_whole()
    events = [event for event in orders(25, [village()], 1) if event.topic == REQUESTS]
    await stage.send(events[1:])
    with pytest.raises(Refused, match=rf"begin at 1 \({REQUESTS} {events[0].key} begins at 2"):
        await replay(stage.worker_settings, lambda _line: None)
    assert await active(stage) == 1
    assert await stage.rows("SELECT 1 FROM facts WHERE generation > 1") == []
    await stage.send([events[0]])  # as a refill would
    await replay(stage.worker_settings, lambda _line: None)
    assert await active(stage) > 1


async def test_refused_where_the_topics_hold_less_than_is_counted(make_whole: Any) -> None:
    stage = await make_whole()
    async with stage.working():
        home = await filled(stage, 26, 3)
    await stage.rows("UPDATE positions SET last = last + 1 WHERE topic = :topic RETURNING 1", topic=REQUESTS)
    with pytest.raises(Refused, match="hold less than is counted"):
        await replay(stage.worker_settings, lambda _line: None)
    assert await active(stage) == 1
    assert (await stage.get("tallies", "clerk", home))["total"]["submitted"] == 3


def _start(stage: Any) -> subprocess.Popen[str]:
    settings = stage.worker_settings
    environment = {
        **os.environ,
        "REPORTING_DATABASE_URL": settings.database_url,
        "LIANHU_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "LIANHU_AUTH_JWKS": settings.auth_jwks,
        "LIANHU_STATE_DIRECTORY": str(settings.state_directory),
    }
    command = [sys.executable, "-m", "reporting_service", "replay"]
    return subprocess.Popen(
        command, env=environment, cwd=Path(__file__).parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


async def test_killed_midway_changes_nothing_and_the_next_begins_anew(make_whole: Any) -> None:
    stage = await make_whole()
    async with stage.working():
        home = await filled(stage, 27, 60)
        before = await stage.get("tallies", "clerk", home)
        process = _start(stage)
        try:

            async def half_built() -> bool:
                return bool(await stage.rows("SELECT 1 FROM facts WHERE generation = 2 LIMIT 1"))

            await eventually(half_built, pause=0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
        assert await active(stage) == 1
        assert (await stage.get("tallies", "clerk", home))["total"] == before["total"]
        process = _start(stage)
        said, _ = await asyncio.to_thread(process.communicate)
        assert process.returncode == 0, said
        assert len(set(re.findall(r"\b[0-9a-f]{64}\b", said))) == 1, said
        assert "equal to what was there" in said
        assert await active(stage) > 1
        assert (await stage.get("tallies", "clerk", home))["total"] == before["total"]


async def test_only_one_at_a_time(make_whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await make_whole()
    entered, go_on = asyncio.Event(), asyncio.Event()
    delete = replaying._delete_left_over

    async def paused(*given: Any) -> None:
        entered.set()
        await go_on.wait()
        await delete(*given)

    monkeypatch.setattr(replaying, "_delete_left_over", paused)
    first = asyncio.create_task(replay(stage.worker_settings, lambda _line: None))
    await entered.wait()
    with pytest.raises(Refused, match="Another replay"):
        await replay(stage.worker_settings, lambda _line: None)
    go_on.set()
    await first


async def test_batches_wait_while_the_tallies_are_of_other_rules(make_whole: Any) -> None:
    stage = await make_whole()
    home = village()
    await stage.rows("UPDATE generations SET rules = 0, zone = 'Asia/Shanghai' RETURNING 1")
    async with stage.database.transaction() as session:
        with pytest.raises(RebuildNeeded) as refused:
            await live_books(session, stage.settings.zone)
    assert is_transient(refused.value)  # so the batch is tried again and nothing is parked
    async with stage.working():
        await stage.send(orders(28, [home], 3))
        await replay(stage.worker_settings, lambda _line: None)
        await stage.applied()
    assert (await stage.get("tallies", "clerk", home))["total"]["submitted"] == 3
    assert await stage.rows("SELECT 1 FROM parked LIMIT 1") == []

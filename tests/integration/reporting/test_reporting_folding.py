"""Batches from a real broker: topics at odds, duplicates, several workers, what must be parked."""

import random
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import event as listeners
from sqlalchemy import text

from lianhu_kit.database import Database, enter_scope
from lianhu_kit.envelope import ReceivedEvent
from reporting_service.consumer import SUBSCRIPTIONS, applying
from reporting_service.handlers.generations import Books
from support.conditions import eventually
from support.histories import DISPATCH, NOTIFICATIONS, REQUESTS, Raw
from support.people import bearer
from support.places import village
from support.sending import mixed, named
from support.walks import orders


async def test_whole_topics_late_and_everything_twice_give_the_same_report(make_stage: Any) -> None:
    home = village()
    events = orders(31, [home], 25)
    reports = []
    for order_of_topics in ((REQUESTS, DISPATCH, NOTIFICATIONS), (NOTIFICATIONS, DISPATCH, REQUESTS)):
        stage = await make_stage()
        async with stage.working():
            for topic in order_of_topics:
                await stage.send(event for event in events if event.topic == topic)
                await stage.applied()
            await stage.send(events)
            await stage.send([_last(stage, home)])
            await stage.applied()
        shown = await stage.get("tallies", "clerk", home, by="service", basis="happened")
        reports.append((shown["rows"], shown["total"]))
        facts = await stage.rows(
            "SELECT request_id, status, halves::text FROM facts WHERE tenant = :t ORDER BY 1", t=home
        )
        reports.append(facts)
    assert reports[0] == reports[2]
    assert reports[1] == reports[3]


def _last(stage: Any, home: str) -> Raw:
    """An event that comes after all others of its partition, so that having it is having them."""
    return named(home, "lianhu.org-unit.upserted.v1", home, _unit(home, "末尾"), sequence=9)


def _unit(code: str, name: str) -> dict[str, Any]:
    return {"code": code, "level": "village", "name": name, "parent": code[:9], "settings": {}}


async def test_three_workers_at_once_count_as_one(make_stage: Any) -> None:
    stage = await make_stage()
    homes = [village("860000001") for _ in range(3)]
    events = orders(32, homes, 120)
    async with stage.working(workers=3):
        await stage.send(mixed(events, random.Random(32)))
        await stage.applied()
    alone = await make_stage()
    async with alone.working():
        await alone.send(events)
        await alone.applied()
    for by in ("village", "volunteer", "day"):
        shared, single = [await s.get("tallies", "supervisor", "86", by=by) for s in (stage, alone)]
        assert (shared["rows"], shared["total"]) == (single["rows"], single["total"])
    assert shared["total"]["submitted"] == 120


async def test_a_batch_takes_as_few_statements_as_one_event(make_stage: Any) -> None:
    stage = await make_stage()
    zone = stage.settings.zone

    async def statements(events: list[Raw]) -> int:
        told = [(_received(raw), SUBSCRIPTIONS[raw.type].model.model_validate(raw.data)) for raw in events]
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1

        listeners.listen(stage.database.engine.sync_engine, "before_cursor_execute", count)
        async with stage.database.transaction() as session:
            await applying(Books(1, zone))(session, told)
        listeners.remove(stage.database.engine.sync_engine, "before_cursor_execute", count)
        return seen

    few, many = orders(33, [village()], 1), orders(34, [village()], 80)
    assert 0 < await statements(few) <= 5
    assert await statements(many) <= 5


def _received(raw: Raw) -> ReceivedEvent:
    return ReceivedEvent(
        raw.topic, raw.key, raw.id, raw.type, "", raw.subject, raw.time, raw.tenant, raw.sequence, raw.data
    )


async def test_an_unreadable_event_is_parked_and_the_others_counted(make_stage: Any) -> None:
    stage = await make_stage()
    home = village()
    good, bad = orders(35, [home], 1), orders(36, [home], 1)
    broken = [replace(bad[0], data={**bad[0].data, "status": "lost"}), *bad[1:]]
    async with stage.working():
        await stage.send(good)
        await stage.applied()
        await stage.send(broken)

        async def parked() -> Any:
            return await stage.rows("SELECT reason FROM parked WHERE key = :key", key=bad[0].key)

        reasons = await eventually(parked)
        assert "status" in reasons[0].reason
    assert (await stage.get("tallies", "clerk", home))["total"]["submitted"] == 1


async def test_names_come_from_the_directory_and_go_with_it(make_stage: Any) -> None:
    stage = await make_stage()
    home, person = village(), str(uuid.uuid4())
    volunteer: dict[str, Any] = {
        "id": person, "name": "李*", "tenant": home, "grid": None, "roles": [], "staff": False, "skills": [],
        "capacity": 5, "away_until": None, "checked_until": None, "linking_households": [], "active": True,
    }  # fmt: skip
    events = [event for event in orders(37, [home], 1) if event.topic == REQUESTS][:1]
    service = events[0].data["service"]
    offered = {
        "tenant": home[:9], "code": service, "name": "家电维修", "kind": "convenience", "route_default": "volunteers",
        "skill": None, "limits": {}, "guardian_consent": False, "places_default": 1, "active": True,
    }  # fmt: skip
    events[0].data["by"] = person
    async with stage.working():
        await stage.send(
            [
                named(home, "lianhu.org-unit.upserted.v1", home, _unit(home, "旧名")),
                named(home, "lianhu.org-unit.upserted.v1", home, _unit(home, "对岸村"), sequence=4),
                named(home[:9], "lianhu.service.upserted.v1", f"{home[:9]}/{service}", offered),
                named(home, "lianhu.volunteer.upserted.v1", person, volunteer),
                *events,
            ]
        )
        await stage.applied()
        (row,) = (await stage.get("tallies", "clerk", home))["rows"]
        assert (row["key"], row["name"]) == (home, "对岸村")
        (row,) = (await stage.get("tallies", "clerk", home, by="service"))["rows"]
        assert (row["key"], row["name"]) == (service, "家电维修")
        told = await stage.get(f"requests/{events[0].key}/timeline", "clerk", home)
        assert told["steps"][0] == {
            "service": "requests", "step": "submitted", "at": told["steps"][0]["at"], "by": "李*",
            "status": "submitted",
        }  # fmt: skip
        assert person not in str(told)
        gone = named(home, "lianhu.volunteer.upserted.v1", person, {}, sequence=2)
        await stage.send([replace(gone, data=None)])  # type: ignore[arg-type]
        await stage.applied()
        told = await stage.get(f"requests/{events[0].key}/timeline", "clerk", home)
        assert "by" not in told["steps"][0]


@pytest.mark.parametrize("scope", ["", "900000000000"])
async def test_the_api_role_sees_nothing_outside_its_scope(make_stage: Any, scope: str) -> None:
    stage = await make_stage()
    home = village()
    async with stage.working():
        await stage.send(orders(38, [home], 2))
        await stage.applied()
    database = Database(stage.settings.database_url, application_name="tests", pool_size=1)
    try:
        for reach, rows in ((home[:9], 2), (scope, 0)):
            async with database.transaction() as session:  # the same pooled connection, twice
                if reach:
                    await enter_scope(session, reach)
                found = (await session.execute(text("SELECT count(*) FROM facts"))).scalar_one()
                tallied = (await session.execute(text("SELECT count(*) FROM tallies"))).scalar_one()
            assert (found, bool(tallied)) == (rows, bool(rows))
    finally:
        await database.close()


async def test_a_journey_is_404_until_its_submission_has_come(make_stage: Any) -> None:
    stage = await make_stage()
    home = village()
    walks = (orders(seed, [home], 1) for seed in range(100))
    events = next(found for found in walks if any(event.topic == DISPATCH for event in found))
    request = events[0].key

    async def ask() -> httpx.Response:
        answer: httpx.Response = await stage.client.get(
            f"/v1/requests/{request}/timeline", headers=bearer("clerk", home)
        )
        return answer

    async with stage.working():
        await stage.send(event for event in events if event.topic == DISPATCH)
        await stage.applied()
        assert (await ask()).status_code == 404
        await stage.send(event for event in events if event.topic != DISPATCH)
        await stage.applied()
        told = (await ask()).json()
    assert {step["service"] for step in told["steps"]} >= {"requests", "dispatch", "reporting"}
    assert len(told["steps"]) == len(events) + 1
    times = [datetime.fromisoformat(step["at"]) for step in told["steps"]]
    assert times == sorted(times)

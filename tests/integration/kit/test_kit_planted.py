"""Three faults of design, planted in the kit's own machinery for one test: the checker of `make chaos` sees each."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from fastapi import Request
from sqlmodel.ext.asyncio.session import AsyncSession

from chaos.checker import check, counts
from chaos.evidence import Event, Evidence, Line, Told
from integration.kit.conftest import MakeTopic
from integration.kit.room import Room
from integration.kit.station import Station, consume
from integration.kit.test_kit_application import note, serving
from lianhu_kit import relay
from lianhu_kit.api import transaction
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound
from lianhu_kit.relay import Relay
from support import bearer, village

GOOD = {"lost": 0, "doubled": 0, "illegal": 0}


@pytest.mark.parametrize("planted", [False, True])
async def test_an_acknowledgement_before_the_commit(station: Station, planted: bool) -> None:
    at, commits = village(), list[asyncio.Task[None]]()

    async def hurried(request: Request) -> AsyncIterator[AsyncSession]:
        begun = request.app.state.database.transaction()
        yield await begun.__aenter__()

        async def commit() -> None:
            with suppress(Exception):
                await begun.__aexit__(None, None, None)

        commits.append(asyncio.create_task(commit()))

    evidence = Evidence()
    async with serving(station) as (client, app):
        if planted:
            app.dependency_overrides[transaction] = hurried
        for key in ("first", "second"):  # the constraint is deferred: COMMIT refuses the second
            answer = await client.post("/v1/notes", json=note(at, twin=at), headers=bearer("clerk", at))
            if answer.status_code == 201:
                evidence.told.append(Told("place", answer.json()["id"], key=key))
            await asyncio.gather(*commits)
        rows = await station.rows("SELECT id FROM notes WHERE tenant = :at", at, at=at)
    evidence.statuses = dict.fromkeys((str(row.id) for row in rows), "submitted")
    found = [each for each in check(evidence) if each.rule == "placed"]
    assert counts(found) == GOOD | {"lost": int(planted)}


_BY_LAST_SEEN = """
    SELECT position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time, traceparent,
           causationid
    FROM outbox WHERE shard = ANY($1) AND position > (SELECT coalesce(max(position), 0) FROM published)
    ORDER BY position LIMIT $2
"""


@pytest.mark.parametrize("planted", [False, True])
async def test_a_relay_that_reads_by_the_last_id(
    station: Station, kafka: str, new_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    topic, at, (late, early) = await new_topic(), village(), (str(new_id()), str(new_id()))
    if planted:
        monkeypatch.setattr(relay, "READ", _BY_LAST_SEEN)
    recorded, may_commit = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        recorded.set()
        await may_commit.wait()

    sender = Relay(station.settings, station.worker)
    try:
        writing = asyncio.create_task(station.note(at, topic, late, hold=hold))
        await recorded.wait()  # the smaller position, and the later commit
        await station.note(at, topic, early)
        await sender.step()
        may_commit.set()
        await writing
        await sender.step()
    finally:
        await sender.close()
    records = await consume(kafka, topic)
    headers = [{name: value.decode() for name, value in record.headers} for record in records]
    evidence = Evidence(
        lines={Line(topic, late): 1, Line(topic, early): 1},
        unsent=await station.value("SELECT count(*) FROM outbox WHERE aggregatetype = :t", t=topic),
        events=[
            Event(topic, record.key.decode(), head["ce_id"], int(head["ce_sequence"]), head["ce_type"], {})
            for record, head in zip(records, headers, strict=True)
        ],
    )
    assert counts(check(evidence)) == GOOD | {"lost": 2 if planted else 0}  # not on the topic, still in the outbox
    await station.value("DELETE FROM outbox WHERE aggregatetype = :t RETURNING 1", t=topic)


class Blind(Inbound):
    """A consumer that keeps no books: whatever comes is applied."""

    async def _attempt(
        self, events: Sequence[ReceivedEvent], nexts: Mapping[tuple[str, int], int], *, follow: bool
    ) -> list[ReceivedEvent]:
        async with self._database.transaction() as session:
            await self._run(session, events)
        return []


@pytest.mark.parametrize("planted", [False, True])
async def test_a_blind_addition_under_redelivery(station: Station, planted: bool) -> None:
    room = Room(station)
    inbound: Any = room.inbound
    if planted:
        inbound.__class__ = Blind
    requests = [str(new_id()) for _ in range(5)]
    records = [room.event(request, 1) for request in requests]
    await room.inbound.receive(records)
    await room.inbound.receive(records[1:4])  # redelivered
    evidence = Evidence(
        told=[Told("place", request, key=request) for request in requests],
        statuses=dict.fromkeys(requests, "submitted"),
        facts=dict.fromkeys(requests, "submitted"),
        tallies={"submitted": len(await room.effects()), "now.submitted": len(requests)},
    )
    found = [each for each in check(evidence) if each.rule != "moves"]  # there is no topic here
    assert counts(found) == GOOD | {"doubled": int(planted)}

"""A batch of events and the claims of the same people: a person is not locked between two requests of a batch."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dispatch_service.app import worker
from dispatch_service.settings import Settings
from lianhu_kit.envelope import encode
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound, Record
from lianhu_kit.worker import Worker
from support.contracts import data_faults

Stage = Any
Village = Any
ENDED = "lianhu.request.withdrawn.v1"


class Batch:
    """Events as the broker would hand them over together, in place of sending them."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stage = stage
        self.records: list[Record] = []
        monkeypatch.setattr(stage, "tell", self._keep)

    async def _keep(self, topic: str, type: str, key: str, subject: str, tenant: str, data: Any) -> None:
        sequence = self._stage.sequences[topic, key] = self._stage.sequences.get((topic, key), 0) + 1
        name = f"lianhu.{type}.v1"
        assert data_faults(name, data) == []
        row: Any = {
            "id": new_id(), "aggregateid": key, "type": name, "subject": subject, "payload": json.dumps(data),
            "sequence": sequence, "tenant": tenant, "time": datetime.now(UTC),
            "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01", "causationid": str(new_id()),
        }  # fmt: skip
        headers, encoded, value = encode(row, "/lianhu/requests")
        self.records.append(Record(topic, 0, 2**40 + len(self.records), encoded, value, headers))


@pytest.fixture
async def batch(stage: Stage, here: Village) -> AsyncIterator[Callable[[], Batch]]:
    """From its call on, what this test's village tells comes in one batch."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda: Batch(stage, patch)


@pytest.fixture
async def second(stage: Stage, jwks_file: Any, tmp_path: Any) -> AsyncIterator[Worker]:
    """Another worker of dispatch, that does only what a test makes it do."""
    settings = Settings(database_url=stage.urls.worker, auth_jwks=str(jwks_file), state_directory=tmp_path)
    made = Worker(settings, worker(settings))
    yield made
    await made.database.close()


async def test_a_claim_goes_through_between_two_requests_of_a_batch_that_frees_its_person(
    stage: Stage, here: Village, second: Worker, batch: Callable[[], Batch]
) -> None:
    one = await here.person(capacity=50)
    first, later = sorted([await here.offered(one), await here.offered(one)])
    assert (await here.act(one, first, "claim")).status_code == 200
    await stage.until_last(first, "claimed")
    ended: list[str] = []
    plain = second.work.subscriptions[ENDED]

    async def with_a_claim_in_between(session: Any, event: Any, data: Any) -> None:
        await plain.handle(session, event, data)
        await session.flush()
        ended.append(event.key)
        if event.key == first:
            answer = await asyncio.wait_for(here.act(one, later, "claim"), 20)
            assert answer.status_code == 200, answer.text

    inbound = Inbound(
        "dispatch", second.database, second.work.topics,
        {**second.work.subscriptions, ENDED: replace(plain, handle=with_a_claim_in_between)},
    )  # fmt: skip
    together = batch()
    for request in (later, first):
        await here.move(request, "withdrawn", "withdrawn")
    await inbound.receive(together.records)
    assert ended == [first, later]  # one transaction for both, and nothing was done twice
    for request in (first, later):
        cancelled = (await stage.until_last(request, "cancelled")).data
        assert cancelled["holders"] == [str(one)]
        stage.gapless(request)
    [load] = await stage.rows("SELECT load FROM volunteers WHERE id = :id", id=one, tenant=here.code)
    assert load.load == 0


async def test_whoever_a_batch_frees_is_offered_what_it_opens(
    stage: Stage, here: Village, second: Worker, batch: Callable[[], Batch]
) -> None:
    one = await here.person(capacity=1)
    held = await here.offered(one)
    assert (await here.act(one, held, "claim")).status_code == 200
    await stage.until_last(held, "claimed")
    together = batch()
    await here.move(held, "withdrawn", "withdrawn")
    opened = await here.request()
    await second.inbound.receive(together.records)
    offered = (await stage.until_last(opened, "offered")).data
    assert (offered["people"], offered["wave"]) == ([str(one)], 1)
    [load] = await stage.rows("SELECT load FROM volunteers WHERE id = :id", id=one, tenant=here.code)
    assert load.load == 0

"""A worker whose part has ended leaves; a client of the broker that broke is exchanged."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lianhu_kit import consumer as consuming
from lianhu_kit.consumer import BrokerSilent, Consumer
from lianhu_kit.database import Database
from lianhu_kit.inbound import Inbound
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.worker import PartCancelled, Work, Worker


class Settings(ServiceSettings, service="kit"):
    """Settings of a service that reaches nothing."""


def settings() -> Settings:
    """Nothing listens there, and nothing is asked to."""
    return Settings(database_url="postgresql://kit@127.0.0.1:1/kit", auth_jwks="none.json")


async def _idle(stop: asyncio.Event) -> None:
    await stop.wait()


async def _run(monkeypatch: pytest.MonkeyPatch, part: Any) -> None:
    worker = Worker(settings(), Work("0001", background=[part]))
    monkeypatch.setattr(worker.relay, "run", _idle)
    monkeypatch.setattr(worker.retention, "run", _idle)
    monkeypatch.setattr(worker, "_keep_house", _idle)
    await asyncio.wait_for(worker.run(asyncio.Event()), 5)


async def test_a_part_that_was_cancelled_from_within_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancelled(_database: Database, _stop: asyncio.Event) -> None:
        raise asyncio.CancelledError

    with pytest.raises(PartCancelled):
        await _run(monkeypatch, cancelled)


async def test_a_part_that_failed_ends_the_worker_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_database: Database, _stop: asyncio.Event) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        await _run(monkeypatch, failing)


def _consumer() -> Consumer:
    return Consumer(settings(), cast(Inbound, None), topics={"kit.notes": False}, group="kit")


async def test_whatever_breaks_in_the_client_costs_the_client() -> None:
    async def getmany(**_more: Any) -> Any:
        raise RuntimeError("internal state")

    with pytest.raises(BrokerSilent, match="RuntimeError"):
        await _consumer()._poll(SimpleNamespace(getmany=getmany))


async def test_a_member_that_the_group_never_places_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "JOIN_SECONDS", -1.0)
    client = SimpleNamespace(assignment=frozenset)
    member = _consumer()
    with pytest.raises(BrokerSilent, match="no place"):
        await member._watch(client)
    await member.on_partitions_assigned(frozenset())  # more members than partitions: nothing to do is a place too
    await member._watch(client)
    await member.on_partitions_revoked(frozenset())
    with pytest.raises(BrokerSilent, match="no place"):
        await member._watch(client)

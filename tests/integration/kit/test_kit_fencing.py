"""A fenced key: nothing is published for it, its callers hear 409 with a sentence, all other keys go on."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from sqlalchemy.exc import DBAPIError

from integration.kit.station import Station, next_events
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.application import create_application
from lianhu_kit.database import enter_scope
from lianhu_kit.fencing import is_fenced
from lianhu_kit.identifiers import new_id
from support import bearer, village

TOPIC = "kit.fenced"
HERE = village()
router = APIRouter()


@router.post("/v1/told/{key}", status_code=201)
async def tell(key: str, access: Annotated[Access, permits("clerk")], session: Session) -> dict[str, Any]:
    """Publishes the key's next event."""
    await enter_scope(session, access.covering(HERE).scope)
    await next_events(session, HERE, TOPIC, key)
    return {}


@pytest_asyncio.fixture
async def owner(station: Station) -> AsyncIterator[Any]:
    """As a restore is connected; what it turned on is off again afterwards."""
    connection = await asyncpg.connect(station.superuser)
    yield connection
    await connection.execute("ALTER TABLE outbox DISABLE TRIGGER fenced")
    await connection.execute("DELETE FROM fences")
    await connection.close()


async def fence(owner: Any, key: str) -> None:
    """What a restore does with a key whose topic is ahead."""
    await owner.execute(
        "INSERT INTO fences (topic, key, tenant, held, told, last_type, last_at) "
        "VALUES ($1, $2, '44', 1, 3, 'x', now())",
        TOPIC,
        key,
    )
    await owner.execute("ALTER TABLE outbox ENABLE TRIGGER fenced")


async def test_nothing_is_published_for_a_fenced_key_and_others_go_on(station: Station, owner: Any) -> None:
    stopped, free, tenant = str(new_id()), str(new_id()), village()
    await station.note(tenant, TOPIC, stopped)
    await fence(owner, stopped)
    with pytest.raises(DBAPIError) as refused:
        await station.note(tenant, TOPIC, stopped)
    assert is_fenced(refused.value)
    await station.note(tenant, TOPIC, free)
    count = "SELECT count(*) FROM outbox WHERE aggregateid = :key"
    assert (await station.value(count, key=stopped), await station.value(count, key=free)) == (1, 1)
    await owner.execute("UPDATE fences SET lifted_at = now() WHERE key = $1", stopped)
    await station.note(tenant, TOPIC, stopped)
    assert await station.value(count, key=stopped) == 2


async def test_a_caller_hears_409_with_what_to_do(station: Station, owner: Any) -> None:
    settings = station.settings.model_copy(update={"database_url": station.api.url})
    app = create_application(settings, title="Fenced", routers=[router], required_revision="0001")
    key = str(new_id())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client,
    ):
        assert (await client.post(f"/v1/told/{key}", headers=bearer("clerk", HERE))).status_code == 201
        await fence(owner, key)
        answer = await client.post(f"/v1/told/{key}", headers=bearer("clerk", HERE))
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"] == "urn:lianhu:problem:fenced"
    assert "Tell the operator" in answer.json()["detail"]

"""The requests service in one process: its API over ASGI, its worker's parts driven by hand, a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from lianhu_kit.tokens import make_key_pair
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Worker
from requests_service.app import create_app, work
from requests_service.settings import Settings
from support.people import ISSUER
from support.requests_rig import Place, Rig

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
async def requests_settings(
    postgres: Any, jwks_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Settings, Any]:
    """Settings of the API and of the worker, over a migrated database."""
    urls = postgres.create("requests")
    await asyncio.to_thread(migrate, ROOT / "services" / "requests" / "migrations", urls.owner)
    keys = tmp_path_factory.mktemp("signing")
    pem, _ = make_key_pair("integration")
    (keys / "integration.pem").write_text(pem)
    shared: dict[str, Any] = {
        "auth_issuer": ISSUER, "auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state"),
        "signing_keys": keys, "orders_per_minute": 100_000, "tracks_per_minute": 100_000,
        "sign_ins_per_minute": 100_000, "local": True,
    }  # fmt: skip
    return Settings(database_url=urls.api, **shared), Settings(database_url=urls.worker, **shared), urls


@pytest.fixture(scope="session")
async def rig(requests_settings: tuple[Settings, Settings, Any]) -> AsyncIterator[Rig]:
    """The service with its API open; its worker does only what a test makes it do."""
    api, worker_settings, urls = requests_settings
    app = create_app(api)
    worker = Worker(worker_settings, work(worker_settings))
    rows = await asyncpg.connect(urls.worker)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://requests.test") as client,
    ):
        yield Rig(client, worker, rows, worker_settings, urls)
    await rows.close()
    await worker.database.close()


@pytest.fixture
async def place(rig: Rig) -> Place:
    """A village of this test's own."""
    return await rig.village()

"""All four APIs as they run: processes of their own behind sockets, over real databases. No worker, no broker."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from integration.security.served import Served, plain_order, serve
from lianhu_kit.tokens import make_key_pair
from lianhu_kit.upgrading import migrate
from lianhu_tools.keys import ISSUER
from lianhu_tools.processes import free_port
from lianhu_tools.topology import SERVICES
from support import village
from support.people import bearer
from support.requests_rig import SERVICES as CATALOGUE
from support.stores import ROOT


@pytest_asyncio.fixture(scope="session")
async def served(postgres: Any, jwks_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The running APIs."""
    keys = tmp_path_factory.mktemp("signing")
    (keys / "served-apis.pem").write_text(make_key_pair("served-apis")[0])
    made = Served(tmp_path_factory.mktemp("served"), keys)
    for service in SERVICES:
        urls = made.databases[service] = postgres.create(service)
        await asyncio.to_thread(migrate, ROOT / "services" / service / "migrations", urls.owner)
        made.ports[service] = free_port()
    for service in SERVICES:
        prefix = service.upper()
        made.environments[service] = {
            **os.environ,
            f"{prefix}_DATABASE_URL": made.databases[service].api,
            f"{prefix}_PORT": str(made.ports[service]),
            "LIANHU_AUTH_ISSUER": ISSUER,
            "LIANHU_AUTH_JWKS": str(jwks_file),
            "LIANHU_STATE_DIRECTORY": str(made.folder / service),
            "REQUESTS_SIGNING_KEYS": str(keys),
            "REQUESTS_ORDERS_PER_MINUTE": "1000000",
            "REQUESTS_TRACKS_PER_MINUTE": "1000000",
            "REQUESTS_SIGN_INS_PER_MINUTE": "1000000",
            "REPORTING_REQUESTS_URL": made.url("requests"),
            "REPORTING_DISPATCH_URL": made.url("dispatch"),
            "REPORTING_SETTLE_SECONDS": "0",
            "LIANHU_DRAIN_SECONDS": "0",
        }
        command = [sys.executable, "-m", f"{service}_service", "api"]
        made.processes.append(serve(command, made.environments[service], made.folder / f"{service}.log"))
    try:
        await asyncio.gather(*(made.ready(made.url(service)) for service in SERVICES))
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
async def home(served: Served) -> str:
    """A village with a catalogue and an order in it."""
    code = village()
    admin = bearer("admin", code)
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        units = [{"code": code, "name": "示例村", "settings": {"always_working": True}}]
        services = [{"tenant": code, "code": name, "name": name, **given} for name, given in CATALOGUE.items()]
        for path, items in (("/v1/org-units", units), ("/v1/services", services)):
            answer = await client.put(path, json={"items": items}, headers=admin)
            assert answer.is_success, answer.text
    return code


@pytest.fixture
async def order(served: Served, home: str) -> str:
    """The id of a fresh order in that village."""
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        answer = await client.post("/v1/requests", json=plain_order(home))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])

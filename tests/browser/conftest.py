"""The whole local system behind its gateway, and Chromium in front of it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from lianhu_tools.browser import chromium
from support.chromium import browser
from support.settlement import Settlement
from support.system import System, free_base


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The local system, up and empty."""
    path, why = chromium()
    if path is None:
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="lianhu pages ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        running = System(root, free_base(26_000))
        try:
            running.up()
            yield running
        finally:
            running.lianhu("down")
            running.lianhu("clean")


@pytest_asyncio.fixture(scope="session")
async def chrome(system: System) -> AsyncIterator[Browser]:
    """The browser of the session; each test opens contexts of its own in it."""
    async with browser() as started:
        assert started is not None
        yield started


@pytest.fixture
def base(system: System) -> str:
    """Where people come in."""
    return system.topology.gateway_url


@pytest.fixture
async def settlement(system: System) -> Settlement:
    """A village of the test's own."""
    made = Settlement()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await made.settle(system, client)
    return made

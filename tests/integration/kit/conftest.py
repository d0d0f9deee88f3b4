"""The tiny service of the kit's tests, one database a module."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from integration.kit.station import Station, make_station, make_topic
from support.stores import LocalPostgres

structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)])
logging.getLogger("aiokafka").setLevel("CRITICAL")  # as the kit's own logging does: it repeats a broker's absence
MakeTopic = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(scope="module")
async def station(
    postgres: LocalPostgres, kafka: str, jwks_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Station]:
    """The tiny service over a real database; its broker is the session's."""
    made = await make_station(postgres, kafka, jwks_file, tmp_path_factory.mktemp("kit"))
    yield made
    await made.close()


@pytest.fixture
def new_topic(kafka: str) -> MakeTopic:
    """Makes topics of a test's own."""

    async def make(*, partitions: int = 2, compacted: bool = False) -> str:
        return await make_topic(kafka, f"kit.{secrets.token_hex(6)}", partitions=partitions, compacted=compacted)

    return make

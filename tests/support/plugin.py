"""The fixtures. Each store starts when the first test asks for it, and ends with the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.infrastructure import new_postgres, running_kafka
from support.people import write_key_set
from support.stores import Kafka, Postgres


@pytest.fixture(scope="session")
def broker() -> Iterator[Kafka]:
    """The session's broker itself, for tests that end and start it."""
    with running_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="session")
def kafka(broker: Kafka) -> str:
    """host:port of a real broker with the declared topics."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real cluster; `.create(service)` makes a service a fresh database and roles, not yet migrated."""
    cluster = new_postgres()
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def jwks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key set of the session's tokens, as a file for LIANHU_AUTH_JWKS."""
    return write_key_set(tmp_path_factory.mktemp("keys") / "jwks.json")

"""A service's database gives way to another: closed first, so that nobody writes in between, and kept afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from lianhu_tools.faults import Fault
from lianhu_tools.stores.server import SUPERUSER, Server


@asynccontextmanager
async def connected(server: Server, database: str = "postgres") -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the superuser. Raises Fault where the server is away or the database cannot be entered."""
    try:
        connection = await asyncpg.connect(server.url(SUPERUSER, database), timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Fault(f"PostgreSQL on port {server.port} is away ({type(error).__name__}); see `make status`.") from error
    try:
        yield connection
    finally:
        await connection.close()


async def there(server: Server, database: str) -> bool:
    """Whether there is such a database."""
    async with connected(server) as connection:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database))


async def close(server: Server, database: str) -> bool:
    """Lets nobody in any more and ends who is in: its service answers 503. Whether the database is there."""
    if not await there(server, database):
        return False
    async with connected(server) as connection:
        await connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", database
        )
    return True


async def reopen(server: Server, database: str) -> None:
    """Lets its service in again."""
    async with connected(server) as connection:
        await connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')


async def drop(server: Server, database: str) -> None:
    """Removes what an attempt before this one left, if anything."""
    async with connected(server) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


async def exchange(server: Server, service: str, fresh: str) -> str | None:
    """Gives `fresh` the service's name. Answers the name under which what had it is kept; None where nothing had it."""
    kept = f"{service}_replaced_{datetime.now(UTC):%Y%m%d_%H%M%S}" if await close(server, service) else None
    await close(server, fresh)
    async with connected(server) as connection, connection.transaction():
        if kept is not None:
            await connection.execute(f'ALTER DATABASE "{service}" RENAME TO "{kept}"')
        await connection.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{service}"')
    for name in filter(None, (service, kept)):
        await reopen(server, name)
    return kept

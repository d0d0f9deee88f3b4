"""How revisions reach a database: one run at a time, each revision in its transaction, or as SQL that nobody runs."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from lianhu_kit.database import sqlstate
from lianhu_kit.logs import logger
from lianhu_kit.migrations import TIMEOUTS

TRIES = 20
_log = logger(__name__)


def migrate(directory: Path, url: str) -> None:
    """Brings a database to the newest revision under `directory`, as its owner; tries again where a table is held."""
    for left in reversed(range(TRIES)):
        try:
            command.upgrade(_config(directory, url), "head")
        except Exception as error:
            if sqlstate(error) not in ("55P03", "40P01") or not left:
                raise
            _log.warning("migration waits for a lock", tries_left=left)
            time.sleep(1)
        else:
            return


def render(directory: Path, after: str, until: str) -> str:
    """The SQL that brings a database from one revision to another; nothing connects."""
    config = _config(directory, "")
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{after}:{until}", sql=True)
    return config.output_buffer.getvalue()


def _config(directory: Path, url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def environment(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` runs: each revision in its transaction, locked against a second run."""
    if context.is_offline_mode():
        context.configure(dialect_name="postgresql", target_metadata=metadata, transaction_per_migration=True)
        for name, value in TIMEOUTS.items():
            context.static_output(f"SET {name} = '{value}';")
        with context.begin_transaction():
            context.run_migrations()
        return
    url = context.config.attributes["url"]

    def upgrade(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()

    async def connected() -> None:
        engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            poolclass=NullPool,
            connect_args={"server_settings": TIMEOUTS},
        )
        async with _alone(engine), engine.connect() as connection:
            await connection.run_sync(upgrade)
        await engine.dispose()

    asyncio.run(connected())


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[None]:
    """One run at a time. Never a statement that waits for the lock: an index that is being built would wait for it."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        held = text("SELECT pg_try_advisory_lock(hashtext('lianhu migrations'))")
        while not (await connection.execute(held)).scalar():  # noqa: ASYNC110 - the database tells nobody when it is free
            await asyncio.sleep(0.2)
        yield

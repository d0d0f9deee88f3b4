"""What the migration makes is what the tables declare, under row-level security."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from reporting_service.tables import Table
from support.catalogue import faults_of_row_security


async def test_every_table_is_under_forced_row_level_security(make_stage: Any) -> None:
    stage = await make_stage()
    assert await faults_of_row_security(stage.urls.owner, "reporting") == []


async def test_the_migrated_database_is_what_the_tables_declare(make_stage: Any) -> None:
    stage = await make_stage()
    engine = create_async_engine(stage.urls.owner.replace("postgresql://", "postgresql+asyncpg://"))

    def compare(connection: Any) -> list[Any]:
        options = {"include_object": lambda item, name, kind, reflected, other: not (reflected and other is None)}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()

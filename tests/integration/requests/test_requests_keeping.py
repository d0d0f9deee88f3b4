"""What is kept from whom: row-level security, the audit log, the schema, rates, keys."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from lianhu_kit.database import Database, enter_scope
from requests_service.app import create_app
from requests_service.settings import Settings
from requests_service.tables import metadata
from support import bearer, village
from support.requests_rig import Place, Rig

TENANT_TABLES = (
    "requests", "contacts", "steps", "holders", "grades", "contact_reads", "served_people", "households",
    "person_roles", "volunteers", "people",
)  # fmt: skip


async def test_no_scope_no_rows_and_a_pooled_connection_forgets_its_own(rig: Rig, place: Place) -> None:
    other = await rig.village()
    await rig.order(place)
    await rig.order(other)
    database = Database(rig.urls.api, application_name="isolation", pool_size=2)
    try:
        for scope, expected in ((place.code, {place.code}), ("", set()), (other.code, {other.code}), (None, set())):
            async with database.transaction() as session:
                if scope is not None:
                    await enter_scope(session, scope)
                connection = await session.connection()
                for table in ("requests", "contacts", "people"):
                    rows = await connection.exec_driver_sql(f"SELECT DISTINCT tenant FROM {table}")
                    assert set(rows.scalars()) == expected, (scope, table)
    finally:
        await database.close()


async def test_nothing_is_written_beyond_the_scope(rig: Rig, place: Place) -> None:
    api = await asyncpg.connect(rig.urls.api)
    try:
        for statement in (
            "INSERT INTO org_units VALUES ('{0}', 'village', 'x', '{{}}', 1)",
            "INSERT INTO people VALUES (gen_random_uuid(), '{0}', 'x', NULL, NULL, true, 0, now())",
            "INSERT INTO households VALUES (gen_random_uuid(), '{0}', NULL, NULL, NULL, NULL, 1)",
        ):
            transaction = api.transaction()
            await transaction.start()
            await api.execute("SELECT set_config('lianhu.scope', $1, true)", place.code)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await api.execute(statement.format(village()))
            await transaction.rollback()
    finally:
        await api.close()


async def test_every_table_has_forced_row_level_security(rig: Rig) -> None:
    rows = await rig.rows.fetch(
        """
        SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,
               (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) AS policies
        FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
          AND relname <> 'alembic_version' AND NOT relispartition
        """
    )
    assert set(TENANT_TABLES) <= {row["relname"] for row in rows}
    assert [row["relname"] for row in rows if not row["forced"] or not row["policies"]] == []


async def test_every_reading_of_contact_details_is_in_a_log_that_nobody_changes(rig: Rig, place: Place) -> None:
    slip = await rig.order(place)
    await rig.good("GET", f"/v1/requests/{slip['id']}/contact", rig.clerk(place))
    await rig.refused(403, "GET", f"/v1/requests/{slip['id']}/contact", bearer("supervisor", place.code))
    owner = await asyncpg.connect(rig.urls.owner)
    api = await asyncpg.connect(rig.urls.api)
    try:
        await api.execute("SELECT set_config('lianhu.scope', $1, false)", place.code)
        reads = await api.fetch("SELECT * FROM contact_reads WHERE request_id = $1", UUID(slip["id"]))
        assert [(row["person"], row["role"]) for row in reads] == [(place.clerk, "clerk")]
        for statement in ("DELETE FROM contact_reads", "UPDATE contact_reads SET role = 'x'", "TRUNCATE contact_reads"):
            for connection in (api, rig.rows):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
            with pytest.raises(asyncpg.RaiseError, match="audit log"):
                await owner.execute(statement)
    finally:
        await api.close()
        await owner.close()


async def test_the_worker_reads_no_contact_details(rig: Rig) -> None:
    for table in ("contacts", "contact_reads", "people"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rig.rows.fetch(f"SELECT * FROM {table}")


async def test_the_migrated_database_is_what_the_tables_declare(rig: Rig) -> None:
    engine = create_async_engine(rig.urls.owner.replace("postgresql://", "postgresql+asyncpg://"))

    def compare(connection: Any) -> list[Any]:
        options = {"include_object": lambda item, name, kind, reflected, other: not (reflected and other is None)}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


async def test_who_has_no_token_is_slowed_down(requests_settings: tuple[Settings, Settings, Any], place: Place) -> None:
    api, _, _ = requests_settings
    slow = api.model_copy(update={"orders_per_minute": 2, "tracks_per_minute": 1})
    app = create_app(slow)
    transport = httpx.ASGITransport(app)
    order = {"tenant": place.code, "service": "tap", "text": "漏水", "reach": "敲门"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://requests.test") as client,
    ):
        answers = [await client.post("/v1/requests", json=order) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert answers[2].headers["content-type"] == "application/problem+json"
        with_token = await client.post("/v1/requests", json=order, headers=bearer("volunteer", place.code))
        assert with_token.status_code == 201
        track = f"/v1/track/10000007?tenant={place.code}&code=AAAAAA"
        assert [(await client.get(track)).status_code for _ in range(2)] == [404, 429]


async def test_the_key_set_holds_public_halves_only(rig: Rig) -> None:
    [key] = (await rig.good("GET", "/auth/jwks.json"))["keys"]
    assert (key["kid"], key["alg"], key["use"]) == ("integration", "ES256", "sig")
    assert "d" not in key


def test_the_key_of_the_served_is_made_once(tmp_path: Path) -> None:
    from requests_service.handlers.fingerprints import fingerprint, served_key

    key = served_key(tmp_path / "keys")
    assert served_key(tmp_path / "keys") == key
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["served.key"]
    assert fingerprint(key, "441702008205", "a") != fingerprint(key, "441702008206", "a")

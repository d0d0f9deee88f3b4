"""Row-level security: every table of the kit is under it, and the walker that says so finds what is not."""

import asyncpg
import pytest

from integration.kit.station import Station
from support.catalogue import faults_of_row_security

FAULTS = [
    ("CREATE TABLE bare (tenant text)", "bare: row-level security is not enabled"),
    (
        "CREATE TABLE bare (tenant text); ALTER TABLE bare ENABLE ROW LEVEL SECURITY",
        "bare: row-level security is not forced",
    ),
    (
        "CREATE TABLE bare (tenant text); ALTER TABLE bare ENABLE ROW LEVEL SECURITY; "
        "ALTER TABLE bare FORCE ROW LEVEL SECURITY; CREATE POLICY a ON bare FOR SELECT TO kit_api USING (true); "
        "GRANT SELECT, UPDATE ON bare TO kit_api",
        "bare: kit_api was granted UPDATE without a policy",
    ),
    (
        "CREATE TABLE published_1999 PARTITION OF published FOR VALUES FROM ('1999-01-01') TO ('1999-01-02')",
        "published_1999: row-level security is not enabled",
    ),
    ("CREATE VIEW peek AS SELECT * FROM notes", "peek: a view that passes policies by"),
    ("GRANT SELECT ON notes TO PUBLIC", "notes: granted to everybody"),
]


async def test_every_table_of_the_kit_has_forced_row_level_security(station: Station) -> None:
    assert await faults_of_row_security(station.owner, "kit") == []


@pytest.mark.parametrize(("change", "fault"), FAULTS)
async def test_the_walker_finds_what_escapes(station: Station, change: str, fault: str) -> None:
    connection = await asyncpg.connect(station.owner)
    undo = [
        "DROP TABLE IF EXISTS bare",
        "DROP TABLE IF EXISTS published_1999",
        "DROP VIEW IF EXISTS peek",
        "REVOKE ALL ON notes FROM PUBLIC",
    ]
    try:
        await connection.execute(change)
        found = await faults_of_row_security(station.owner, "kit")
        assert [each for each in found if each.startswith(fault)], found
    finally:
        for statement in undo:
            await connection.execute(statement)
        await connection.close()

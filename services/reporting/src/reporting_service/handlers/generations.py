"""Which generation counts: live batches ask at their begin, a rebuild swaps while they wait."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.logs import logger
from lianhu_kit.statements import Statements
from reporting_service.domain.rules import FILLING, RULES

_log = logger(__name__)

# Live batches share this lock and a swap takes it alone, so that no batch is between two generations.
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtext('lianhu reporting generation'))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('lianhu reporting generation'))")
_ACTIVE = text("SELECT generation, rules, zone FROM generations WHERE state = 'active'")
# The first batch ever decides by which rules and zone the first generation counts.
_BEGIN = text("UPDATE generations SET rules = :rules, zone = :zone WHERE state = 'active' AND rules IS NULL")
_OPEN = text(
    """
    INSERT INTO generations (generation, state, rules, zone)
    SELECT max(generation) + 1, 'building', :rules, :zone FROM generations RETURNING generation
    """
)
_RETIRE = text("UPDATE generations SET state = 'old' WHERE state = 'active' RETURNING generation")
_PROMOTE = text("UPDATE generations SET state = 'active' WHERE generation = :generation AND state = 'building'")
_LEFT_OVER = text("SELECT generation FROM generations WHERE state <> 'active' ORDER BY generation")
_FORGET = text("DELETE FROM generations WHERE generation = :generation")
# Not what operators decided and dropped: it holds for every generation.
TABLES = (
    "facts", "tallies", "span_tallies", "volunteer_tallies", "org_units", "services", "people",
    "positions", "inbox", "waiting", "parked", "offsets",
)  # fmt: skip
_CHUNK = {
    table: text(
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("
        f"SELECT ctid FROM {table} WHERE generation = :generation LIMIT 5000))"
    )
    for table in TABLES
}


class Books(NamedTuple):
    """The generation that a transaction writes, and the zone its days are counted in."""

    generation: int
    zone: ZoneInfo


class RebuildNeeded(ConnectionError):
    """The tallies were counted by other rules than this program's; batches wait until a replay has run."""


async def live_books(session: Statements, zone: ZoneInfo) -> Books:
    """The active generation, held for this transaction; `zone` is for the very first batch.

    A later change of the zone's setting takes effect with the next replay, as days already counted stay.
    RebuildNeeded where the active generation was counted by other rules: it is transient, nothing is lost.
    """
    await session.execute(_SHARE)
    row = (await session.execute(_ACTIVE)).one()
    if row.rules is None:
        await session.execute(_BEGIN, {"rules": RULES, "zone": zone.key})
        row = (await session.execute(_ACTIVE)).one()
    if row.rules not in (FILLING, RULES):
        _log.error("tallies were counted by other rules: run `make replay s=reporting`", found=row.rules, needed=RULES)
        raise RebuildNeeded(f"run the replay: generation {row.generation} has rules {row.rules}, not {RULES}")
    return Books(row.generation, ZoneInfo(row.zone))


async def open_generation(session: AsyncSession, zone: ZoneInfo) -> Books:
    """Begins a generation beside the active one."""
    generation = (await session.execute(_OPEN, {"rules": RULES, "zone": zone.key})).scalar_one()
    return Books(generation, zone)


async def stop_the_live(session: AsyncSession) -> int:
    """Waits for live batches to end and keeps new ones waiting until this transaction ends; the active generation."""
    await session.execute(_ALONE)
    generation: int = (await session.execute(_ACTIVE)).one().generation
    return generation


async def swap(session: AsyncSession, generation: int) -> None:
    """Makes a generation the active one; who reads in a transaction goes on with the one it began with."""
    await session.execute(_RETIRE)
    await session.execute(_PROMOTE, {"generation": generation})


async def left_over(session: AsyncSession) -> list[int]:
    """Generations that nobody reads: retired ones, and those of rebuilds that did not end."""
    return list((await session.execute(_LEFT_OVER)).scalars())


async def delete_some(session: AsyncSession, generation: int) -> int:
    """Deletes up to 5,000 rows of each table of a generation, at last the generation; how many rows there were."""
    deleted = 0
    for statement in _CHUNK.values():
        deleted += (await session.execute(statement, {"generation": generation})).rowcount  # type: ignore[attr-defined]
    if not deleted:
        await session.execute(_FORGET, {"generation": generation})
    return deleted


async def row_sums(session: AsyncSession, generation: int) -> list[tuple[int, int, int]]:
    """Of each table that counts, in one order: its rows, and two sums over their hashes, for its checksum.

    Summed up by the server: live batches wait meanwhile, and a million events leave millions of rows.
    """
    return [
        (row.rows, int(row.low), int(row.high))
        for statement in _SUMMED
        for row in await session.execute(statement, {"generation": generation})
    ]


# Without `counted_at`, which tells when this database first counted, and without sums that came back to zero.
_SUMMED = tuple(
    text(
        f"""
        SELECT count(*) AS rows, coalesce(sum(hashtextextended(line, 0)), 0) AS low,
               coalesce(sum(hashtextextended(line, 1)), 0) AS high
        FROM (SELECT ROW({columns})::text AS line FROM {table} WHERE generation = :generation{counting}) AS lines
        """
    )
    for table, columns, counting in (
        (
            "facts",
            "request_id, tenant, grid, service, number, status, submitted_at, submitted_on, served_id, served_on, "
            "resident, reporter, holders, helpers, assignment, assignment_at, overdue_from, was_overdue, halves",
            "",
        ),
        ("tallies", "basis, tenant, day, service, grid, measure, value", " AND value <> 0"),
        ("span_tallies", "basis, month, tenant, service, measure, value", " AND value <> 0"),
        ("volunteer_tallies", "basis, tenant, day, service, grid, person, measure, value", " AND value <> 0"),
    )
)

"""A list held against the directory: what is new, changed, the same, and what is wrong, line by line."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database, enter_scope
from requests_service.domain.rolls import Draft, draft_of, mark_twice
from requests_service.domain.sheets import rows_of
from requests_service.handlers.importing.reading import read_table
from requests_service.handlers.importing.registers import as_json
from requests_service.handlers.importing.work import CHUNK, Work

STATUSES = ("new", "changed", "same", "wrong")
_CONTENT = text("SELECT content FROM import_files WHERE import = :id")
_CLEAR = text("DELETE FROM import_lines WHERE import = :id")
_LINES = text(
    """
    INSERT INTO import_lines (import, line, tenant, status, key, faults, before, after)
    SELECT :id, line, tenant, status, key, faults, before, after
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (line integer, tenant text, status text, key text, faults jsonb, before jsonb, after jsonb)
    """
)
_COUNTS = text("UPDATE imports SET lines = :lines, total = :lines, counts = CAST(:counts AS jsonb) WHERE id = :id")


def _drafts(content: bytes, kind: str, at: str) -> list[Draft]:
    return [draft_of(kind, row, at) for row in rows_of(kind, read_table(content))]


async def check(database: Database, work: Work) -> None:
    """Reads the file beside the event loop, looks its lines up and keeps what would change; one transaction.

    Raises Unreadable for a file that is no list of this kind.
    """
    async with database.transaction() as session:
        await enter_scope(session, work.at, work.by)
        content: bytes = (await session.execute(_CONTENT, {"id": work.id})).scalar_one()
    drafts = await asyncio.to_thread(_drafts, content, work.kind, work.at)
    del content
    work.total = len(drafts)
    register = work.register(drafts)
    async with database.transaction() as session:
        await enter_scope(session, work.at, work.by)
        for begin in range(0, len(drafts), CHUNK):
            good = [draft for draft in drafts[begin : begin + CHUNK] if not draft.faults]
            if good:
                await register.place(session, good)
            work.done = min(begin + CHUNK, len(drafts))
        mark_twice(drafts)
        await _keep(session, work, drafts)
        await work.finish(session)


async def _keep(session: AsyncSession, work: Work, drafts: Sequence[Draft]) -> None:
    """What does not change is counted and not kept; of a wrong line nothing is kept but its faults."""
    await session.execute(_CLEAR, {"id": work.id})
    kept = [draft for draft in drafts if draft.status != "same"]
    for begin in range(0, len(kept), CHUNK):
        rows = [_row(draft, work.at[:12]) for draft in kept[begin : begin + CHUNK]]
        await session.execute(_LINES, {"id": work.id, "rows": as_json(rows)})
    found = Counter(draft.status for draft in drafts)
    counts = {status: found[status] for status in STATUSES}
    await session.execute(_COUNTS, {"id": work.id, "lines": len(drafts), "counts": as_json(counts)})


def _row(draft: Draft, place: str) -> dict[str, object]:
    if draft.faults:
        faults = [fault.stored() for fault in draft.faults]
        return {"line": draft.line, "tenant": place, "status": "wrong", "key": "", "faults": faults}
    tenant = draft.tenant if draft.tenant.startswith(place) else place
    return {
        "line": draft.line, "tenant": tenant, "status": draft.status, "key": draft.key, "faults": [],
        "before": draft.before, "after": draft.after,
    }  # fmt: skip

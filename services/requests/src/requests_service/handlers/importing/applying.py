"""A checked list becomes the directory's: all of its good lines in one transaction, or none; and back again."""

from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database, enter_scope
from lianhu_kit.problems import Problem
from requests_service.handlers.importing.work import CHUNK, InTheWay, MovedOn, Work

MOST_OBSTACLES = 100
_TOTAL = text("SELECT count(*) FROM import_lines WHERE import = :id AND status IN ('new', 'changed', 'erased')")
_NEXT = text(
    """
    SELECT line, status, key, before, after FROM import_lines
    WHERE import = :id AND status IN ('new', 'changed', 'erased') AND key > :key ORDER BY key LIMIT :chunk
    """
)
# Downwards, so that a group goes before its grid, and a grid before its village.
_LAST = text(
    """
    SELECT line, status, key, before, after FROM import_lines
    WHERE import = :id AND status IN ('new', 'changed', 'erased') AND key < :key ORDER BY key DESC LIMIT :chunk
    """
)
_NO_FILE = text("DELETE FROM import_files WHERE import = :id")


async def apply(database: Database, work: Work) -> None:
    """Writes what is new and changed, in the order of keys, so that two writers never wait crosswise.

    Raises MovedOn where a record is no longer as the list was checked against: what people looked at is what happens.
    """
    async with database.transaction() as session:
        await _begin(session, work)
        register = work.register()
        key = ""
        while rows := (await session.execute(_NEXT, {"id": work.id, "key": key, "chunk": CHUNK})).all():
            there = await register.current(session, [row.key for row in rows], lock=True)
            if any(row.status == "erased" or there.get(row.key) != row.before for row in rows):
                raise MovedOn
            try:
                await register.write(session, {row.key: row.after for row in rows})
            except Problem:
                raise MovedOn from None  # a village that went, an id or a code that somebody took
            key = rows[-1].key
            work.done += len(rows)
        await register.finish(session)
        await session.execute(_NO_FILE, {"id": work.id})
        await work.finish(session)


async def undo(database: Database, work: Work) -> None:
    """Puts everything back as it was, while nothing of it was changed since; raises InTheWay with what was."""
    async with database.transaction() as session:
        await _begin(session, work)
        register = work.register()
        key = "\U0010ffff"
        obstacles: list[dict[str, Any]] = []
        while rows := (await session.execute(_LAST, {"id": work.id, "key": key, "chunk": CHUNK})).all():
            there = await register.current(session, [row.key for row in rows], lock=True)
            made = [row.key for row in rows if row.status == "new"]
            used = await register.in_use(session, made) if made else set()
            for row in rows:
                code = (
                    "erased" if row.status == "erased"
                    else "changed-since" if there.get(row.key) != row.after
                    else "in-use" if row.key in used else ""
                )  # fmt: skip
                if code:
                    obstacles.append({"line": row.line, "code": code})
            if not obstacles:
                back = {row.key: row.before for row in rows if row.status == "changed"}
                if back:
                    await register.write(session, back)
                if made:
                    await register.remove(session, made)
            key = rows[-1].key
            work.done += len(rows)
        if obstacles:
            raise InTheWay(obstacles[:MOST_OBSTACLES])
        await register.finish(session)
        await work.finish(session)


async def _begin(session: AsyncSession, work: Work) -> None:
    await enter_scope(session, work.at, work.by)
    work.done = 0
    work.total = (await session.execute(_TOTAL, {"id": work.id})).scalar_one()

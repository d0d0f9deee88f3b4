"""Imports as their admins see them: how far, what would change, what is wrong."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.tables import Import, ImportLine


async def import_of(session: AsyncSession, wanted: UUID, *, lock: bool = False) -> Import | None:
    """An import in the scope; locked against others who would begin a step of it."""
    query = select(Import).where(Import.id == wanted)
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def imports_under(session: AsyncSession, at: str, before: UUID | None, limit: int) -> list[Import]:
    """The imports made under a code, the newest first; those before an id where one is given."""
    query = select(Import).where(Import.at >= at, Import.at < at + ":")
    if before is not None:
        query = query.where(Import.id < before)
    return list(await session.exec(query.order_by(col(Import.id).desc()).limit(limit)))


async def lines_of(
    session: AsyncSession, wanted: UUID, status: str | None, after: int | None, limit: int
) -> list[ImportLine]:
    """The lines of an import that are new, changed or wrong, in the order of the list."""
    query = select(ImportLine).where(ImportLine.import_ == wanted)
    if status is not None:
        query = query.where(ImportLine.status == status)
    if after is not None:
        query = query.where(ImportLine.line > after)
    return list(await session.exec(query.order_by(col(ImportLine.line)).limit(limit)))

"""Erasing a person: their record and the words of their orders go, ids and counts stay."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.problems import Conflict
from requests_service.handlers.people import announce

# What stands in the place of a name from then on.
ERASED = "注销"
_ERASE = text("SELECT open_orders, held, emptied FROM erase_person(:who, :called)")
_MAIL = text("UPDATE people SET mail = NULL WHERE id = :who")
_FORGET = text("SELECT forget_imported(:who)")


async def erase(session: AsyncSession, who: UUID) -> int:
    """Empties everything that tells who somebody was; answers how many of their orders were emptied.

    Orders for themselves count, in whatever village; those that they placed for others are the others'. Conflict while
    an order of theirs is open or they hold work: what is under way keeps its record. Copies in other services follow
    by the directory topic, whose compaction ends the earlier ones.
    """
    row = (await session.execute(_ERASE, {"who": who, "called": ERASED})).one()
    if row.open_orders or row.held:
        raise Conflict(
            "still-open",
            "Something of theirs is under way. Close or withdraw their orders, have their work released, then repeat.",
            open_orders=row.open_orders,
            held=row.held,
        )
    await session.execute(_MAIL, {"who": who})
    await session.execute(_FORGET, {"who": who})
    await announce(session, [who])
    emptied: int = row.emptied
    return emptied

"""Requests about staff or volunteers, which nobody of the village sees: who looks past that, and says so."""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

SHOWN = "SELECT set_config('lianhu.unseen', 'shown', true)"
_SHOWN = text(SHOWN)


async def show_unseen(session: AsyncSession) -> None:
    """For the rest of the transaction: whoever has the tracking code, and counts without names, see these too."""
    await session.execute(_SHOWN)

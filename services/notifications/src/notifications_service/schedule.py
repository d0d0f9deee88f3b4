"""The door for timers: what is due, and what happens then."""

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.timers import Timer, TimerHandler
from notifications_service.handlers.calls import WRONG_NUMBER, tell_wrong_number
from notifications_service.handlers.voice import Voice


def timers(voice: Voice) -> dict[str, TimerHandler]:
    """Timer kind → its handler."""

    async def wrong_number(session: AsyncSession, timer: Timer) -> None:
        await tell_wrong_number(session, voice, timer)

    return {WRONG_NUMBER: wrong_number}

"""What the routes of this service share: the village's time zone, rate limits, keys."""

import time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from lianhu_kit.problems import TooMany


async def _zone(request: Request) -> ZoneInfo:  # async, as a thread would cost more than it does
    return ZoneInfo(request.app.state.settings.timezone)


Zone = Annotated[ZoneInfo, Depends(_zone)]


class Rates:
    """How often an address may do what needs no token; counted in this process."""

    def __init__(self, orders_per_minute: int, tracks_per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._items = {
            "orders": RateLimitItemPerMinute(orders_per_minute),
            "tracks": RateLimitItemPerMinute(tracks_per_minute),
        }

    async def hit(self, what: str, address: str) -> None:
        """Counts one; TooMany says when there is room again."""
        item = self._items[what]
        if not await self._limiter.hit(item, what, address):
            window = await self._limiter.get_window_stats(item, what, address)
            raise TooMany("Too often from this address. Wait a moment.", max(1, round(window.reset_time - time.time())))


def address_of(request: Request) -> str:
    """Where a call comes from."""
    return request.client.host if request.client else "unknown"

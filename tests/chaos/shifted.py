"""A program: a service on a machine whose clock jumps by over an hour, first ahead, then behind.

What Python's own clocks tell in this process is shifted; the database's and the broker's clocks stay.
"""

import datetime
import os
import time

from chaos.wrapped import become

HOUR = 3900.0  # and five minutes, so that it is past every bound of one hour
RIGHT_SECONDS = 4.0
WRONG_SECONDS = 10.0
_real, _real_ns, _began = time.time, time.time_ns, time.monotonic()


def shift(elapsed: float, first: float) -> float:
    """How far the clock is off so long after the start: right, then `first`, then as much the other way."""
    if elapsed < RIGHT_SECONDS:
        return 0.0
    return first if elapsed < RIGHT_SECONDS + WRONG_SECONDS else -first


class Shifted(datetime.datetime):
    """A datetime whose now is the shifted clock's."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "Shifted":
        """Now, as this machine believes."""
        return cls.fromtimestamp(time.time(), tz)


def plant(first: float) -> None:
    """Shifts the clocks of this process: `time`'s, and the datetime of those who ask it for now."""
    import jwt.api_jwt

    from lianhu_kit import tokens

    def off() -> float:
        return shift(time.monotonic() - _began, first)

    time.time = lambda: _real() + off()
    time.time_ns = lambda: _real_ns() + int(off() * 1e9)
    for module in (jwt.api_jwt, tokens):
        vars(module)["datetime"] = Shifted


if __name__ == "__main__":
    plant(float(os.environ["CHAOS_FIRST"]))
    become()

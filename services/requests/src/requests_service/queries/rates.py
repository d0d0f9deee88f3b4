"""Rate limits that hold for all replicas together: the generic cell rate algorithm, one upsert a call.

A caller's row says until when their allowance of a minute is used up (`full_until`, ITU-T I.371's theoretical arrival
time): each call moves it by 60 s / limit; who would move it more than 60 s ahead is refused. So `limit` calls may come
at once, and then one every 60 s / limit. By the database's clock, which all replicas share.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

SPAN = 60.0
_CALL = text(
    """
    INSERT INTO rates AS r (what, caller, full_until)
    VALUES (:what, :caller, clock_timestamp() + :step * interval '1 second')
    ON CONFLICT (what, caller) DO UPDATE
    SET full_until = greatest(r.full_until, clock_timestamp()) + :step * interval '1 second'
    WHERE greatest(r.full_until, clock_timestamp()) + :step * interval '1 second'
        <= clock_timestamp() + :span * interval '1 second'
    RETURNING 1
    """
)
_WAIT = text(
    """
    SELECT extract(epoch FROM full_until - clock_timestamp()) + :step - :span FROM rates
    WHERE what = :what AND caller = :caller
    """
)
_FORGET = text("DELETE FROM rates WHERE full_until < clock_timestamp() - interval '1 minute'")


async def hit(engine: AsyncEngine, what: str, caller: bytes, limit: int) -> float | None:
    """Counts a call; None where it is within the limit, else the seconds until there is room again.

    Outside of the call's transaction, and committed at once: what fails later counts all the same.
    """
    named = {"what": what, "caller": caller, "step": SPAN / limit, "span": SPAN}
    async with engine.connect() as connection:
        own = await connection.execution_options(isolation_level="AUTOCOMMIT")
        if (await own.execute(_CALL, named)).first() is not None:
            return None
        wait = (await own.execute(_WAIT, named)).scalar_one_or_none()
        return float(wait) if wait is not None else 0.0


async def forget(engine: AsyncEngine) -> None:
    """Deletes the rows of callers whose allowance is whole again."""
    async with engine.connect() as connection:
        own = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await own.execute(_FORGET)

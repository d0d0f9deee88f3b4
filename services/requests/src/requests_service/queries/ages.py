"""How many requests are not over, by status, and since when the oldest of each was placed."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import enter_scope
from requests_service.domain.statuses import OPEN, Status

UNFINISHED = tuple(sorted({*OPEN, Status.COMPLETED}))
# The first digits of division codes (GB/T 2260 uses 1 to 8): the widest scopes that there are.
_REGIONS = "123456789"
# The statuses stand in the text, so that the planner sees the partial index.
_AGES = text(
    "SELECT status, count(*) AS requests, min(submitted_at) AS oldest FROM requests "
    f"WHERE status IN ({', '.join(f'{status.value!r}' for status in UNFINISHED)}) GROUP BY status"
)


async def ages(session: AsyncSession) -> tuple[datetime, dict[Status, tuple[int, datetime | None]]]:
    """The database's clock and, for every status that is not the end, how many and since when; of all villages.

    For the worker: it enters every region in turn, and leaves the transaction in the last.
    """
    found: dict[Status, tuple[int, datetime | None]] = dict.fromkeys(UNFINISHED, (0, None))
    for region in _REGIONS:
        clock = await enter_scope(session, region)
        for row in await session.execute(_AGES):
            count, oldest = found[status := Status(row.status)]
            found[status] = (count + row.requests, min(oldest or row.oldest, row.oldest))
    return clock, found

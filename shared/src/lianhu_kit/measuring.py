"""What a worker reads from its database at a steady pace, so that a scrape costs the database nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics
from lianhu_kit.database import Database, is_transient
from lianhu_kit.logs import logger
from lianhu_kit.pausing import pause

MEASURE_SECONDS = 5.0
OWN_SECONDS = 30.0
Measure = Callable[[AsyncSession], Awaitable[None]]
_log = logger(__name__)
# Each is a small table or the first entries of an index; for an index the clock is read once, not for each row.
_GAUGES = text(
    """
    SELECT outbox.*, parked.*, waiting.*, late.*
    FROM (SELECT count(*) FILTER (WHERE refused IS NULL) AS depth, count(refused) AS refused,
                 extract(epoch FROM clock_timestamp() - min(time) FILTER (WHERE refused IS NULL)) AS age
          FROM outbox) AS outbox,
         (SELECT count(*) AS parked, extract(epoch FROM clock_timestamp() - min(parked_at)) AS parked_age
          FROM parked) AS parked,
         (SELECT count(*) AS waiting, extract(epoch FROM clock_timestamp() - min(since)) AS waiting_age
          FROM waiting) AS waiting,
         (SELECT count(*) FILTER (WHERE due_at < clock_timestamp() - interval '10 seconds') AS overdue,
                 extract(epoch FROM clock_timestamp() - min(due_at)) AS late
          FROM timers WHERE due_at < (SELECT clock_timestamp())) AS late
    """
)


class Measuring:
    """Keeps the gauges of a service: its books every 5 s, and what it counts of its own every 30 s."""

    def __init__(self, service: str, database: Database, own: Sequence[Measure] = ()) -> None:
        self._service = service
        self._database = database
        self._own = own

    async def run(self, stop: asyncio.Event) -> None:
        """Measures until told to stop; a database that is away leaves the figures as they were."""
        rounds = 0
        while not stop.is_set():
            try:
                await self.books()
                if rounds % round(OWN_SECONDS / MEASURE_SECONDS) == 0:
                    await self.own()
                rounds += 1
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("gauges wait", error=type(error).__name__)
            await pause(stop, MEASURE_SECONDS)

    async def books(self) -> None:
        """Outbox, parked, waiting and timers."""
        async with self._database.transaction() as session:
            row = (await session.execute(_GAUGES)).one()
        for gauge, value in (
            (metrics.OUTBOX_DEPTH, row.depth),
            (metrics.OUTBOX_AGE, row.age),
            (metrics.OUTBOX_REFUSED, row.refused),
            (metrics.PARKED, row.parked),
            (metrics.PARKED_AGE, row.parked_age),
            (metrics.WAITING, row.waiting),
            (metrics.WAITING_AGE, row.waiting_age),
            (metrics.TIMERS_OVERDUE, row.overdue),
            (metrics.TIMERS_LATE, row.late),
        ):
            gauge.labels(self._service).set(float(value or 0))
        metrics.MEASURED.labels(self._service).set_to_current_time()

    async def own(self) -> None:
        """What the service measures of its own, each in a transaction of its own."""
        for measure in self._own:
            async with self._database.transaction() as session:
                await measure(session)

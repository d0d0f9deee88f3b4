"""What a service forgets by age: the days are settings (`keep_…_days`), the rules are here, the job keeps them.

An inbox row must outlast everything that the broker can deliver again, else an event could be applied twice. Only
events without a sequence are remembered there; they come over topics that outsiders write, whose retention ends.
`positions` deduplicate all others and are kept for ever, as those topics are.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from lianhu_kit import metrics
from lianhu_kit.database import Database, is_transient
from lianhu_kit.logs import logger
from lianhu_kit.pausing import pause
from lianhu_kit.settings import ServiceSettings

EVERY_SECONDS = 3600.0
CHUNK = 1000
# Rows of one table that a round forgets at most: what is left over is the next round's.
MOST = 500_000
REST_SECONDS = 0.02
DAYS_AHEAD = 7
_log = logger(__name__)

# Waited for, not tried: two workers that started together would else keep getting in each other's way.
_MINE = text("SELECT pg_advisory_xact_lock(hashtext('lianhu retention'))")
_AHEAD = text(f"SELECT lianhu_partitions({DAYS_AHEAD})")
_DROP = text("SELECT lianhu_drop_published(:days)")


@dataclass(frozen=True)
class Rule:
    """Rows of a table that are forgotten when `column` lies more than `days_of` (a setting) days back."""

    table: str
    column: str
    days_of: str

    @property
    def chunk(self) -> TextClause:
        """Forgets the oldest rows, a bounded number of them, by the index over the age; the clock is read once."""
        return text(
            f"DELETE FROM {self.table} WHERE ctid = ANY(ARRAY("
            f"SELECT ctid FROM {self.table} "
            f"WHERE {self.column} < (SELECT clock_timestamp() - make_interval(days => :days)) "
            f"ORDER BY {self.column} LIMIT :chunk))"
        )


RULES = (
    # Its days are dropped whole, by lianhu_drop_published; here is what came while no partition was there.
    Rule("published_other", "published_at", "keep_published_days"),
    Rule("inbox", "received_at", "keep_inbox_days"),
    Rule("idempotency_keys", "created_at", "keep_keys_days"),
)


class Retention:
    """Makes the coming days' partitions and forgets what is old enough; of several workers one at a time does."""

    def __init__(self, settings: ServiceSettings, database: Database) -> None:
        self._settings = settings
        self._database = database

    async def run(self, stop: asyncio.Event) -> None:
        """Once at the start and then every hour, until told to stop; what failed is tried again after a minute."""
        while not stop.is_set():
            rest = EVERY_SECONDS
            try:
                forgotten = await self.round(stop)
                if any(forgotten.values()):
                    _log.info("old rows forgotten", **forgotten)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("retention waits", error=type(error).__name__)
                rest = 60.0
            await pause(stop, rest)

    async def round(self, stop: asyncio.Event | None = None) -> dict[str, int]:
        """One round: how many partitions (`published`) and rows of each table were forgotten.

        Every step is a transaction of its own, one worker's at a time; it ends early where a stop was asked for.
        """
        stop = stop or asyncio.Event()
        forgotten: dict[str, int] = {}
        async with self._database.transaction() as session:
            await session.execute(_AHEAD)
        if days := self._settings.keep_published_days:
            while not stop.is_set() and await self._drop(days):
                forgotten["published"] = forgotten.get("published", 0) + 1
        for rule in RULES:
            days = getattr(self._settings, rule.days_of)
            while days and not stop.is_set():
                gone = await self._forget(rule, days)
                forgotten[rule.table] = forgotten.get(rule.table, 0) + gone
                if gone < CHUNK or forgotten[rule.table] >= MOST:
                    break
                await pause(stop, REST_SECONDS)
        for table, rows in forgotten.items():
            metrics.FORGOTTEN.labels(self._settings.service, table).inc(rows)
        return forgotten

    async def _drop(self, days: int) -> bool:
        """Drops the oldest day that is old enough; whether there was one."""
        async with self._database.transaction() as session:
            await session.execute(_MINE)
            name: str | None = (await session.execute(_DROP, {"days": days})).scalar_one()
        if name is not None:
            _log.info("published events dropped", partition=name, days=days)
        return name is not None

    async def _forget(self, rule: Rule, days: int) -> int:
        async with self._database.transaction() as session:
            await session.execute(_MINE)
            gone = await session.execute(rule.chunk, {"days": days, "chunk": CHUNK})
            return int(gone.rowcount)  # type: ignore[attr-defined]

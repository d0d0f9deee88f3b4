"""Sums of months and of all time for what a release without them counted: made from the days, village by village."""

from __future__ import annotations

import asyncio
from datetime import date

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database, is_transient
from lianhu_kit.logs import logger
from lianhu_kit.pausing import pause
from reporting_service.domain.contribution import BASES
from reporting_service.domain.rules import DAYS_ALONE, FILLING, RULES
from reporting_service.handlers.generations import stop_the_live

PAUSE_SECONDS = 1.0
_log = logger(__name__)

_RULES = text("SELECT rules FROM generations WHERE state = 'active'")
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtext('lianhu reporting filling'))")
_MOVE_ON = text("UPDATE generations SET rules = :after WHERE generation = :generation AND rules = :before")
_NEXT = text("SELECT min(tenant) FROM tallies WHERE generation = :generation AND basis = :basis AND tenant > :after")
_EMPTY = text("DELETE FROM span_tallies WHERE generation = :generation AND basis = :basis AND tenant = :tenant")
_DAYS = text(
    """
    SELECT min(day) AS first, max(day) AS last FROM tallies
    WHERE generation = :generation AND basis = :basis AND tenant = :tenant
    """
)
_MONTHS = text(
    """
    INSERT INTO span_tallies (generation, basis, month, tenant, service, measure, value)
    SELECT generation, basis, date_trunc('month', day::timestamp)::date, tenant, service, measure, sum(value)
    FROM tallies
    WHERE generation = :generation AND basis = :basis AND tenant = :tenant AND day >= :first AND day < :after
    GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(value) <> 0
    """
)
_ALL_TIME = text(
    """
    INSERT INTO span_tallies (generation, basis, month, tenant, service, measure, value)
    SELECT generation, basis, date '-infinity', tenant, service, measure, sum(value) FROM span_tallies
    WHERE generation = :generation AND basis = :basis AND tenant = :tenant
    GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(value) <> 0
    """
)


async def fill(database: Database, stop: asyncio.Event) -> None:
    """Fills what is missing, and ends; where several workers run, one of them does it.

    From its first step on, workers of the release before count no more (they say that a rebuild is needed, and wait):
    they would move the days alone. Each village takes one transaction, in which batches wait; after it they move its
    sums like all others. Ended midway it begins anew. Readers read days until all is there.
    """
    filled = _Filling()
    while not stop.is_set():
        try:
            async with database.transaction() as session:
                if not await filled.step(session):
                    return
        except Exception as error:
            if not is_transient(error):
                raise
            await pause(stop, PAUSE_SECONDS)
        if filled.waits:
            await pause(stop, PAUSE_SECONDS)


class _Filling:
    """How far one worker is."""

    def __init__(self) -> None:
        self.waits = False
        self._generation = 0
        self._after = ""
        self._villages = 0

    async def step(self, session: AsyncSession) -> bool:
        """The next village's sums, in a transaction of its own; False when nothing is left to do."""
        if (await session.execute(_RULES)).scalar_one() not in (DAYS_ALONE, FILLING):
            return False
        self.waits = not (await session.execute(_TURN)).scalar_one()
        if self.waits:
            return True
        generation = await stop_the_live(session)
        rules = (await session.execute(_RULES)).scalar_one()
        if generation != self._generation:
            self._generation, self._after = generation, ""
        if rules == DAYS_ALONE:
            await session.execute(_MOVE_ON, {"generation": generation, "before": rules, "after": FILLING})
            _log.info("sums of months and of all time are being made", generation=generation)
            return True
        if rules != FILLING:
            return False
        values = {"generation": generation, "basis": BASES[0], "after": self._after}
        tenant = (await session.execute(_NEXT, values)).scalar_one()
        if tenant is None:
            await session.execute(_MOVE_ON, {"generation": generation, "before": rules, "after": RULES})
            _log.info("sums of months and of all time are made", generation=generation, villages=self._villages)
            return False
        for basis in BASES:
            values = {"generation": generation, "basis": basis, "tenant": tenant}
            await session.execute(_EMPTY, values)
            days = (await session.execute(_DAYS, values)).one()
            # By the year: a statement of a big village's every day would take longer than one may.
            for year in range(days.first.year, days.last.year + 1) if days.first else ():
                await session.execute(_MONTHS, {**values, "first": date(year, 1, 1), "after": date(year + 1, 1, 1)})
            await session.execute(_ALL_TIME, values)
        self._after = tenant
        self._villages += 1
        return True

"""Timers are rows: armed and ended in the same transactions as what they stand for, by the database's clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics
from lianhu_kit.context import caused_by, current_cause
from lianhu_kit.database import Database, enter_scope, is_transient
from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.outbox import TOLD
from lianhu_kit.pausing import Backoff, pause

LEASE_SECONDS = 30
_FIRING = "lianhu.firing"
_log = logger(__name__)

ARM = text(
    """
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    VALUES (:aggregate, :kind, :tenant, :due_at, :version, :traceparent, :cause)
    ON CONFLICT (aggregate, kind) DO UPDATE SET due_at = excluded.due_at, version = excluded.version, lease = NULL,
        lease_until = NULL, attempts = 0, traceparent = excluded.traceparent, causationid = excluded.causationid
    """
)
_DISARM = text(
    """
    DELETE FROM timers WHERE aggregate = :aggregate
      AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY(CAST(:kinds AS text[])))
      AND (CAST(:own AS uuid) IS NULL OR kind <> :firing OR lease IS DISTINCT FROM CAST(:own AS uuid))
    """
)
# The lease doubles with every attempt, so that a failing timer does not keep its worker from the others. The clock is
# read once, in a SELECT of its own: compared with a function that may change its mind from row to row, every timer that
# is not due would be read too. By ctid, since the rows are locked: any plan for it reads just these.
_TAKE = text(
    """
    UPDATE timers SET lease = :lease, attempts = attempts + 1,
        lease_until = clock_timestamp() + make_interval(secs => least(:seconds * power(2, least(attempts, 5)), 900))
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM timers
        WHERE due_at <= (SELECT clock_timestamp()) AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED))
    RETURNING aggregate, kind, tenant, due_at, version, traceparent, causationid
    """
)
_END = text("DELETE FROM timers WHERE aggregate = :aggregate AND kind = :kind AND lease = :lease")
_NEXT = text(
    """
    SELECT extract(epoch FROM due_at - clock_timestamp()) FROM timers
    WHERE lease_until IS NULL OR lease_until < clock_timestamp() ORDER BY due_at LIMIT 1
    """
)


@dataclass(frozen=True)
class Timer:
    """What is due: the kind, the aggregate and its village, since when, and the version that armed it."""

    kind: str
    aggregate: UUID
    tenant: str
    due_at: datetime
    version: int


TimerHandler = Callable[[AsyncSession, Timer], Awaitable[None]]


class TimerLost(Exception):
    """Somebody else ended or moved the timer first: the whole effect is rolled back."""


@dataclass
class _Firing:
    """The timer at work in a transaction: re-arming it waits until it is surely ours to end."""

    aggregate: UUID
    kind: str
    lease: UUID
    again: dict[str, object] | None = None


async def arm(
    session: AsyncSession, kind: str, aggregate: UUID, due_at: datetime, *, tenant: str, version: int = 0
) -> None:
    """Sets the aggregate's timer of this kind, in place of an earlier one. Lock the aggregate first.

    What it brings is caused by the event recorded last for the same cause, if there was one: that armed it.
    """
    cause = current_cause()
    caused, told = session.info.get(TOLD, ("", ""))
    values: dict[str, object] = {
        "aggregate": aggregate, "kind": kind, "tenant": tenant, "due_at": due_at, "version": version,
        "traceparent": cause.traceparent, "cause": told if caused == cause.id else cause.id,
    }  # fmt: skip
    firing: _Firing | None = session.info.get(_FIRING)
    if firing is not None and (firing.aggregate, firing.kind) == (aggregate, kind):
        firing.again = values
        return
    await session.execute(ARM, values)


async def disarm(session: AsyncSession, aggregate: UUID, *kinds: str) -> None:
    """Ends the aggregate's timers of these kinds; of all kinds where none is named. Lock the aggregate first."""
    firing: _Firing | None = session.info.get(_FIRING)
    if firing is not None and firing.aggregate == aggregate and (not kinds or firing.kind in kinds):
        firing.again = None
    # The firing timer's own row is ended by whoever fires it; a batch's other timers share its lease, not its kind.
    own, kind = (firing.lease, firing.kind) if firing is not None and firing.aggregate == aggregate else (None, "")
    values = {"aggregate": aggregate, "kinds": list(kinds) or None, "own": own, "firing": kind}
    await session.execute(_DISARM, values)


class Timers:
    """Fires due timers. Several workers may run: SKIP LOCKED gives each timer to one of them."""

    def __init__(self, service: str, database: Database, handlers: Mapping[str, TimerHandler]) -> None:
        self._service = service
        self._database = database
        self._handlers = handlers

    async def run(self, stop: asyncio.Event) -> None:
        """Fires until told to stop; sleeps until the next is due, at most a second."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                if await self.step():
                    continue
                await pause(stop, await self._until_next())
                backoff.reset()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("timers wait", error=type(error).__name__)
                await backoff.pause(stop)

    async def step(self, batch: int = 20) -> int:
        """Takes due timers and fires each in a transaction of its own; answers how many were taken."""
        lease = new_id()
        async with self._database.transaction() as session:
            values = {"lease": lease, "seconds": LEASE_SECONDS, "batch": batch}
            rows = (await session.execute(_TAKE, values)).mappings().all()
        for row in sorted(rows, key=lambda row: row["due_at"]):
            timer = Timer(row["kind"], row["aggregate"], row["tenant"], row["due_at"], row["version"])
            outcome = "fired"
            try:
                with caused_by(row["causationid"], row["traceparent"], f"timer {timer.kind}"):
                    await self._fire_patiently(timer, lease)
            except TimerLost:
                outcome = "lost"
            except Exception as error:
                outcome = "failed"  # its lease is the pause before the next try
                if is_transient(error):
                    _log.warning("timer waits", kind=timer.kind, error=type(error).__name__)
                else:
                    _log.exception("timer failed", kind=timer.kind, aggregate=str(timer.aggregate))
            metrics.TIMERS_FIRED.labels(self._service, timer.kind, outcome).inc()
        return len(rows)

    async def _fire_patiently(self, timer: Timer, lease: UUID) -> None:
        try:
            await self.fire(timer, lease)
        except Exception as error:
            if not is_transient(error):
                raise
            await self.fire(timer, lease)  # a deadlock's victim succeeds at once

    async def fire(self, timer: Timer, lease: UUID) -> None:
        """Effect, outbox rows and the timer's end in one transaction; TimerLost where it was no longer ours."""
        async with self._database.transaction() as session:
            firing = session.info[_FIRING] = _Firing(timer.aggregate, timer.kind, lease)
            await enter_scope(session, timer.tenant)
            await self._handlers[timer.kind](session, timer)
            await session.flush()
            ended = await session.execute(_END, {"aggregate": timer.aggregate, "kind": timer.kind, "lease": lease})
            if ended.rowcount != 1:  # type: ignore[attr-defined]
                raise TimerLost(timer.kind)
            if firing.again is not None:
                await session.execute(ARM, firing.again)

    async def _until_next(self) -> float:
        async with self._database.transaction() as session:
            seconds = (await session.execute(_NEXT)).scalar_one_or_none()
        return 1.0 if seconds is None else min(1.0, max(0.02, float(seconds)))

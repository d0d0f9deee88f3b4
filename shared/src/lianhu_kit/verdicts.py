"""What becomes of a parked event once an operator decided: tried again, or passed by; carried out by the worker.

A decision is open as long as its parked row is there: carrying it out takes the row away, in one transaction with what
takes its place. So whatever ends a worker midway, the decision is found again or is done.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics
from lianhu_kit.database import Database, is_transient
from lianhu_kit.envelope import ReceivedEvent, Undecodable
from lianhu_kit.ledger import PAGE, Ledger
from lianhu_kit.logs import logger
from lianhu_kit.parking import BEHIND, Parked, readable

_log = logger(__name__)
_COLUMNS = ", ".join(f"parked.{each.name}" for each in fields(Parked))

# Who decides and who carries out take turns: a decision never meets a row that is just being taken away.
TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtext('lianhu decisions on parked events'))")
_OPEN = text(
    """
    SELECT parked.topic, parked.key, min(parked.id) AS first, parked.key = '' AS alone
    FROM parked JOIN parked_decisions AS decided ON decided.parked_id = parked.id
    WHERE parked.generation = :generation
    GROUP BY parked.topic, parked.key, CASE WHEN parked.key = '' THEN parked.id END ORDER BY first LIMIT :page
    """
)
_ROWS = text(
    f"""
    SELECT parked.id, {_COLUMNS}, decided.verdict, decided.decided_at
    FROM parked LEFT JOIN parked_decisions AS decided ON decided.parked_id = parked.id
    WHERE parked.generation = :generation AND parked.topic = :topic AND parked.key = :key
      AND (CAST(:alone AS bigint) IS NULL OR parked.id = :alone)
    ORDER BY parked.sequence, parked.id
    """
)
_KEEP_DROPPED = text(
    """
    INSERT INTO dropped (parked_id, generation, place, topic, key, sequence, event_id, type, tenant, reason, headers,
                         value, at_partition, at_offset, raw_key, raw_headers, parked_at)
    SELECT id, generation, place, topic, key, sequence, event_id, type, tenant, reason, headers,
           value, at_partition, at_offset, raw_key, raw_headers, parked_at
    FROM parked WHERE id = ANY(:ids)
    """
)
_TAKE_AWAY = text("DELETE FROM parked WHERE id = ANY(:ids)")
_UNBLOCK = text("UPDATE positions SET blocked = NULL WHERE generation = :generation AND topic = :topic AND key = :key")


@dataclass(frozen=True)
class Held:
    """A parked row, and what was decided on it, if anything was."""

    id: int
    parked: Parked
    verdict: str | None
    decided_at: datetime | None


@dataclass
class Settled:
    """What becomes of a key's parked rows."""

    drop: list[Held] = field(default_factory=list)
    go_on: list[tuple[Held, ReceivedEvent]] = field(default_factory=list)
    again: list[tuple[Held, str]] = field(default_factory=list)
    unblocked: bool = False


def settle(rows: Sequence[Held]) -> Settled:
    """The rule, for all parked rows of one key in the order of their sequences.

    What was dropped is passed by. A retry, or dropping the first, lets all others go on up to the first that this
    release cannot read either: that one and those behind it stay, parked anew where a retry was asked of them. Dropping
    one that stands behind others moves none of these.
    """
    settled = Settled(drop=[row for row in rows if row.verdict == "drop"])
    goes_on = any(row.verdict == "retry" for row in rows) or (bool(rows) and rows[0].verdict == "drop")
    if not goes_on:
        return settled
    unread: str | None = None
    for row in rows:
        if row.verdict == "drop":
            settled.unblocked |= unread is None
            continue
        if unread is None:
            try:
                settled.go_on.append((row, readable(row.parked)))
                settled.unblocked = True
                continue
            except Undecodable as error:
                unread, reason = str(error), str(error)
        else:
            reason = BEHIND
        if row.verdict == "retry":
            settled.again.append((row, reason))
    return settled


# Applies an event that has no sequence; why it is parked again, or None where its effects stand.
Once = Callable[[ReceivedEvent], Awaitable[str | None]]


class Verdicts:
    """Carries out what operators decided, in the books that `ledger` opens."""

    def __init__(
        self, service: str, database: Database, ledger: Callable[[AsyncSession], Awaitable[Ledger]], once: Once
    ) -> None:
        self._service = service
        self._database = database
        self._ledger = ledger
        self._once = once

    async def carry_out(self) -> None:
        """Carries out the open decisions, one key a transaction. What goes on waits, for the round that follows."""
        async with self._database.transaction() as session:
            generation = (await self._ledger(session)).generation
            found = await session.execute(_OPEN, {"generation": generation, "page": PAGE})
            places = [(row.topic, row.key, row.first if row.alone else None) for row in found]
        for topic, key, alone in places:
            if alone is None:
                await self._settle(topic, key)
            else:
                await self._settle_alone(topic, alone)

    async def _settle(self, topic: str, key: str) -> None:
        async with self._database.transaction() as session:
            ledger = await self._begun(session)
            await ledger.lock([(topic, key)])
            rows = await _held(session, ledger, topic, key, None)
            settled = settle(rows)
            await _drop(session, ledger, settled.drop)
            await ledger.wait([(event, None) for _, event in settled.go_on])
            left = [row for row, _ in [*settled.go_on, *settled.again]]
            await session.execute(_TAKE_AWAY, {"ids": [row.id for row in left]})
            for row, reason in settled.again:
                await ledger.park(row.parked, reason)
            if settled.unblocked:
                await session.execute(_UNBLOCK, {"generation": ledger.generation, "topic": topic, "key": key})
        self._tell(settled)

    async def _settle_alone(self, topic: str, parked_id: int) -> None:
        """An event that has no place in a key's sequence, by itself."""
        async with self._database.transaction() as session:
            ledger = await self._begun(session)
            rows = await _held(session, ledger, topic, "", parked_id)
            if not rows or rows[0].verdict == "drop":
                await _drop(session, ledger, rows)
                self._tell(Settled(drop=rows))
                return
        row = rows[0]
        settled = Settled()
        try:
            event = readable(row.parked)
            # Its effects first, in a transaction of their own: repeated after a kill, its id says that it was applied.
            reason = await self._once(event) if event.sequence is None else None
            settled.go_on.append((row, event))
        except Undecodable as error:
            event, reason = None, str(error)
        except Exception as error:
            if is_transient(error):
                raise
            return  # counted as a try: the decision stays open for the next round
        async with self._database.transaction() as session:
            ledger = await self._begun(session)
            if not await _held(session, ledger, topic, "", parked_id):
                return  # another worker was here
            await session.execute(_TAKE_AWAY, {"ids": [parked_id]})
            if reason is not None:
                settled = Settled(again=[(row, reason)])
                await ledger.park(row.parked, reason)
            elif event is not None and event.sequence is not None:
                positions = await ledger.lock([(event.topic, event.key)])
                if event.sequence > positions[(event.topic, event.key)].last:
                    await ledger.wait([(event, None)])
        self._tell(settled)

    async def _begun(self, session: AsyncSession) -> Ledger:
        ledger = await self._ledger(session)
        await session.execute(TAKE_TURNS)
        return ledger

    def _tell(self, settled: Settled) -> None:
        for row in settled.drop:
            metrics.CONSUMED.labels(self._service, row.parked.topic, "dropped").inc()
            _log.warning("parked event dropped", topic=row.parked.topic, place=row.parked.place, parked=row.id)
        for row, _ in settled.go_on:
            _log.info("parked event goes on", topic=row.parked.topic, place=row.parked.place, parked=row.id)
        for row, reason in settled.again:
            _log.error("event parked again", topic=row.parked.topic, place=row.parked.place, reason=reason)


async def _held(session: AsyncSession, ledger: Ledger, topic: str, key: str, alone: int | None) -> list[Held]:
    values = {"generation": ledger.generation, "topic": topic, "key": key, "alone": alone}
    return [_of_row(row) for row in await session.execute(_ROWS, values)]


def _of_row(row: Any) -> Held:
    return Held(row.id, parked_of(row), row.verdict, row.decided_at)


def parked_of(row: Any) -> Parked:
    """The event that a row of `parked` or `dropped` holds."""
    return Parked(**{each.name: getattr(row, each.name) for each in fields(Parked)})


async def _drop(session: AsyncSession, ledger: Ledger, rows: Sequence[Held]) -> None:
    """Keeps dropped rows apart, and lets stubs wait in the places of those that have a sequence."""
    if not rows:
        return
    ids = [row.id for row in rows]
    await session.execute(_KEEP_DROPPED, {"ids": ids})
    await session.execute(_TAKE_AWAY, {"ids": ids})
    for row in rows:
        if row.parked.sequence is not None and row.decided_at is not None:
            await ledger.pass_by(row.parked, row.decided_at)

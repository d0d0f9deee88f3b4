"""What leaves the house: taken in batches, addresses asked for, handed over at most once, and what came of it said.

A sending is taken (a lease), then marked as being handed over, then handed over, then ended: three transactions, and no
network within one. A process that ends before the mark leaves it to the next; one that ends after it leaves 'unknown'.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lianhu_kit.context import caused_by
from lianhu_kit.database import Database, enter_scope, is_transient, now
from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.outbox import OutgoingEvent, record
from lianhu_kit.pausing import Backoff, pause
from notifications_service.domain.calls import is_stale
from notifications_service.domain.choices import Channel
from notifications_service.domain.outward import Carried, next_try
from notifications_service.events.notifications import Telling, failed, sent, suppressed
from notifications_service.handlers.carrying import Carrier, Letter, Parcel
from notifications_service.handlers.contact_points import Away, ContactPoints

PEOPLE_AT_ONCE = 16
LEASE_SECONDS = 60  # longer than asking for addresses may take
LOST_SECONDS = 180  # longer than any handing over may take
LOOK_SECONDS = 1.0
_log = logger(__name__)
_TAKE = text(
    """
    WITH ripe AS (
        SELECT DISTINCT person FROM (
            SELECT person FROM sendings
            WHERE channel = :channel AND send_at <= (SELECT clock_timestamp()) AND handing_at IS NULL
              AND (lease_until IS NULL OR lease_until < clock_timestamp())
            ORDER BY send_at LIMIT :people FOR UPDATE SKIP LOCKED) AS first)
    UPDATE sendings SET lease_until = clock_timestamp() + make_interval(secs => :lease)
    WHERE person IN (SELECT person FROM ripe) AND channel = :channel AND send_at <= (SELECT clock_timestamp())
      AND handing_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
    RETURNING id, person, locale, title, body, created_at, send_at, tries, clock_timestamp() AS taken_at
    """
)
_MARK = text(
    """
    UPDATE sendings SET handing_at = clock_timestamp(), tries = tries + 1
    WHERE id = ANY (:ids) AND handing_at IS NULL RETURNING id
    """
)
_LATER = text("UPDATE sendings SET handing_at = NULL, lease_until = NULL, send_at = :at WHERE id = ANY (:ids)")
_LOST = text("SELECT id FROM sendings WHERE handing_at < clock_timestamp() - make_interval(secs => :lost) LIMIT 100")
_ENDED = text("DELETE FROM sendings WHERE id = ANY (:ids) RETURNING id, tenant, traceparent")
_SETTLE = text(
    """
    UPDATE deliveries d SET state = :state, reason = :reason, sequence = d.sequence + 1, updated_at = :now
    WHERE d.id = ANY (:ids) AND d.state = 'due'
    RETURNING id, request_id, tenant, purpose, template, channel, audience, person, attempt, sequence, event_id
    """
)
_STATES = {Carried.SENT: ("sent", None), Carried.REFUSED: ("failed", "refused"), Carried.UNKNOWN: ("failed", "unknown")}


@dataclass(frozen=True)
class Taken:
    """The ripe sendings of one person, and when they were taken."""

    person: UUID
    rows: Sequence[Any]

    @property
    def ids(self) -> list[UUID]:
        """The deliveries' ids."""
        return [row.id for row in self.rows]

    def parcel(self, to: str) -> Parcel:
        """All of them in one message, in the language of the newest."""
        rows = sorted(self.rows, key=lambda row: row.id)
        return Parcel(new_id(), to, rows[-1].locale, [Letter(row.title, row.body) for row in rows])


class Sender:
    """Brings what is ripe on one channel; several workers may run."""

    def __init__(self, channel: Channel, carrier: Carrier, contacts: ContactPoints) -> None:
        self._channel = channel
        self._carrier = carrier
        self._contacts = contacts

    async def run(self, database: Database, stop: asyncio.Event) -> None:
        """Looks once a second, and goes on at once while there is more."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                if not await self.step(database):
                    await pause(stop, LOOK_SECONDS)
                backoff.reset()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("sending waits", channel=self._channel, error=type(error).__name__)
                await backoff.pause(stop)

    async def step(self, database: Database) -> bool:
        """Takes a batch and brings it; False where nothing was ripe."""
        await self._give_up_lost(database)
        async with database.transaction() as session:
            await enter_scope(session, "")
            values = {"channel": self._channel, "people": PEOPLE_AT_ONCE, "lease": LEASE_SECONDS}
            rows = sorted((await session.execute(_TAKE, values)).all(), key=lambda row: str(row.person))
        taken = [Taken(person, list(mine)) for person, mine in groupby(rows, key=lambda row: row.person)]
        await asyncio.gather(*(self._bring(database, one) for one in taken))
        return bool(taken)

    async def _bring(self, database: Database, taken: Taken) -> None:
        old = {
            row.id: row.tries
            for row in taken.rows
            if is_stale(row.created_at if row.tries else row.send_at, row.taken_at)
        }
        if old:  # nobody is told yesterday's news by a machine that could not say it in time
            await _end(database, [id for id, tries in old.items() if tries], "failed", "unreachable")
            await _end(database, [id for id, tries in old.items() if not tries], "suppressed", "too-late")
            taken = Taken(taken.person, [row for row in taken.rows if row.id not in old])
        if not taken.rows:
            return
        try:
            to = (await self._contacts.of(taken.person)).of(self._channel)
        except Away:
            return  # the lease is the pause before it is asked again
        if to is None:
            await _end(database, taken.ids, "suppressed", "no-address")
            return
        async with database.transaction() as session:
            await enter_scope(session, "")
            ours = set((await session.execute(_MARK, {"ids": taken.ids})).scalars())
        rows = [row for row in taken.rows if row.id in ours]
        if rows:
            taken = Taken(taken.person, rows)
            await self._settle(database, taken, await self._carrier.carry(taken.parcel(to)))

    async def _settle(self, database: Database, taken: Taken, carried: Carried) -> None:
        if carried is not Carried.LATER:
            await _end(database, taken.ids, *_STATES[carried])
            return
        tries = max(row.tries for row in taken.rows) + 1
        async with database.transaction() as session:
            moment = await enter_scope(session, "")
            again = next_try(tries, moment)
            if again is not None:
                await session.execute(_LATER, {"ids": taken.ids, "at": again})
        if again is None:
            await _end(database, taken.ids, "failed", "unreachable")

    async def _give_up_lost(self, database: Database) -> None:
        """What was being handed over when its process ended: it may have arrived, so nobody sends it again."""
        async with database.transaction() as session:
            await enter_scope(session, "")
            lost = list((await session.execute(_LOST, {"lost": LOST_SECONDS})).scalars())
        if lost:
            await _end(database, lost, "failed", "unknown")


async def _end(database: Database, ids: Sequence[UUID], state: str, reason: str | None) -> None:
    """The deliveries' state, their events and the end of the sendings, in one transaction."""
    async with database.transaction() as session:
        await enter_scope(session, "")
        ended = (await session.execute(_ENDED, {"ids": list(ids)})).all()
        traces = {row.id: row.traceparent for row in ended}
        for tenant in sorted({row.tenant for row in ended}):
            mine = [row.id for row in ended if row.tenant == tenant]
            await enter_scope(session, tenant)
            values = {"ids": mine, "state": state, "reason": reason, "now": now(session)}
            for row in (await session.execute(_SETTLE, values)).mappings().all():
                with caused_by(row["event_id"], traces[row["id"]], f"sending {row['channel']}"):
                    await record(session, [_event(row, state, reason)])


def _event(row: Any, state: str, reason: str | None) -> OutgoingEvent:
    telling = Telling(
        row["id"], row["request_id"], row["tenant"], row["purpose"], row["template"], row["channel"], row["audience"],
        row["person"], row["attempt"],
    )  # fmt: skip
    if state == "sent":
        return sent(telling, row["sequence"])
    make = suppressed if state == "suppressed" else failed
    return make(telling, row["sequence"], reason or "unknown")

"""What happens to received events inside the database: each applied once, in order per key, or kept for later.

For every topic and key, `last` is the sequence applied last: `last + 1` is applied, lower is a duplicate, higher waits
until the missing one comes. A compacted topic applies anything above `last`. Events without a sequence are
deduplicated by id.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ValidationError

from lianhu_kit import metrics, tracing
from lianhu_kit.context import caused_by
from lianhu_kit.counting import count
from lianhu_kit.database import Database, enter_scope, is_overrun, is_transient
from lianhu_kit.envelope import ReceivedEvent, Record, Undecodable, decode
from lianhu_kit.hot import HotTransaction
from lianhu_kit.ledger import PAGE, Ledger
from lianhu_kit.logs import logger
from lianhu_kit.parking import BEHIND, MISSING, of_event, of_record, reason_of
from lianhu_kit.statements import Statements
from lianhu_kit.subscriptions import Apply, Generation, Handle, NotYet, Poison, Subscription
from lianhu_kit.tries import Tries
from lianhu_kit.turns import sort
from lianhu_kit.verdicts import Verdicts

__all__ = ["Apply", "Generation", "Handle", "Inbound", "NotYet", "Poison", "Record", "Subscription"]
_log = logger(__name__)
_VERSION = re.compile(r"\.v\d+$")
ROUNDS = 10


class _BehindFailed(Exception):
    """An event that had waited behind the one at hand failed: the one at hand is not to pay for it."""


class Inbound:
    """Applies records to the database of a service.

    `topics` says of each topic whether it is compacted. With `apply`, a batch is applied as one; else each event goes
    to its subscription's `handle`, in the scope of its village.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        topics: Mapping[str, bool],
        subscriptions: Mapping[str, Subscription],
        *,
        apply: Apply | None = None,
        generation: int | Generation = 1,
    ) -> None:
        self._service = service
        self._database = database
        self._topics = topics
        self._subscriptions = subscriptions
        self._stems = {_VERSION.sub("", name) for name in subscriptions}
        self._apply = apply
        self._generation = generation
        self._tries = Tries()
        self._verdicts = Verdicts(service, database, self._ledger, self._once)

    @property
    def whole(self) -> bool:
        """Whether several partitions are best taken in as one batch: each costs much by itself, an event little."""
        return self._apply is not None

    async def receive(self, records: Sequence[Record]) -> None:
        """Applies a batch in one transaction; where that fails, record by record (batches as one: half by half).

        Transient errors are raised: nothing of the failing transaction is kept and the caller tries again.
        """
        await self._retry(await self._receive_all(records))

    async def offsets(self) -> dict[tuple[str, int], int]:
        """How far the database has read: the next offset of each (topic, partition)."""
        async with self._database.transaction() as session:
            return await (await self._ledger(session)).offsets()

    async def retry_waiting(self) -> None:
        """Carries out what operators decided, then tries what waits and is due, page by page while that helps.

        For the worker's regular round.
        """
        await self._verdicts.carry_out()
        compacted = [topic for topic, is_compacted in self._topics.items() if is_compacted]
        for _ in range(ROUNDS):
            async with self._database.transaction() as session:
                ready = await (await self._ledger(session)).ready(compacted)
            if not await self._retry(ready) or len(ready) < PAGE:
                return

    async def _ledger(self, session: Statements) -> Ledger:
        generation = self._generation if isinstance(self._generation, int) else await self._generation(session)
        return Ledger(session, generation)

    async def _receive_all(self, records: Sequence[Record]) -> list[ReceivedEvent]:
        try:
            return await self._receive(records)
        except Exception as error:
            if is_transient(error) and not is_overrun(error):
                raise
        if self.whole and len(records) > 1:
            middle = len(records) // 2
            return [*await self._receive_all(records[:middle]), *await self._receive_all(records[middle:])]
        released: list[ReceivedEvent] = []
        for record in records:
            released += await self._receive_one(record)
        return released

    async def _receive(self, records: Sequence[Record]) -> list[ReceivedEvent]:
        events = [
            decode(record.topic, record.key, record.value, record.headers)
            for record in records
            if not (record.value is None and not record.headers)  # a bare tombstone of compaction says nothing
        ]
        nexts: dict[tuple[str, int], int] = {}
        for record in records:
            nexts[(record.topic, record.partition)] = record.offset + 1
        return await self._transact(events, nexts)

    async def _receive_one(self, record: Record) -> list[ReceivedEvent]:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        released: list[ReceivedEvent] = []
        try:
            released = await self._receive([record])
        except (Undecodable, ValidationError, Poison) as error:
            released = await self._park(record, reason_of(error))
        except NotYet as missing:
            released = await self._keep(record, missing)
        except Exception as error:
            given_up = self._tries.given_up(place, error)
            if given_up is None:
                raise
            released = await self._park(record, given_up)
        self._tries.over(place)
        return released

    async def _transact(
        self, events: Sequence[ReceivedEvent], nexts: Mapping[tuple[str, int], int]
    ) -> list[ReceivedEvent]:
        """Applies what is due in one transaction; answers the events that waited for just these keys.

        What waits behind these events is applied with them; where that fails, tried after them.
        """
        try:
            return await self._attempt(events, nexts, follow=True)
        except _BehindFailed:
            return await self._attempt(events, nexts, follow=False)

    def _transaction(self) -> AbstractAsyncContextManager[Any]:
        """A session for handlers of single events; for a batch as one, the driver's own connection: see decision 15."""
        return self._database.transaction() if self._apply is None else HotTransaction(self._database, "")

    async def _attempt(
        self, events: Sequence[ReceivedEvent], nexts: Mapping[tuple[str, int], int], *, follow: bool
    ) -> list[ReceivedEvent]:
        async with self._transaction() as session:
            ledger = await self._ledger(session)
            positions = await ledger.lock((event.topic, event.key) for event in events if event.sequence is not None)
            unnumbered = [event.id for event in events if event.sequence is None]
            fresh = await ledger.first_seen(unnumbered)
            waiting = await ledger.waiting(event.key for event in events)
            turn = sort(events, positions, fresh, waiting, self._topics, follow=follow)
            try:
                await self._run(session, turn.apply)
            except Exception as error:
                if len(turn.apply) <= len(events) or (is_transient(error) and not is_overrun(error)):
                    raise
                raise _BehindFailed from error
            await ledger.wait(turn.wait)
            await ledger.forget(turn.forget)
            for event in turn.park:
                await ledger.park(of_event(event), BEHIND)
            await ledger.advance(turn.lasts, nexts)
        count(self._service, events, turn, lambda event: self._name(event) in self._subscriptions)
        applied = {event.key for event in turn.apply}
        forgotten = {id(event) for event in turn.forget}
        released = [event for event, awaits in waiting if awaits in applied and id(event) not in forgotten]
        return list({id(event): event for event in [*turn.behind, *released]}.values())

    async def _run(self, session: Any, events: Sequence[ReceivedEvent]) -> None:
        parsed = [
            (event, subscription.model.model_validate(event.data))
            for event in events
            if (subscription := self._subscription(event)) is not None
        ]
        if self._apply is not None:
            if parsed:
                began = tracing.now()
                with caused_by(parsed[-1][0].id, parsed[-1][0].traceparent):
                    await self._apply(session, parsed)
                tracing.taken_in((event for event, _ in parsed), began)
            return
        for event, data in sorted(parsed, key=self._lock_order):  # stable: the order of each key stays
            subscription = self._subscriptions[self._name(event)]
            if not subscription.concerns(data):
                continue
            with caused_by(event.id, event.traceparent, f"take in {event.type}", SpanKind.CONSUMER):
                await enter_scope(session, event.tenant)
                await subscription.handle(session, event, data)
                await session.flush()
                _log.info("event taken in", type=event.type, sequence=event.sequence)

    def _lock_order(self, parsed: tuple[ReceivedEvent, BaseModel]) -> str:
        event, data = parsed
        locks = self._subscriptions[self._name(event)].locks
        return event.key if locks is None else locks(data)

    def _name(self, event: ReceivedEvent) -> str:
        return f"deleted:{event.topic}" if event.deleted else event.type

    def _subscription(self, event: ReceivedEvent) -> Subscription | None:
        """What is subscribed for an event; None for types that nobody here needs; Poison for an unknown version."""
        name = self._name(event)
        if name not in self._subscriptions and _VERSION.sub("", name) in self._stems:
            raise Poison(f"{event.type} is a major version that this service does not know")
        return self._subscriptions.get(name)

    async def _park(self, record: Record, reason: str) -> list[ReceivedEvent]:
        """Sets a record apart; answers what stands in its place where an operator dropped it before."""
        parked = of_record(record)
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            if parked.sequence is not None:
                key = (parked.topic, parked.key)
                if parked.sequence <= (await ledger.lock([key]))[key].last:
                    return []  # applied before, by a version that could read it
            stub = await ledger.park(parked, reason)
            await ledger.advance({}, {(record.topic, record.partition): record.offset + 1})
        if stub is not None:
            metrics.CONSUMED.labels(self._service, record.topic, "dropped").inc()
            return [] if stub.sequence is None else [stub]
        metrics.CONSUMED.labels(self._service, record.topic, "parked").inc()
        _log.error("event parked", topic=record.topic, offset=record.offset, reason=reason)
        return []

    async def _once(self, event: ReceivedEvent) -> str | None:
        """Applies an event without a sequence that was parked; why it is parked again, None where its effects stand."""
        try:
            await self._transact([event], {})
        except NotYet:
            return MISSING
        except (ValidationError, Poison) as error:
            return reason_of(error)
        except Exception as error:
            if (given_up := self._tries.given_up(event.id, error)) is None:
                raise
            return given_up
        return None

    async def _keep(self, record: Record, missing: NotYet) -> list[ReceivedEvent]:
        event = decode(record.topic, record.key, record.value, record.headers)
        if event.sequence is None:
            return await self._park(record, MISSING)
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            positions = await ledger.lock([(event.topic, event.key)])
            if event.sequence > positions[(event.topic, event.key)].last:
                await ledger.wait([(event, missing.awaits or event.key)])
                metrics.CONSUMED.labels(self._service, event.topic, "waiting").inc()
            await ledger.advance({}, {(record.topic, record.partition): record.offset + 1})
        return []

    async def _retry(self, events: Sequence[ReceivedEvent]) -> int:
        """Tries events that waited, and those that waited for these; answers how many no longer wait."""
        ended = 0
        queue = deque(events)
        while queue:
            event = queue.popleft()
            try:
                released = await self._transact([event], {})
                ended += 1
                self._tries.over(event.id)
                if len(queue) < PAGE:  # else the next round finds them
                    queue.extend(released)
            except NotYet as missing:
                async with self._database.transaction() as session:
                    await (await self._ledger(session)).wait([(event, missing.awaits or event.key)])
            except (ValidationError, Poison) as error:
                queue.extend(await self._set_apart(event, reason_of(error)))
            except Exception as error:
                given_up = self._tries.given_up(event.id, error)
                if given_up is not None:
                    queue.extend(await self._set_apart(event, given_up))
                elif is_transient(error):
                    raise
        return ended

    async def _set_apart(self, event: ReceivedEvent, reason: str) -> list[ReceivedEvent]:
        """Parks an event that waited; answers what stands in its place where an operator dropped it before."""
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            position = (await ledger.lock([(event.topic, event.key)]))[(event.topic, event.key)]
            await ledger.forget([event])
            if event.sequence is not None and event.sequence <= position.last:
                return []  # applied meanwhile, by another worker
            stub = await ledger.park(of_event(event), reason)
        return [] if stub is None else [stub]

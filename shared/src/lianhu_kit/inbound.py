"""What happens to received events inside the database: each applied once, in order per key, or kept for later.

For every topic and key, `last` is the sequence applied last: `last + 1` is applied, lower is a duplicate, higher waits
until the missing one comes. A compacted topic applies anything above `last`. Events without a sequence are
deduplicated by id.
"""

import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics
from lianhu_kit.context import caused_by
from lianhu_kit.database import Database, enter_scope, is_overrun, is_transient
from lianhu_kit.envelope import ReceivedEvent, Record, Undecodable, decode
from lianhu_kit.ledger import PAGE, Key, Ledger, Position
from lianhu_kit.logs import logger
from lianhu_kit.parking import of_event, of_record, reason_of

__all__ = ["Apply", "Generation", "Handle", "Inbound", "NotYet", "Poison", "Record", "Subscription"]
_log = logger(__name__)
_VERSION = re.compile(r"\.v\d+$")
# A handler that fails without saying why is given so many tries before its event is parked.
TRIES = 5
# One whose statement takes too long may pass on a quieter database, or never: several minutes of tries.
OVERRUNS = 20
ROUNDS = 10


class NotYet(Exception):
    """Something that this event stands on has not arrived: it waits for the event of that key, then is tried again."""

    def __init__(self, awaits: str | None = None) -> None:
        super().__init__(f"waits for {awaits or 'its own key on another topic'}")
        self.awaits = awaits


class _BehindFailed(Exception):
    """An event that had waited behind the one at hand failed: the one at hand is not to pay for it."""


class Poison(Exception):
    """An event that can never be applied: it is parked, with all later events of its key, until an operator decides."""


Handle = Callable[[AsyncSession, ReceivedEvent, Any], Awaitable[None]]
Apply = Callable[[AsyncSession, list[tuple[ReceivedEvent, BaseModel]]], Awaitable[None]]
# Which books a transaction writes to, asked at its begin, for services that rebuild into another generation.
Generation = Callable[[AsyncSession], Awaitable[int]]


async def _nothing(_session: AsyncSession, _event: ReceivedEvent, _data: BaseModel) -> None:
    """For consumers that apply whole batches."""


def _always(_data: BaseModel) -> bool:
    """Every event is of interest."""
    return True


@dataclass(frozen=True)
class Subscription:
    """What a consumer reads of an event type, and what it does with one."""

    model: type[BaseModel]
    handle: Handle = _nothing
    # Whether an event is of any interest, by its data alone: what is not costs no round trip.
    concerns: Callable[[Any], bool] = _always
    # What the handler locks first where that is not the key's own row, the same for all events of a key: a batch goes
    # in its order, so that two batches never lock the same rows crosswise.
    locks: Callable[[Any], str] | None = None


@dataclass
class _Turn:
    """What one transaction does with its events."""

    apply: list[ReceivedEvent] = field(default_factory=list)
    wait: list[tuple[ReceivedEvent, str | None]] = field(default_factory=list)
    forget: list[ReceivedEvent] = field(default_factory=list)
    park: list[ReceivedEvent] = field(default_factory=list)
    behind: list[ReceivedEvent] = field(default_factory=list)
    lasts: dict[Key, int] = field(default_factory=dict)


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
        self._tries: dict[str, int] = {}

    async def receive(self, records: Sequence[Record]) -> None:
        """Applies a batch in one transaction; where that fails, record by record, each in its own.

        Transient errors are raised: nothing of the failing transaction is kept and the caller tries again.
        """
        released: list[ReceivedEvent] = []
        try:
            released = await self._receive(records)
        except Exception as error:
            if is_transient(error) and not is_overrun(error):
                raise
            for record in records:
                released += await self._receive_one(record)
        await self._retry(released)

    async def offsets(self) -> dict[tuple[str, int], int]:
        """How far the database has read: the next offset of each (topic, partition)."""
        async with self._database.transaction() as session:
            return await (await self._ledger(session)).offsets()

    async def retry_waiting(self) -> None:
        """Tries waiting events whose turn it is, page by page while that helps; for the worker's regular round."""
        compacted = [topic for topic, is_compacted in self._topics.items() if is_compacted]
        for _ in range(ROUNDS):
            async with self._database.transaction() as session:
                ready = await (await self._ledger(session)).ready(compacted)
            if not await self._retry(ready) or len(ready) < PAGE:
                return

    async def _ledger(self, session: AsyncSession) -> Ledger:
        generation = self._generation if isinstance(self._generation, int) else await self._generation(session)
        return Ledger(session, generation)

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
            await self._park(record, reason_of(error))
        except NotYet as missing:
            await self._keep(record, missing)
        except Exception as error:
            given_up = self._given_up(place, error)
            if given_up is None:
                raise
            await self._park(record, given_up)
        self._tries.pop(place, None)
        return released

    def _given_up(self, place: str, error: Exception) -> str | None:
        """Counts a failure that the handler did not explain; why it is parked, where it was the last tolerated."""
        overrun = is_overrun(error)
        if is_transient(error) and not overrun:
            return None
        tries = self._tries[place] = self._tries.get(place, 0) + 1
        if overrun:
            _log.warning("handler takes too long", place=place, tries=tries)
            return f"a statement took too long {tries} times" if tries >= OVERRUNS else None
        _log.exception("handler failed", place=place, tries=tries)
        return f"the handler failed {tries} times: {type(error).__name__}" if tries >= TRIES else None

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

    async def _attempt(
        self, events: Sequence[ReceivedEvent], nexts: Mapping[tuple[str, int], int], *, follow: bool
    ) -> list[ReceivedEvent]:
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            positions = await ledger.lock((event.topic, event.key) for event in events if event.sequence is not None)
            unnumbered = [event.id for event in events if event.sequence is None]
            fresh = await ledger.first_seen(unnumbered)
            waiting = await ledger.waiting(event.key for event in events)
            turn = self._sort(events, positions, fresh, waiting, follow)
            try:
                await self._run(session, turn.apply)
            except Exception as error:
                if len(turn.apply) <= len(events) or (is_transient(error) and not is_overrun(error)):
                    raise
                raise _BehindFailed from error
            await ledger.wait(turn.wait)
            await ledger.forget(turn.forget)
            for event in turn.park:
                await ledger.park(of_event(event), "an earlier event of this key is parked")
            await ledger.advance(turn.lasts)
            await ledger.keep_offsets(dict(nexts))
        self._count(events, turn)
        applied = {event.key for event in turn.apply}
        forgotten = {id(event) for event in turn.forget}
        released = [event for event, awaits in waiting if awaits in applied and id(event) not in forgotten]
        return list({id(event): event for event in [*turn.behind, *released]}.values())

    def _sort(
        self,
        events: Sequence[ReceivedEvent],
        positions: Mapping[Key, Position],
        fresh: set[str],
        waiting: Sequence[tuple[ReceivedEvent, str | None]],
        follow: bool,
    ) -> _Turn:
        """Decides for each event: apply, drop as a duplicate, wait or park. Keys in order, so that locks are too."""
        turn = _Turn()
        stored = {(event.topic, event.key, event.sequence): (event, awaits) for event, awaits in waiting}
        for event in sorted(events, key=lambda event: (event.topic, event.key)):  # stable: order per key stays
            if event.sequence is None:
                if event.id in fresh:
                    fresh.discard(event.id)
                    turn.apply.append(event)
                continue
            key = (event.topic, event.key)
            position = positions[key]
            if event.sequence <= position.last:
                if (own := stored.pop((*key, event.sequence), None)) is not None:
                    turn.forget.append(own[0])
                continue
            if position.blocked is not None:
                turn.park.append(event)
            elif event.sequence == position.last + 1 or self._topics.get(event.topic, False):
                self._take(turn, event, position, stored, follow)
            else:
                turn.wait.append((event, None))
        return turn

    def _take(
        self,
        turn: _Turn,
        event: ReceivedEvent,
        position: Position,
        stored: dict[Any, tuple[ReceivedEvent, str | None]],
        follow: bool,
    ) -> None:
        """Applies an event, and after it those that waited for just this one, or leaves these for later."""
        following: ReceivedEvent | None = event
        while following is not None and following.sequence is not None:
            key = (following.topic, following.key)
            turn.apply.append(following)
            turn.lasts[key] = position.last = following.sequence
            own = stored.pop((*key, following.sequence), None)
            if own is not None:
                turn.forget.append(own[0])
            following = stored.get((*key, position.last + 1), (None, None))[0]
            if following is not None and not follow:
                turn.behind.append(following)
                return

    async def _run(self, session: AsyncSession, events: Sequence[ReceivedEvent]) -> None:
        parsed = [
            (event, subscription.model.model_validate(event.data))
            for event in events
            if (subscription := self._subscription(event)) is not None
        ]
        if self._apply is not None:
            if parsed:
                with caused_by(parsed[-1][0].id, parsed[-1][0].traceparent):
                    await self._apply(session, parsed)
            return
        for event, data in sorted(parsed, key=self._lock_order):  # stable: the order of each key stays
            subscription = self._subscriptions[self._name(event)]
            if not subscription.concerns(data):
                continue
            with caused_by(event.id, event.traceparent):
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

    async def _park(self, record: Record, reason: str) -> None:
        parked = of_record(record)
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            if parked.sequence is not None:
                key = (parked.topic, parked.key)
                if parked.sequence <= (await ledger.lock([key]))[key].last:
                    return  # applied before, by a version that could read it
            await ledger.park(parked, reason)
            await ledger.keep_offsets({(record.topic, record.partition): record.offset + 1})
        metrics.CONSUMED.labels(self._service, record.topic, "parked").inc()
        _log.error("event parked", topic=record.topic, offset=record.offset, reason=reason)

    async def _keep(self, record: Record, missing: NotYet) -> None:
        event = decode(record.topic, record.key, record.value, record.headers)
        if event.sequence is None:
            await self._park(record, "its prerequisite is missing, and without a sequence it cannot wait")
            return
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            positions = await ledger.lock([(event.topic, event.key)])
            if event.sequence > positions[(event.topic, event.key)].last:
                await ledger.wait([(event, missing.awaits or event.key)])
                metrics.CONSUMED.labels(self._service, event.topic, "waiting").inc()
            await ledger.keep_offsets({(record.topic, record.partition): record.offset + 1})

    async def _retry(self, events: Sequence[ReceivedEvent]) -> int:
        """Tries events that waited, and those that waited for these; answers how many no longer wait."""
        ended = 0
        queue = deque(events)
        while queue:
            event = queue.popleft()
            try:
                released = await self._transact([event], {})
                ended += 1
                self._tries.pop(event.id, None)
                if len(queue) < PAGE:  # else the next round finds them
                    queue.extend(released)
            except NotYet as missing:
                async with self._database.transaction() as session:
                    await (await self._ledger(session)).wait([(event, missing.awaits or event.key)])
            except (ValidationError, Poison) as error:
                await self._setof_event(event, reason_of(error))
            except Exception as error:
                given_up = self._given_up(event.id, error)
                if given_up is not None:
                    await self._setof_event(event, given_up)
                elif is_transient(error):
                    raise
        return ended

    async def _setof_event(self, event: ReceivedEvent, reason: str) -> None:
        async with self._database.transaction() as session:
            ledger = await self._ledger(session)
            position = (await ledger.lock([(event.topic, event.key)]))[(event.topic, event.key)]
            await ledger.forget([event])
            if event.sequence is not None and event.sequence <= position.last:
                return  # applied meanwhile, by another worker
            await ledger.park(of_event(event), reason)

    def _count(self, events: Sequence[ReceivedEvent], turn: _Turn) -> None:
        for event in turn.apply:
            known = self._name(event) in self._subscriptions
            metrics.CONSUMED.labels(self._service, event.topic, "applied" if known else "unknown").inc()
        for event, _ in turn.wait:
            metrics.CONSUMED.labels(self._service, event.topic, "waiting").inc()
        for event in turn.park:
            metrics.CONSUMED.labels(self._service, event.topic, "parked").inc()
        kept = {id(event) for event in [*turn.apply, *turn.park, *(event for event, _ in turn.wait)]}
        for event in events:
            if id(event) not in kept:
                metrics.CONSUMED.labels(self._service, event.topic, "duplicate").inc()

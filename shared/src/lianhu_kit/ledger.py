"""What a consumer remembers: how far each key is, what waits, what is parked. Named SQL, each in one round trip.

All rows carry a generation, so that a rebuild keeps books of its own beside the live ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.parking import Parked, stub_of
from lianhu_kit.statements import Statements

Key = tuple[str, str]
Partition = tuple[str, int]
PAGE = 200
WINDOW = 500

# Locks the keys of a batch in their order and reads them; the update of nothing takes the lock on those that exist.
_LOCK = text(
    """
    INSERT INTO positions AS kept (generation, topic, key, last)
    SELECT :generation, topic, key, 0 FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])) AS given (topic, key)
    ORDER BY topic, key
    ON CONFLICT (generation, topic, key) DO UPDATE SET last = kept.last
    RETURNING topic, key, last, blocked
    """
)
_ADVANCE = text(
    """
    WITH advanced AS (
        UPDATE positions SET last = given.last
        FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:lasts AS bigint[]))
            AS given (topic, key, last)
        WHERE generation = :generation AND positions.topic = given.topic AND positions.key = given.key
    )
    INSERT INTO offsets AS kept (generation, topic, partition, next)
    SELECT :generation, *
    FROM unnest(CAST(:read AS text[]), CAST(:partitions AS integer[]), CAST(:nexts AS bigint[]))
    ON CONFLICT (generation, topic, partition) DO UPDATE SET next = greatest(kept.next, excluded.next)
    """
)
# Of thousands that wait under one key only those whose turn can come in this batch, of those that wait for it the
# first: the regular round takes the others.
_WAITING = text(
    """
    (SELECT topic, key, sequence, awaits, event FROM waiting JOIN positions USING (generation, topic, key)
     WHERE generation = :generation AND key = ANY(:keys) AND sequence <= last + :window ORDER BY topic, key, sequence)
    UNION ALL
    (SELECT topic, key, sequence, awaits, event FROM waiting
     WHERE generation = :generation AND awaits = ANY(:keys) AND key <> ALL(:keys) ORDER BY since LIMIT :page)
    """
)
_WAIT = text(
    """
    INSERT INTO waiting (generation, topic, key, sequence, tenant, awaits, event)
    SELECT :generation, * FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:sequences AS bigint[]),
                                      CAST(:tenants AS text[]), CAST(:awaits AS text[]), CAST(:events AS jsonb[]))
    ON CONFLICT (generation, topic, key, sequence) DO UPDATE SET awaits = excluded.awaits, tried_at = clock_timestamp()
    """
)
_FORGET = text(
    """
    DELETE FROM waiting USING unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:sequences AS bigint[]))
        AS given (topic, key, sequence)
    WHERE generation = :generation AND waiting.topic = given.topic AND waiting.key = given.key
      AND waiting.sequence = given.sequence
    """
)
_SEEN = text(
    """
    INSERT INTO inbox (generation, id) SELECT DISTINCT CAST(:generation AS integer), id
    FROM unnest(CAST(:ids AS text[])) AS given (id)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
# Each as often as it is young: what has waited in vain for hours is tried once a minute, and keeps nobody from work.
_READY = text(
    """
    SELECT waiting.event FROM waiting JOIN positions USING (generation, topic, key)
    WHERE generation = :generation AND blocked IS NULL
      AND (waiting.sequence <= positions.last + 1 OR topic = ANY(:compacted))
      AND clock_timestamp() - tried_at >= least(interval '1 minute', (tried_at - since - interval '10 seconds') / 4)
    ORDER BY tried_at, sequence LIMIT :page
    """
)
_PARK = text(
    """
    INSERT INTO parked (generation, place, topic, key, sequence, event_id, type, tenant, reason, headers, value,
                        at_partition, at_offset, raw_key, raw_headers)
    VALUES (:generation, :place, :topic, :key, :sequence, :event_id, :type, :tenant, :reason,
            CAST(:headers AS jsonb), :value, :at_partition, :at_offset, :raw_key, :raw_headers)
    ON CONFLICT (generation, place) DO NOTHING
    """
)
_BLOCK = text(
    """
    INSERT INTO positions (generation, topic, key, last, blocked) VALUES (:generation, :topic, :key, 0, :reason)
    ON CONFLICT (generation, topic, key) DO UPDATE SET blocked = excluded.blocked
    """
)
# Of any generation: what an operator dropped stays dropped when everything is read anew.
_DROPPED_AT = text("SELECT min(dropped_at) FROM dropped WHERE place = :place")
_OFFSETS = text("SELECT topic, partition, next FROM offsets WHERE generation = :generation")


@dataclass
class Position:
    """How far a key is: the last applied sequence, and why it is blocked, if it is."""

    last: int
    blocked: str | None


class Ledger:
    """The books of one generation, inside the transaction that is given."""

    def __init__(self, session: Statements, generation: int) -> None:
        self._session = session
        self.generation = generation

    async def lock(self, keys: Iterable[Key]) -> dict[Key, Position]:
        """Locks these keys in their order and answers how far they are."""
        ordered = sorted(set(keys))
        if not ordered:
            return {}
        rows = await self._run(_LOCK, topics=[k[0] for k in ordered], keys=[k[1] for k in ordered])
        return {(row.topic, row.key): Position(row.last, row.blocked) for row in rows}

    async def advance(self, positions: Mapping[Key, int], nexts: Mapping[Partition, int]) -> None:
        """Keeps the new last sequence of each key and the next offset of each partition; moves no offset back."""
        if positions or nexts:
            await self._run(
                _ADVANCE,
                topics=[key[0] for key in positions],
                keys=[key[1] for key in positions],
                lasts=list(positions.values()),
                read=[topic for topic, _ in nexts],
                partitions=[number for _, number in nexts],
                nexts=list(nexts.values()),
            )

    async def waiting(self, keys: Iterable[str]) -> list[tuple[ReceivedEvent, str | None]]:
        """Events that wait under these keys or for them, each with the key that it awaits; no more than can be used."""
        rows = await self._run(_WAITING, keys=sorted(set(keys)), window=WINDOW, page=PAGE)
        return [(ReceivedEvent.from_stored(row.event), row.awaits) for row in rows]

    async def wait(self, events: Sequence[tuple[ReceivedEvent, str | None]]) -> None:
        """Lets events wait, for their predecessor (None) or for the event of another key."""
        if events:
            await self._run(
                _WAIT,
                topics=[event.topic for event, _ in events],
                keys=[event.key for event, _ in events],
                sequences=[event.sequence or 0 for event, _ in events],
                tenants=[event.tenant for event, _ in events],
                awaits=[awaits for _, awaits in events],
                events=[_json(event.stored()) for event, _ in events],
            )

    async def forget(self, events: Sequence[ReceivedEvent]) -> None:
        """Takes events out of the waiting room."""
        if events:
            await self._run(
                _FORGET,
                topics=[event.topic for event in events],
                keys=[event.key for event in events],
                sequences=[event.sequence or 0 for event in events],
            )

    async def first_seen(self, ids: Sequence[str]) -> set[str]:
        """Of events that carry no sequence: the ids that were never seen before."""
        return set((await self._run(_SEEN, ids=list(ids))).scalars()) if ids else set()

    async def ready(self, compacted: Sequence[str] = ()) -> list[ReceivedEvent]:
        """Waiting events whose turn it is, longest untried first, at most PAGE; on compacted topics all may go."""
        rows = await self._run(_READY, compacted=list(compacted), page=PAGE)
        return [ReceivedEvent.from_stored(row.event) for row in rows]

    async def park(self, parked: Parked, reason: str) -> ReceivedEvent | None:
        """Sets an event apart for an operator, and with it all later events of its key.

        What an operator dropped before is not parked again: what stands in its place is answered, and waits for its
        turn where it has a sequence.
        """
        dropped_at = (await self._run(_DROPPED_AT, place=parked.place)).scalar_one()
        if dropped_at is None:
            await self._run(_PARK, **{**asdict(parked), "headers": _json(parked.headers)}, reason=reason)
            if parked.key:
                await self._run(_BLOCK, topic=parked.topic, key=parked.key, reason=reason)
            return None
        return await self.pass_by(parked, dropped_at)

    async def pass_by(self, parked: Parked, dropped_at: datetime) -> ReceivedEvent:
        """Answers what stands in the place of an event that was dropped; it waits where it has a sequence."""
        stub = stub_of(parked, dropped_at)
        if stub.sequence is not None:
            await self.forget([stub])
            await self.wait([(stub, None)])
        return stub

    async def offsets(self) -> dict[Partition, int]:
        """The next offset of each partition, as it was committed with the effects."""
        return {(row.topic, row.partition): row.next for row in await self._run(_OFFSETS)}

    async def _run(self, statement: Any, **values: Any) -> Any:
        return await self._session.execute(statement, {"generation": self.generation, **values})


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

"""One test's own village and books, for what happens to received events inside the database."""

from collections.abc import Callable
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.station import NOTED, Note, Station, incoming, keep_effect
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.inbound import Inbound, Subscription
from support import village

TOPIC, OTHER, UPSERTS = "kit.notes", "kit.others", "kit.upserts"
Handle = Callable[[AsyncSession, ReceivedEvent, Any], Any]


class Room:
    """One test's own village and books: a consumer over the shared database in a generation of its own."""

    generations = iter(range(1000, 10_000))

    def __init__(self, station: Station, handle: Handle = keep_effect, **others: Subscription) -> None:
        self.station = station
        self.tenant = village()
        self.generation = next(self.generations)
        self.inbound = Inbound(
            "kit",
            station.worker,
            {TOPIC: False, OTHER: False, UPSERTS: True},
            {NOTED: Subscription(Note, handle), **{name.replace("__", "."): s for name, s in others.items()}},
            generation=self.generation,
        )
        self.offset = 0

    def event(self, key: str, sequence: int | None, *, topic: str = TOPIC, **more: Any) -> Record:
        """A good event in this village."""
        self.offset += 1
        return incoming(topic, key, sequence, self.tenant, offset=self.offset, **more)

    async def effects(self) -> list[tuple[str, int | None]]:
        """What was applied, in order."""
        return await self.station.effects(self.tenant)

    async def last(self, key: str, topic: str = TOPIC) -> int | None:
        """How far a key is."""
        sql = "SELECT last FROM positions WHERE generation = :g AND topic = :t AND key = :k"
        found: int | None = await self.station.value(sql, g=self.generation, t=topic, k=key)
        return found

    async def parked(self) -> list[tuple[str, int | None, str]]:
        """What is parked: key, sequence, reason."""
        sql = "SELECT key, sequence, reason FROM parked WHERE generation = :g ORDER BY id"
        return [tuple(row) for row in await self.station.rows(sql, g=self.generation)]

    async def waiting(self) -> list[tuple[str, int, str | None]]:
        """What waits: key, sequence, the key that it awaits."""
        sql = "SELECT key, sequence, awaits FROM waiting WHERE generation = :g ORDER BY key, sequence"
        return [tuple(row) for row in await self.station.rows(sql, g=self.generation)]

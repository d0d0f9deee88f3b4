"""A room with an operator in it, for what becomes of parked events."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from integration.kit.room import Room
from integration.kit.station import NOTED, Note, Station, keep_effect
from lianhu_kit import parked
from lianhu_kit.database import Database
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.inbound import Inbound, Subscription

ME = "local operator"


class Ward(Room):
    """A room with topics of its own, whose handler refuses what is in `bad`, and with an operator in it.

    Topics of its own, since what one drops is dropped in every generation.
    """

    def __init__(self, station: Station, tenant: str = "") -> None:
        self.bad: dict[str, Exception] = {}
        super().__init__(station, self._handle)
        self.tenant = tenant or self.tenant
        self.topic, self.upserts = f"kit.notes.{self.tenant}", f"kit.upserts.{self.tenant}"
        self.inbound = self.release({NOTED: Subscription(Note, self._handle)})

    def release(self, subscriptions: dict[str, Subscription]) -> Inbound:
        """A consumer over the same books that reads these types."""
        topics = {self.topic: False, self.upserts: True}
        return Inbound("kit", self.station.worker, topics, subscriptions, generation=self.generation)

    def event(self, key: str, sequence: int | None, *, topic: str = "", **more: Any) -> Record:
        """A good event in this village."""
        return super().event(key, sequence, topic=topic or self.topic, **more)

    async def last(self, key: str, topic: str = "") -> int | None:
        """How far a key is."""
        return await super().last(key, topic or self.topic)

    async def _handle(self, session: AsyncSession, event: ReceivedEvent, data: Note) -> None:
        if (error := self.bad.get(f"{event.key}{event.sequence or ''}")) is not None:
            raise error
        await keep_effect(session, event, data)

    async def ids(self, key: str = "a") -> list[int]:
        """The parked rows of a key, by their sequence."""
        sql = "SELECT id FROM parked WHERE generation = :g AND key = :k ORDER BY sequence, id"
        return [row.id for row in await self.station.rows(sql, g=self.generation, k=key)]

    async def decide(self, parked_id: int, verdict: parked.Verdict, reason: str = "as agreed", by: str = ME) -> Any:
        """What an operator on the machine itself does."""
        return await decided(self.station, parked_id, verdict, reason, by)

    async def blocked(self, key: str = "a") -> str | None:
        """Why a key stands still."""
        sql = "SELECT blocked FROM positions WHERE generation = :g AND topic = :t AND key = :k"
        found: str | None = await self.station.value(sql, g=self.generation, t=self.topic, k=key)
        return found

    async def dropped(self) -> list[tuple[str, int | None]]:
        """What was passed by."""
        sql = "SELECT key, sequence FROM dropped WHERE generation = :g ORDER BY sequence"
        return [tuple(row) for row in await self.station.rows(sql, g=self.generation)]


async def decided(station: Station, parked_id: int, verdict: parked.Verdict, reason: str = "r", by: str = ME) -> Any:
    """Decides as the cluster's superuser, like the command."""
    connection = parked_database(station)
    try:
        async with connection.transaction() as session:
            return await parked.decide(session, parked_id, verdict, reason, by)
    finally:
        await connection.close()


def parked_database(station: Station) -> Database:
    """The database as the command on the machine opens it."""
    return Database(station.superuser, application_name="kit-operator", pool_size=1)

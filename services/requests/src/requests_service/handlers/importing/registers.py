"""What an import needs of a kind of record: how it stands, writing it, taking it away, what stands in the way."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.outbox import OutgoingEvent, record
from requests_service.domain.rolls import Draft
from requests_service.events.directory import TOPIC

State = dict[str, Any]
_REMEMBER = text(
    """
    INSERT INTO removed_entities (key, tenant, sequence)
    SELECT key, tenant, sequence
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (key text, tenant text, sequence integer) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET tenant = excluded.tenant, sequence = excluded.sequence
    """
)
_KNOWN = text("SELECT code FROM org_units WHERE code = ANY(CAST(:codes AS text[]))")


class Register(Protocol):
    """One kind of record. Everything takes many at a time, in few round trips, and sees the scope's rows alone."""

    async def place(self, session: AsyncSession, drafts: Sequence[Draft]) -> None:
        """Looks lines up that are good so far: gives each its key, `before` and `after`, or a fault."""

    async def current(self, session: AsyncSession, keys: Collection[str], *, lock: bool = False) -> dict[str, State]:
        """How the records of these keys stand, in the form of `before` and `after`; locked in the order of keys."""

    async def write(self, session: AsyncSession, states: Mapping[str, State]) -> None:
        """Makes the records stand so, and publishes them as the batch calls do."""

    async def in_use(self, session: AsyncSession, keys: Collection[str]) -> set[str]:
        """Those of these that others refer to."""

    async def remove(self, session: AsyncSession, keys: Collection[str]) -> None:
        """Takes the records away and publishes that they are gone."""

    async def finish(self, session: AsyncSession) -> None:
        """What is to be published once, after the last write or removal."""


async def known_units(session: AsyncSession, codes: Collection[str]) -> set[str]:
    """Those of these codes that are units."""
    return set((await session.execute(_KNOWN, {"codes": sorted(codes)})).scalars())


async def gone(session: AsyncSession, type: str, rows: Sequence[tuple[str, str, int]]) -> None:
    """Publishes tombstones of (key, tenant, last sequence) and remembers the numbers, should a key come again."""
    kept = [{"key": key, "tenant": tenant, "sequence": last + 1} for key, tenant, last in rows]
    await session.execute(_REMEMBER, {"rows": as_json(kept)})
    await record(
        session,
        [OutgoingEvent(TOPIC, key, last + 1, f"lianhu.{type}.v1", key, tenant, None) for key, tenant, last in rows],
    )


def as_json(rows: Any) -> str:
    """Rows as a parameter that `jsonb_to_recordset` takes."""
    return orjson.dumps(rows, default=str).decode()

"""A volunteer's record of service (志愿服务记录): what they did, and the sums of each month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

# Of all villages that the scope shows; by the index on what somebody has done.
_MONTHS = text(
    """
    SELECT to_char(completed_at AT TIME ZONE :zone, 'YYYY-MM') AS month, count(*) AS visits,
           coalesce(sum(minutes), 0) AS minutes, coalesce(sum(served_person_times), 0) AS served
    FROM holdings WHERE person = :person AND completed_at IS NOT NULL
    GROUP BY month ORDER BY month DESC LIMIT 120
    """
)
_DONE = text(
    """
    SELECT h.completed_at, h.minutes, h.served_person_times, h.result, a.service, a.summary, r.number, a.id
    FROM holdings h JOIN assignments a ON a.id = h.assignment_id JOIN requests r ON r.id = a.request_id
    WHERE h.person = :person AND h.completed_at IS NOT NULL ORDER BY h.completed_at DESC LIMIT :limit
    """
)


@dataclass(frozen=True)
class Month:
    """What somebody did in a month (local, as 2026-11): visits, minutes, people served."""

    month: str
    visits: int
    minutes: int
    served: int

    @property
    def hours(self) -> float:
        """The minutes as hours, to a tenth."""
        return round(self.minutes / 60, 1)


async def months(session: AsyncSession, person: UUID, zone: str) -> list[Month]:
    """The months in which somebody did something, the newest first."""
    rows = await session.execute(_MONTHS, {"person": person, "zone": zone})
    return [Month(row.month, row.visits, int(row.minutes), int(row.served)) for row in rows]


async def done(session: AsyncSession, person: UUID, limit: int = 200) -> Sequence[dict[str, Any]]:
    """What somebody did, the newest first."""
    rows = await session.execute(_DONE, {"person": person, "limit": limit})
    return [dict(row) for row in rows.mappings()]


def lines(rows: Sequence[dict[str, Any]]) -> list[list[str | int | datetime | None]]:
    """The record as a table: when, number, service, summary, minutes, people served."""
    names = ("completed_at", "number", "service", "summary", "minutes", "served_person_times")
    return [[row[name] for name in names] for row in rows]

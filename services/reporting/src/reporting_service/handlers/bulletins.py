"""Writing a bulletin: the sums of a period, and freezing them."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from reporting_service.domain.contribution import SUBMITTED
from reporting_service.domain.periods import period_span
from reporting_service.domain.rows import row
from reporting_service.queries import names, sums
from reporting_service.queries.bulletins import issues
from reporting_service.queries.snapshots import Reading
from reporting_service.tables import BulletinRow

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))")


async def write(session: AsyncSession, reading: Reading, org: str, period: str, satisfied_from: int) -> dict[str, Any]:
    """What a bulletin of this period would say now: its total, its villages (or grids), its services.

    A quarter is computed anew from its sums, not from its months' rates.
    """
    span = period_span(period)
    parts: dict[str, list[dict[str, Any]]] = {}
    total: dict[str, Any] = {}
    for by in ("grid" if len(org) >= 12 else "village", "service"):
        found = await sums.read(session, reading, org, span, by, SUBMITTED)
        keys = {*found.sums, *found.served, *found.overdue}
        called = await names.names_of(session, reading, org, by, filter(None, keys))
        parts[by] = [
            {
                "key": key,
                "name": called.get(key or "", key or "–"),
                **row(
                    found.sums.get(key, {}), basis=SUBMITTED, overdue=found.overdue.get(key, 0),
                    served_people=found.served.get(key, 0), satisfied_from=satisfied_from,
                ),
            }
            for key in sorted(keys, key=lambda key: (key is None, key or ""))
        ]  # fmt: skip
        total = row(
            found.total, basis=SUBMITTED, overdue=found.total_overdue, served_people=found.total_served,
            satisfied_from=satisfied_from,
        )  # fmt: skip
    own = await names.names_of(session, reading, org, "village", [org])
    return {
        "org": org,
        "name": own.get(org, org),
        "period": period,
        "from": str(span.first),
        "to": str(span.last),
        "as_of": reading.as_of.isoformat(),
        "over": span.last is not None and span.last < reading.as_of.astimezone(reading.zone).date(),
        "satisfied_from": satisfied_from,
        "parts": parts,
        "total": total,
    }


async def issue(session: AsyncSession, content: dict[str, Any], by: UUID) -> BulletinRow:
    """Freezes a bulletin as its next revision; the same figures again are no new revision."""
    await session.execute(_LOCK, {"name": f"bulletin {content['org']} {content['period']}"})
    earlier = await issues(session, content["org"], content["period"])
    checksum = checksum_of(content)
    if earlier and earlier[0].checksum == checksum:
        return earlier[0]
    made = BulletinRow(
        org=content["org"], period=content["period"], revision=len(earlier) + 1, issued_at=now(session), issued_by=by,
        content=content, checksum=checksum,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


def checksum_of(content: dict[str, Any]) -> str:
    """What says whether two bulletins tell the same: over everything but the moment at which they were read."""
    said = {name: value for name, value in content.items() if name != "as_of"}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

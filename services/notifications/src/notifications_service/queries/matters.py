"""What is known of requests, as the rules want it. Named SQL: each event costs one round trip here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from notifications_service.domain.audiences import Matter

# The names to show are the nearest on the way up the tree, which is the code's own prefixes.
_KNOWN = """
    SELECT r.id, r.tenant, r.number, r.service AS code, r.grid, r.household, r.resident, r.reporter, r.guardian,
        r.minor, r.urgent, r.unseen, r.status, r.merged_into, r.holders, h.linking_person, v.code IS NOT NULL AS placed,
        coalesce(g.name, v.name, r.tenant) AS place,
        (SELECT s.name FROM services s WHERE s.code = r.service AND s.tenant = ANY (up.codes)
            ORDER BY length(s.tenant) DESC LIMIT 1) AS service,
        (SELECT u.locale FROM org_units u WHERE u.code = ANY (up.codes) AND u.locale IS NOT NULL
            ORDER BY length(u.code) DESC LIMIT 1) AS locale,
        (SELECT u.quiet_hours FROM org_units u WHERE u.code = ANY (up.codes) AND u.quiet_hours IS NOT NULL
            ORDER BY length(u.code) DESC LIMIT 1) AS quiet_hours
    FROM {source} r
    CROSS JOIN LATERAL (SELECT ARRAY[left(r.tenant, 2), left(r.tenant, 4), left(r.tenant, 6), left(r.tenant, 9),
        r.tenant] AS codes) up
    LEFT JOIN households h ON h.id = r.household
    LEFT JOIN org_units v ON v.code = r.tenant
    LEFT JOIN org_units g ON g.code = r.grid
"""

# Moves the request's copy, locks it with that for the rest of the transaction, and answers all that is known of it.
_MOVE = text(
    """
    WITH moved AS (
        UPDATE requests SET status = coalesce(CAST(:status AS text), status),
            merged_into = coalesce(CAST(:into AS uuid), merged_into),
            urgent = coalesce(CAST(:urgent AS boolean), urgent),
            holders = CASE WHEN CAST(:holder AS uuid) IS NULL OR CAST(:holder AS uuid) = ANY (holders) THEN holders
                      ELSE holders || CAST(:holder AS uuid) END
        WHERE id = :id RETURNING *)
    """
    + _KNOWN.format(source="moved")
)
# Requests that were merged into this one, over any number of steps.
_FOLLOWERS = text(
    """
    WITH RECURSIVE followers AS (
        SELECT * FROM requests WHERE merged_into = :id AND status = 'merged'
        UNION SELECT more.* FROM requests more JOIN followers ON more.merged_into = followers.id
        WHERE more.status = 'merged')
    """
    + _KNOWN.format(source="followers")
    + " ORDER BY r.id"
)
_ONE = text(_KNOWN.format(source="requests") + " WHERE r.id = :id")


class UnknownPlace(Exception):
    """The request's village is not in the directory's copy yet: its org-unit event comes first."""


async def move(
    session: AsyncSession,
    request: UUID,
    *,
    status: str | None = None,
    into: UUID | None = None,
    holder: UUID | None = None,
    urgent: bool | None = None,
) -> Matter | None:
    """The request after the move, its row locked; None where it is not known.

    `status` comes from the requests topic alone, `holder` is who took the work, `into` what it was merged into,
    `urgent` what the clerk decided.
    """
    values = {"id": request, "status": status, "into": into, "holder": holder, "urgent": urgent}
    row = (await session.execute(_MOVE, values)).mappings().one_or_none()
    if row is None:
        return None
    if not row["placed"]:
        raise UnknownPlace(row["tenant"])
    return _matter(row)


async def one(session: AsyncSession, request: UUID) -> Matter | None:
    """A request without a lock; None where it is not known."""
    row = (await session.execute(_ONE, {"id": request})).mappings().one_or_none()
    return None if row is None else _matter(row)


async def followers(session: AsyncSession, request: UUID) -> Sequence[Matter]:
    """The requests that were merged into this one."""
    return [_matter(row) for row in (await session.execute(_FOLLOWERS, {"id": request})).mappings()]


def _matter(row: Any) -> Matter:
    return Matter(
        id=row["id"],
        number=row["number"],
        tenant=row["tenant"],
        service=row["service"] or row["code"],
        place=row["place"],
        locale=row["locale"],
        grid=row["grid"],
        household=row["household"],
        resident=row["resident"],
        reporter=row["reporter"],
        guardian=row["guardian"],
        minor=row["minor"],
        urgent=row["urgent"],
        unseen=row["unseen"],
        quiet_hours=None if row["quiet_hours"] is None else tuple(row["quiet_hours"]),
        status=row["status"],
        holders=frozenset(row["holders"]),
        linking_person=row["linking_person"],
    )

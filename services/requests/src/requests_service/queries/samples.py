"""The sample of a month: drawn by a keyed hash, by the index over what was completed; and what was badly graded."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.ranges import under
from requests_service.domain.sampling import DRAWS, SHARE, Month
from requests_service.tables import OrgUnit, Request

SHOWN = 200
# Each request draws its number by its own id, so it stays drawn whatever is completed later in the month. Where no
# number of a village is low enough, its lowest counts.
_DRAWN = """
    month AS (
        SELECT id, tenant, sha256(convert_to(id::text || CAST(:key AS text), 'UTF8')) AS draw FROM requests
        WHERE tenant = ANY(CAST(:villages AS text[])) AND completed_at IS NOT NULL
          AND completed_at >= :begins AND completed_at < :ends),
    drawn AS (
        SELECT id FROM (SELECT id, draw, row_number() OVER (PARTITION BY tenant ORDER BY draw) AS nth FROM month) AS m
        WHERE nth = 1 OR get_byte(draw, 0) * 256 + get_byte(draw, 1) < :share)
"""
_LIST = text(
    f"""
    WITH {_DRAWN},
    bad AS (
        SELECT id FROM requests
        WHERE tenant = ANY(CAST(:villages AS text[])) AND completed_at IS NOT NULL
          AND completed_at >= :begins AND completed_at < :ends AND least(first_grade, last_grade) <= 2
        UNION
        SELECT id FROM requests
        WHERE tenant = ANY(CAST(:villages AS text[])) AND CAST(:newest AS boolean)
          AND status IN ('submitted', 'awaiting_resident', 'accepted', 'dispatched', 'claimed', 'in_progress',
                         'referred', 'with_town', 'completed')
          AND least(first_grade, last_grade) <= 2),
    chosen AS (SELECT id FROM bad UNION SELECT id FROM drawn LIMIT :limit)
    SELECT r.id, r.number, r.tenant, r.status, r.service, r.summary, r.first_grade, r.last_grade, r.completed_at,
           r.id IN (SELECT id FROM drawn) AS drawn, r.id IN (SELECT id FROM bad) AS bad,
           EXISTS (SELECT FROM grades g WHERE g.request_id = r.id AND g.source = 'callback')
               OR EXISTS (SELECT FROM steps s WHERE s.request_id = r.id AND s.step = 'sampled') AS called
    FROM chosen JOIN requests r ON r.id = chosen.id
    ORDER BY called, r.tenant, r.completed_at
    """
)
_ONE = text(f"WITH {_DRAWN} SELECT EXISTS (SELECT FROM drawn WHERE id = :id)")


async def samples(
    session: AsyncSession, villages: Sequence[str], month: Month, key: str, *, newest: bool
) -> list[dict[str, Any]]:
    """What is called back of a month, what was not called yet first; for the `newest` month also what was badly
    graded and is being done again. One more than is shown where there are more.
    """
    values = {**_values(villages, month, key), "newest": newest, "limit": SHOWN + 1}
    return [dict(row) for row in (await session.execute(_LIST, values)).mappings()]


async def is_drawn(session: AsyncSession, request: Request, month: Month, key: str) -> bool:
    """Whether a request is in the sample of a month."""
    values = {**_values([request.tenant], month, key), "id": request.id}
    return bool((await session.execute(_ONE, values)).scalar_one())


async def villages_under(session: AsyncSession, at: str) -> dict[str, str]:
    """The villages at or under a code, with their names."""
    query = select(OrgUnit.code, OrgUnit.name).where(under(col(OrgUnit.code), at), OrgUnit.level == "village")
    return dict((code, name) for code, name in await session.exec(query))


def _values(villages: Sequence[str], month: Month, key: str) -> dict[str, Any]:
    return {
        "villages": list(villages), "begins": month.begins, "ends": month.ends, "key": key,
        "share": round(SHARE * DRAWS),
    }  # fmt: skip

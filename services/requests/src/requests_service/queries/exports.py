"""The directory as lists, in the columns that imports take: what is exported can be sent in again."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

PAGE = 5000
# Each gives the columns of its list in their order, and its key first; a page goes on behind the key before.
_LISTS = {
    "units": """
        SELECT code AS key, code, name FROM org_units
        WHERE code >= :at AND code < :at || ':' AND length(code) < 17 AND code > :key ORDER BY code LIMIT :page
        """,
    "groups": """
        SELECT code AS key, code, name FROM org_units
        WHERE code >= :at AND code < :at || ':' AND length(code) = 17 AND code > :key ORDER BY code LIMIT :page
        """,
    "households": """
        SELECT id::text AS key, id, tenant, code, grid, group_code, address, linking_person FROM households
        WHERE tenant >= :at AND tenant < :at || ':' AND id > CAST(:key AS uuid) ORDER BY id LIMIT :page
        """,
    "linking": """
        SELECT id::text AS key, tenant, id, linking_person FROM households
        WHERE tenant >= :at AND tenant < :at || ':' AND id > CAST(:key AS uuid) ORDER BY id LIMIT :page
        """,
    "people": """
        SELECT id::text AS key, id, people.tenant, name, phone,
               (SELECT string_agg(role || CASE WHEN at = '' THEN '' ELSE '@' || at END, ';' ORDER BY role, at)
                FROM person_roles WHERE person = id),
               grid, array_to_string(skills, ';'), capacity, checked_until, CASE WHEN active THEN 'yes' ELSE 'no' END
        FROM people LEFT JOIN volunteers ON volunteers.person = people.id
        WHERE people.tenant >= :at AND people.tenant < :at || ':' AND id > CAST(:key AS uuid) ORDER BY id LIMIT :page
        """,
}
_FIRST = {"units": "", "groups": ""}
_NONE = "00000000-0000-0000-0000-000000000000"


async def lines_under(session: AsyncSession, kind: str, at: str) -> AsyncIterator[Sequence[Sequence[str]]]:
    """All that lies under a code, a page of lines at a time, each cell as text."""
    key = _FIRST.get(kind, _NONE)
    statement = text(_LISTS[kind])
    while rows := (await session.execute(statement, {"at": at, "key": key, "page": PAGE})).all():
        yield [[_cell(value) for value in row[1:]] for row in rows]
        key = rows[-1][0]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)

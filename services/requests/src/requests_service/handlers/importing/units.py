"""Units, grids and groups as an import sees them: a code and its name; their settings are left as they are."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.rolls import Draft
from requests_service.handlers.directory import put_units
from requests_service.handlers.importing.registers import Register, State, gone, known_units

_CURRENT = "SELECT code, name FROM org_units WHERE code = ANY(CAST(:codes AS text[])) ORDER BY code"
_SETTINGS = text("SELECT code, settings FROM org_units WHERE code = ANY(CAST(:codes AS text[]))")
_REMOVE = text("DELETE FROM org_units WHERE code = ANY(CAST(:codes AS text[])) RETURNING code, sequence")
_IN_USE = text(
    """
    SELECT wanted FROM unnest(CAST(:codes AS text[])) AS given (wanted)
    WHERE EXISTS (SELECT FROM org_units WHERE code > wanted AND code < wanted || ':'
                  AND NOT code = ANY(CAST(:codes AS text[])))
       OR EXISTS (SELECT FROM services WHERE tenant >= wanted AND tenant < wanted || ':')
       OR EXISTS (SELECT FROM people WHERE tenant >= wanted AND tenant < wanted || ':')
       OR EXISTS (SELECT FROM households WHERE tenant = left(wanted, 12)
                  AND (length(wanted) <= 12 OR starts_with(grid, wanted) OR starts_with(group_code, wanted)))
       OR EXISTS (SELECT FROM requests WHERE tenant = left(wanted, 12)
                  AND (length(wanted) <= 12 OR starts_with(grid, wanted)))
       OR EXISTS (SELECT FROM volunteers WHERE grid >= wanted AND grid < wanted || ':')
    """
)


class Units(Register):
    """`in_file` are the codes that the list brings itself: a grid may come with its village."""

    def __init__(self, in_file: Collection[str] = ()) -> None:
        self._in_file = set(in_file)

    async def place(self, session: AsyncSession, drafts: Sequence[Draft]) -> None:
        """A grid or group needs its village, known or in the same list."""
        villages = {draft.key[:12] for draft in drafts if len(draft.key) > 12} - self._in_file
        known = await known_units(session, villages)
        there = await self.current(session, [draft.key for draft in drafts])
        for draft in drafts:
            if draft.key[:12] in villages - known:
                draft.wrong("unit-unknown", "code")
                continue
            draft.before, draft.after = there.get(draft.key), {"name": draft.given["name"]}

    async def current(self, session: AsyncSession, keys: Collection[str], *, lock: bool = False) -> dict[str, State]:
        """By their codes."""
        rows = await session.execute(text(_CURRENT + (" FOR UPDATE" if lock else "")), {"codes": sorted(keys)})
        return {row.code: {"name": row.name} for row in rows}

    async def write(self, session: AsyncSession, states: Mapping[str, State]) -> None:
        """Names alone are written; settings stay."""
        settings = {row.code: row.settings for row in await session.execute(_SETTINGS, {"codes": sorted(states)})}
        items = [
            {"code": code, "name": state["name"], "settings": settings.get(code, {})} for code, state in states.items()
        ]
        await put_units(session, items)

    async def in_use(self, session: AsyncSession, keys: Collection[str]) -> set[str]:
        """Units under it, a catalogue, people, households or orders there."""
        return set((await session.execute(_IN_USE, {"codes": sorted(keys)})).scalars())

    async def remove(self, session: AsyncSession, keys: Collection[str]) -> None:
        """Takes units away."""
        rows = (await session.execute(_REMOVE, {"codes": sorted(keys)})).all()
        await gone(session, "org-unit.upserted", [(row.code, row.code, row.sequence) for row in rows])

    async def finish(self, session: AsyncSession) -> None:
        """Nothing more."""

"""Households as an import sees them, and who looks after which: found by id, or by the village's own code."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.identifiers import new_id
from requests_service.domain.rolls import Draft
from requests_service.domain.working import WORKING_ROLES
from requests_service.handlers.directory import write_households
from requests_service.handlers.importing.registers import Register, State, gone, known_units
from requests_service.handlers.people import announce

_CURRENT = """
    SELECT id, tenant, grid, group_code, code, address, linking_person FROM households
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id
    """
_BY_CODE = text(
    "SELECT id, tenant, code FROM households "
    "WHERE tenant = ANY(CAST(:tenants AS text[])) AND code = ANY(CAST(:codes AS text[]))"
)
_WHO_LINKS = text(
    """
    SELECT id, phone FROM people
    WHERE active AND (id = ANY(CAST(:ids AS uuid[])) OR phone = ANY(CAST(:phones AS text[])))
      AND EXISTS (SELECT FROM person_roles WHERE person = people.id AND role = ANY(CAST(:working AS text[])))
    """
)
_REMOVE = text(
    "DELETE FROM households WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id, tenant, linking_person, sequence"
)
_IN_USE = text("SELECT DISTINCT household FROM requests WHERE household = ANY(CAST(:ids AS uuid[]))")
AT_ONCE = 1000
_FIELDS = ("tenant", "grid", "group_code", "code", "address")


class Households(Register):
    """With `links` a list says of known households who looks after them, and makes none."""

    def __init__(self, *, links: bool = False) -> None:
        self._links = links
        self._touched: set[UUID] = set()

    async def place(self, session: AsyncSession, drafts: Sequence[Draft]) -> None:
        """Finds households, who links them, and whether their units are there."""
        by_code = await self._by_code(session, drafts)
        given = {draft.given["id"] for draft in drafts if draft.given["id"]}
        there = await self.current(session, given | set(by_code.values()))
        who = await self._who_links(session, drafts)
        named = ("tenant", "grid", "group_code")
        units = await known_units(
            session, {draft.given[name] for draft in drafts for name in named if draft.given.get(name)}
        )
        for draft in drafts:
            found = draft.given["id"] or by_code.get((draft.tenant, draft.given.get("code") or ""))
            draft.before = there.get(found or "")
            if draft.before is None and (draft.given["id"] or self._links):
                draft.wrong(
                    "id-unknown" if draft.given["id"] else "household-unknown", "household" if self._links else "id"
                )
                continue
            draft.key = found or str(new_id())
            blank: State = dict.fromkeys((*_FIELDS, "linking_person"))
            draft.after = blank | (draft.before or {}) | {n: draft.given[n] for n in _FIELDS if n in draft.given}
            if draft.before is not None and draft.before["tenant"] != draft.after["tenant"]:
                draft.wrong("elsewhere", "village")
            self._check(draft, by_code, units, who)

    def _check(self, draft: Draft, by_code: Mapping[Any, str], units: set[str], who: Mapping[str, list[str]]) -> None:
        draft.tenant = draft.after["tenant"]
        taken = by_code.get((draft.tenant, draft.after["code"] or ""))
        if taken is not None and taken != draft.key:
            draft.wrong("household-code-taken", "household" if self._links else "code")
        for name, column in (("tenant", "village"), ("grid", "grid"), ("group_code", "group")):
            code = draft.given.get(name)
            if code and not code.startswith(draft.tenant):
                draft.wrong("elsewhere", column)
            elif code and code not in units:
                draft.wrong("unit-unknown", column)
        if "linking" in draft.given:
            wanted = draft.given["linking"]
            found = who.get(wanted, []) if wanted else []
            if wanted and len(found) != 1:
                draft.wrong("linking-several" if found else "linking-unknown", "linking")
            draft.after["linking_person"] = found[0] if found else None

    async def _by_code(self, session: AsyncSession, drafts: Sequence[Draft]) -> dict[tuple[str, str], str]:
        pairs = {(draft.tenant, draft.given["code"]) for draft in drafts if draft.given.get("code")}
        values = {"tenants": sorted({pair[0] for pair in pairs}), "codes": sorted({pair[1] for pair in pairs})}
        return {(row.tenant, row.code): str(row.id) for row in await session.execute(_BY_CODE, values)} if pairs else {}

    async def _who_links(self, session: AsyncSession, drafts: Sequence[Draft]) -> dict[str, list[str]]:
        wanted = {draft.given["linking"] for draft in drafts if draft.given.get("linking")}
        ids = sorted(UUID(one) for one in wanted if len(one) == 36)
        phones = sorted(one for one in wanted if len(one) != 36)
        values = {"ids": ids, "phones": phones, "working": sorted(WORKING_ROLES)}
        found: dict[str, list[str]] = {}
        if wanted:
            for row in await session.execute(_WHO_LINKS, values):
                for name in {str(row.id), row.phone} & wanted:
                    found.setdefault(name, []).append(str(row.id))
        return found

    async def current(self, session: AsyncSession, keys: Collection[str], *, lock: bool = False) -> dict[str, State]:
        """By their ids."""
        ids = sorted(UUID(key) for key in keys)
        rows = await session.execute(text(_CURRENT + (" FOR UPDATE" if lock else "")), {"ids": ids})
        return {
            str(row.id): {**{name: getattr(row, name) for name in _FIELDS}, "linking_person": _text(row.linking_person)}
            for row in rows
        }

    async def write(self, session: AsyncSession, states: Mapping[str, State]) -> None:
        """As the batch call does."""
        _, touched = await write_households(session, [{**state, "id": key} for key, state in states.items()])
        self._touched |= touched

    async def in_use(self, session: AsyncSession, keys: Collection[str]) -> set[str]:
        """Those that orders name."""
        ids = sorted(UUID(key) for key in keys)
        return {str(row) for row in (await session.execute(_IN_USE, {"ids": ids})).scalars()}

    async def remove(self, session: AsyncSession, keys: Collection[str]) -> None:
        """Takes households away."""
        rows = (await session.execute(_REMOVE, {"ids": sorted(UUID(key) for key in keys)})).all()
        self._touched |= {row.linking_person for row in rows if row.linking_person}
        await gone(session, "household.upserted", [(str(row.id), row.tenant, row.sequence) for row in rows])

    async def finish(self, session: AsyncSession) -> None:
        """Publishes once each whose linking households changed."""
        touched = sorted(self._touched)
        for begin in range(0, len(touched), AT_ONCE):
            await announce(session, touched[begin : begin + AT_ONCE])


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None

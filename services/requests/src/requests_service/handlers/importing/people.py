"""People as an import sees them: found by id, or by village, name and phone; roles beyond the admin's reach stay."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.identifiers import new_id
from requests_service.domain.rolls import Draft
from requests_service.handlers.importing.registers import Register, State, gone, known_units
from requests_service.handlers.people import DEFAULT_CAPACITY, put_people

_LOCK = text("SELECT id FROM people WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")
_CURRENT = text(
    """
    SELECT id, people.tenant, name, phone, locale, active,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'at', at) ORDER BY role, at), '[]')
            FROM person_roles WHERE person = id) AS roles,
           CASE WHEN profile.person IS NOT NULL THEN to_jsonb(profile) - 'person' - 'tenant' END AS volunteer
    FROM people LEFT JOIN volunteers AS profile ON profile.person = people.id
    WHERE id = ANY(CAST(:ids AS uuid[]))
      AND people.tenant >= current_setting('lianhu.scope') AND people.tenant < current_setting('lianhu.scope') || ':'
    """
)
_BY_PHONE = text(
    "SELECT id, tenant, name, phone FROM people "
    "WHERE phone = ANY(CAST(:phones AS text[])) AND tenant = ANY(CAST(:tenants AS text[]))"
)
_BY_NAME = text(
    "SELECT id, tenant, name, phone FROM people "
    "WHERE tenant = ANY(CAST(:tenants AS text[])) AND name = ANY(CAST(:names AS text[])) AND phone IS NULL"
)
_NO_PROFILE = text("DELETE FROM volunteers WHERE person = ANY(CAST(:ids AS uuid[]))")
_NO_ROLES = text("DELETE FROM person_roles WHERE person = ANY(CAST(:ids AS uuid[]))")
_REMOVE = text("DELETE FROM people WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id, tenant, sequence")
_IN_USE = text(
    """
    SELECT wanted FROM unnest(CAST(:ids AS uuid[])) AS given (wanted)
    WHERE EXISTS (SELECT villages_of_person(wanted))
       OR EXISTS (SELECT FROM households WHERE linking_person = wanted)
       OR EXISTS (SELECT FROM web_sessions WHERE person = wanted)
    UNION SELECT person FROM holders WHERE person = ANY(CAST(:ids AS uuid[]))
    """
)
_PROFILE = ("grid", "skills", "capacity", "checked_until")


class People(Register):
    """`at` is the admin's place: roles elsewhere are not this admin's to take away."""

    def __init__(self, at: str) -> None:
        self._at = at

    async def place(self, session: AsyncSession, drafts: Sequence[Draft]) -> None:
        """Finds people, and whether their units are there."""
        told = await self._told(session, [draft for draft in drafts if not draft.given["id"]])
        given = {draft.given["id"] for draft in drafts if draft.given["id"]}
        there = await self.current(session, given | {key for keys in told.values() for key in keys})
        named = ("tenant", "grid")
        units = await known_units(
            session, {draft.given[name] for draft in drafts for name in named if draft.given.get(name)}
        )
        for draft in drafts:
            same = told.get((draft.tenant, draft.given["name"], draft.given.get("phone")), [])
            if len(same) > 1:
                draft.wrong("person-several", "name")
                continue
            found = draft.given["id"] or (same[0] if same else None)
            draft.before = there.get(found or "")
            if draft.given["id"] and draft.before is None:
                draft.wrong("id-unknown", "id")
                continue
            draft.key = found or str(new_id())
            draft.after = self._after(draft.before, draft.given)
            draft.tenant = draft.after["tenant"]
            for name, column in (("tenant", "village"), ("grid", "grid")):
                code = draft.given.get(name)
                if code and not code.startswith(draft.tenant):
                    draft.wrong("elsewhere", column)
                elif code and code not in units:
                    draft.wrong("unit-unknown", column)

    def _after(self, before: State | None, given: Mapping[str, Any]) -> State:
        after: State = {"tenant": None, "name": None, "phone": None, "locale": None, "active": True, "roles": []}
        after |= {"volunteer": None} | (before or {})
        after |= {name: given[name] for name in ("tenant", "name", "phone", "active") if name in given}
        if "roles" in given:
            beyond = [role for role in (before or {}).get("roles", []) if not self._reaches(role["at"])]
            here = [role if role["at"] is not None else {**role, "at": after["tenant"]} for role in given["roles"]]
            kept = {(role["role"], role["at"]) for role in [*here, *beyond]}
            after["roles"] = [{"role": role, "at": at} for role, at in sorted(kept)]
        said = {name: given[name] for name in _PROFILE if name in given}
        if after["volunteer"] or any(said.values()):
            empty: State = {
                "grid": None,
                "skills": [],
                "capacity": DEFAULT_CAPACITY,
                "away_until": None,
                "checked_until": None,
            }
            after["volunteer"] = empty | (after["volunteer"] or {}) | said
            if after["volunteer"]["capacity"] is None:
                after["volunteer"]["capacity"] = DEFAULT_CAPACITY
        return after

    def _reaches(self, at: str) -> bool:
        return not at or at.startswith(self._at)

    async def _told(
        self, session: AsyncSession, drafts: Sequence[Draft]
    ) -> dict[tuple[str, str, str | None], list[str]]:
        """Who is known under a village, a name and a phone number, or none."""
        found: dict[tuple[str, str, str | None], list[str]] = defaultdict(list)
        phones = {draft.given["phone"] for draft in drafts if draft.given.get("phone")}
        names = {draft.given["name"] for draft in drafts if not draft.given.get("phone")}
        tenants = sorted({draft.tenant for draft in drafts})
        rows: list[Any] = []
        if phones:
            rows += await session.execute(_BY_PHONE, {"phones": sorted(phones), "tenants": tenants})
        if names:
            rows += await session.execute(_BY_NAME, {"names": sorted(names), "tenants": tenants})
        for row in rows:
            found[row.tenant, row.name, row.phone].append(str(row.id))
        return found

    async def current(self, session: AsyncSession, keys: Collection[str], *, lock: bool = False) -> dict[str, State]:
        """By their ids."""
        values = {"ids": sorted(UUID(key) for key in keys)}
        if lock:
            await session.execute(_LOCK, values)
        names = ("tenant", "name", "phone", "locale", "active", "roles", "volunteer")
        return {
            str(row.id): {name: getattr(row, name) for name in names} for row in await session.execute(_CURRENT, values)
        }

    async def write(self, session: AsyncSession, states: Mapping[str, State]) -> None:
        """As the batch call does; a profile that is not to be there goes."""
        bare = sorted(UUID(key) for key, state in states.items() if state["volunteer"] is None)
        await session.execute(_NO_PROFILE, {"ids": bare})
        await put_people(session, [{**state, "id": UUID(key)} for key, state in states.items()])

    async def in_use(self, session: AsyncSession, keys: Collection[str]) -> set[str]:
        """Those who ordered, held work, link households or signed in."""
        ids = sorted(UUID(key) for key in keys)
        return {str(row) for row in (await session.execute(_IN_USE, {"ids": ids})).scalars()}

    async def remove(self, session: AsyncSession, keys: Collection[str]) -> None:
        """Takes people away, roles and profile with them; of those who worked it is published."""
        values = {"ids": sorted(UUID(key) for key in keys)}
        await session.execute(_NO_PROFILE, values)
        await session.execute(_NO_ROLES, values)
        rows = (await session.execute(_REMOVE, values)).all()
        told = [(str(row.id), row.tenant, row.sequence) for row in rows if row.sequence]
        await gone(session, "volunteer.upserted", told)

    async def finish(self, session: AsyncSession) -> None:
        """Nothing more: each write has told of its people."""

"""How a call finds what it acts on: the grants of the caller, one by one, then the locks."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import Request as Call
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.queries import assignments
from dispatch_service.queries.assignments import Reference
from dispatch_service.queries.locking import lock_assignment
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.access import Access
from lianhu_kit.problems import NotFound
from lianhu_kit.tokens import Grant

WORKERS = ("volunteer", "grid_worker")  # are offered work
LEADERS = ("grid_leader", "branch_secretary", "clerk")  # decide about work
WORKING = WORKERS + LEADERS  # may hold work: leaders too, when they are staff and were ordered


def settings_of(call: Call) -> Settings:
    """The settings that the process was started with."""
    settings: Settings = call.app.state.settings
    return settings


def locale_of(call: Call) -> str:
    """The language that the caller reads, zh-CN or en; the deployment's where they don't say."""
    wanted = call.headers.get("accept-language", "").strip().lower()
    if wanted.startswith(("en", "zh")):
        return "en" if wanted.startswith("en") else "zh-CN"
    return settings_of(call).locale


def person_of(access: Access) -> UUID:
    """The caller's person; every route here needs a token."""
    if access.person is None:
        raise NotFound()
    return access.person


def among(access: Access, *roles: str) -> Access:
    """The same caller with only these roles."""
    return Access(access.caller, tuple(grant for grant in access.grants if grant.role in roles))


async def own(access: Access, session: AsyncSession, id: UUID) -> tuple[Request, Assignment]:
    """An assignment that was offered to the caller or is held by them, locked; NotFound for any other."""
    return await _locked(access, session, id, own=True)


async def in_reach(access: Access, session: AsyncSession, id: UUID) -> tuple[Request, Assignment]:
    """An assignment under one of the caller's places, locked; NotFound for any other."""
    return await _locked(access, session, id, own=False)


async def _locked(access: Access, session: AsyncSession, id: UUID, *, own: bool) -> tuple[Request, Assignment]:
    _, found = await access.locate(session, _finder(access, session, id, own=own))
    return await lock_assignment(session, found.id, found.request_id)


def _finder(
    access: Access, session: AsyncSession, id: UUID, *, own: bool
) -> Callable[[Grant], Awaitable[Reference | None]]:
    async def load(grant: Grant) -> Reference | None:
        return await assignments.reference(session, id, at=grant.at, person=access.person, own=own)

    return load


async def shown(call: Call, access: Access, session: AsyncSession, id: UUID) -> dict[str, Any]:
    """The assignment as the caller sees it after the move."""
    await session.flush()
    return assignments.item(await assignments.one(session, id, access.person), locale_of(call))

"""What a place inherits: settings and catalogue. An order's own look-up is in `placing`."""

from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.divisions import ancestors
from requests_service.domain.inheritance import inherited_catalogue, inherited_settings, nearest
from requests_service.tables import CatalogueService, OrgUnit


def chain(code: str) -> list[str]:
    """A unit and everything above it."""
    return [code, *ancestors(code)]


async def settings_at(session: AsyncSession, code: str) -> dict[str, Any]:
    """The settings that hold at a code, its ancestors' among them."""
    rows = await session.exec(select(OrgUnit.code, OrgUnit.settings).where(col(OrgUnit.code).in_(chain(code))))
    return inherited_settings((row[0], row[1]) for row in rows)


async def labels_at(session: AsyncSession, code: str) -> str:
    """The set of labels that holds at a code, its own or inherited; pages name moves and states by it."""
    return str((await settings_at(session, code)).get("label_set") or "default")


async def catalogue_at(session: AsyncSession, tenant: str) -> list[CatalogueService]:
    """The services that a village offers, its own and inherited, in the order of their positions."""
    return inherited_catalogue(await _entries(session, tenant))


async def catalogue_with_origins(session: AsyncSession, at: str) -> list[CatalogueService]:
    """Every service known at a unit, those switched off among them; `tenant` is the unit that says it."""
    return nearest(await _entries(session, at))


async def _entries(session: AsyncSession, at: str) -> list[CatalogueService]:
    rows = await session.exec(
        select(CatalogueService)
        .where(col(CatalogueService.tenant).in_(chain(at)))
        .order_by(col(CatalogueService.position), col(CatalogueService.code))
    )
    return list(rows)


async def service_at(session: AsyncSession, tenant: str, code: str) -> CatalogueService | None:
    """One service of a village, None where the village does not offer it."""
    return next((service for service in await catalogue_at(session, tenant) if service.code == code), None)


async def unit_exists(session: AsyncSession, code: str) -> bool:
    """Whether there is such a unit."""
    return await session.get(OrgUnit, code) is not None


async def units_under(session: AsyncSession, under: str, after: str | None, limit: int) -> list[OrgUnit]:
    """A unit and all units under it in the order of their codes."""
    query = select(OrgUnit).where(OrgUnit.code >= under, OrgUnit.code < under + ":")
    if after is not None:
        query = query.where(OrgUnit.code > after)
    return list(await session.exec(query.order_by(col(OrgUnit.code)).limit(limit)))

"""Org units, the catalogue, households: what is published on the directory topic."""

from typing import Any
from uuid import UUID

from sqlmodel import Field

from requests_service.tables.columns import Table, code, document, words


class OrgUnit(Table, table=True):
    """A unit of the tree; `settings` are what it sets itself."""

    __tablename__ = "org_units"

    code: str = code(key=True)
    level: str = words()
    name: str = words()
    settings: dict[str, Any] = document()
    found_by: str | None = words(nullable=True)
    sequence: int


class CatalogueService(Table, table=True):
    """A service that a unit offers to all villages under it; `position` orders the list."""

    __tablename__ = "services"

    tenant: str = code(key=True)
    code: str = Field(primary_key=True)
    name: str = words()
    name_en: str | None = words(nullable=True)
    description: str = words()
    kind: str = words()
    questions: list[dict[str, Any]] = document()
    limits: dict[str, Any] = document()
    guardian_consent: bool
    route_default: str = words()
    skill: str | None = words(nullable=True)
    places_default: int
    position: int
    active: bool
    sequence: int


class Household(Table, table=True):
    """A household; `code` is the village's own for it, `linking_person` the volunteer who looks after it."""

    __tablename__ = "households"

    id: UUID = Field(primary_key=True)
    tenant: str = code()
    grid: str | None = code(nullable=True)
    group_code: str | None = code(nullable=True)
    code: str | None = words(nullable=True)
    address: str | None = words(nullable=True)
    linking_person: UUID | None = None
    sequence: int

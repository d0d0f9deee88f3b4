"""Copies of what the directory topic tells."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from dispatch_service.tables.registry import Table, division, moment, plain


class OrgUnit(Table, table=True):
    """A unit of the tree with its own settings; public, so without a village's limit."""

    __tablename__ = "org_units"

    code: str = division(primary_key=True)
    parent: str | None = division(default=None)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class Household(Table, table=True):
    """A household: where it is and who links it."""

    __tablename__ = "households"

    id: UUID = Field(primary_key=True)
    tenant: str = division()
    grid: str | None = division(default=None)
    linking_person: UUID | None = None
    gone: bool = False


class Volunteer(Table, table=True):
    """Somebody with a working role, under a masked name.

    `load` is the number of places held and still open. Once somebody has set the profile here (`profile_set_at`),
    skills, capacity and absence are this service's; the directory's first values no longer change them.
    """

    __tablename__ = "volunteers"
    __table_args__ = (Index("volunteers_list", "tenant", "id"),)

    id: UUID = Field(primary_key=True)
    tenant: str = division()
    grid: str | None = division(default=None)
    name: str = plain()
    roles: list[dict[str, str]] = Field(sa_type=JSONB)
    staff: bool
    skills: list[str] = Field(sa_type=JSONB)
    capacity: int
    load: int = 0
    away_until: datetime | None = moment(default=None)
    checked_until: date | None = None
    linking_households: list[str] = Field(sa_type=JSONB)
    active: bool
    profile_set_at: datetime | None = moment(default=None)

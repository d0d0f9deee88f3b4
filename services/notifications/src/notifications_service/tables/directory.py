"""Copies of the directory that this service needs: names and languages of units, services, roles, linking persons."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from notifications_service.tables.table import CODE, MOMENT, Table


class OrgUnit(Table, table=True):
    """A unit of the tree; `locale` and `quiet_hours` where the unit sets them itself."""

    __tablename__ = "org_units"
    code: str = Field(sa_type=CODE, primary_key=True)
    name: str = Field(sa_type=Text)
    locale: str | None = Field(default=None, sa_type=Text)
    quiet_hours: list[str] | None = Field(default=None, sa_type=ARRAY(Text))


class Service(Table, table=True):
    """The name of a catalogue's service; `tenant` is the unit that offers it."""

    __tablename__ = "services"
    tenant: str = Field(sa_type=CODE, primary_key=True)
    code: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)


class PersonRole(Table, table=True):
    """A role of a person at a place: who stands for the village's desk, a grid's leaders, the town."""

    __tablename__ = "person_roles"
    __table_args__ = (Index("person_roles_place", "at", "role"),)
    person: UUID = Field(primary_key=True)
    role: str = Field(sa_type=Text, primary_key=True)
    at: str = Field(sa_type=CODE, primary_key=True)


class Household(Table, table=True):
    """A household and the person who links it."""

    __tablename__ = "households"
    id: UUID = Field(primary_key=True)
    tenant: str = Field(sa_type=CODE)
    linking_person: UUID | None = None


class Preference(Table, table=True):
    """What a person chose for themselves: the language of their messages, and when which channel brings them."""

    __tablename__ = "preferences"
    person: UUID = Field(primary_key=True)
    locale: str = Field(sa_type=Text)
    choices: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )
    updated_at: datetime = Field(sa_type=MOMENT)

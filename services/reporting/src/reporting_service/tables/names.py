"""Copies of the directory: the names that rows and timelines show."""

from uuid import UUID

from sqlmodel import Field

from reporting_service.tables.registry import Table, division, words


class OrgUnit(Table, table=True):
    """The name of a unit, from city to group."""

    __tablename__ = "org_units"

    generation: int = Field(primary_key=True)
    code: str = division(primary_key=True)
    name: str = words()


class Service(Table, table=True):
    """The name of a service where it is offered: a city, a town or a village."""

    __tablename__ = "services"

    generation: int = Field(primary_key=True)
    tenant: str = division(primary_key=True)
    code: str = division(primary_key=True)
    name: str = words()


class Person(Table, table=True):
    """The masked name of whoever has a working role."""

    __tablename__ = "people"

    generation: int = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    tenant: str = division()
    name: str = words()

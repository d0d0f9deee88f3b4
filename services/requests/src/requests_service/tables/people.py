"""People with their roles, and a volunteer's profile. Names and phones stay here."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlmodel import Field

from requests_service.tables.columns import Table, code, moment, words


class Person(Table, table=True):
    """Somebody with an account; `tenant` is where they belong: a village, or the unit that they work for."""

    __tablename__ = "people"

    id: UUID = Field(primary_key=True)
    tenant: str = code()
    name: str = words()
    phone: str | None = words(nullable=True)
    mail: str | None = words(nullable=True)
    locale: str | None = words(nullable=True)
    active: bool
    sequence: int
    created_at: datetime = moment()


class PersonRole(Table, table=True):
    """A role of a person at a code."""

    __tablename__ = "person_roles"

    person: UUID = Field(primary_key=True, foreign_key="people.id")
    role: str = Field(primary_key=True)
    at: str = code(key=True)
    tenant: str = code()


class Volunteer(Table, table=True):
    """What dispatch needs to know of somebody who works; `checked_until` is the end of the check for minors' visits."""

    __tablename__ = "volunteers"

    person: UUID = Field(primary_key=True, foreign_key="people.id")
    tenant: str = code()
    grid: str | None = code(nullable=True)
    skills: list[str] = Field(sa_type=ARRAY(Text))
    capacity: int
    away_until: datetime | None = moment(nullable=True)
    checked_until: date | None = None

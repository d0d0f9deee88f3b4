"""The columns that several tables have: codes in C order, moments with zone, documents."""

from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Table(SQLModel, registry=registry()):
    """The tables of this service, apart from those of others that live in the same process in tests."""


CODE = Text(collation="C")  # ranges of division codes stand on the order of bytes
MOMENT = DateTime(timezone=True)


def code(*, key: bool = False, nullable: bool = False) -> Any:
    """A division code."""
    return Field(default=None if nullable else ..., sa_type=CODE, primary_key=key, nullable=nullable)


def words(*, nullable: bool = False) -> Any:
    """Text of any length."""
    return Field(default=None if nullable else ..., sa_type=Text, nullable=nullable)


def moment(*, nullable: bool = False) -> Any:
    """A time with zone."""
    return Field(default=None if nullable else ..., sa_type=MOMENT, nullable=nullable)


def document() -> Any:
    """A JSON value that is replaced, never changed in place."""
    return Field(sa_type=JSONB)

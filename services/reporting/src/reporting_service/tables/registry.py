"""The registry of this service's tables: several services live in one test process."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Table(SQLModel, registry=registry()):
    """What every table derives from."""


def division(**options: Any) -> Any:
    """A column for a division code: text that sorts by bytes, so that a prefix is a range."""
    return Field(sa_type=Text(collation="C"), **options)


def words(**options: Any) -> Any:
    """A column for text without a length of its own."""
    return Field(sa_type=Text, **options)


def moment(**options: Any) -> Any:
    """A column for a point in time."""
    return Field(sa_type=DateTime(timezone=True), **options)


def amount(**options: Any) -> Any:
    """A column for a sum."""
    return Field(sa_type=BigInteger, **options)


Moment = datetime

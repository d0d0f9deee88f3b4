"""The registry of this service's tables: several services live in one test process."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from dispatch_service.domain.states import State


class Table(SQLModel, registry=registry()):
    """What every table derives from."""


class StateText(TypeDecorator[State]):
    """A state as text in the database, as a State in the code."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: State | str | None, dialect: Dialect) -> str | None:
        """On the way in."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> State | None:
        """On the way out."""
        return None if value is None else State(value)


def division(**options: Any) -> Any:
    """A column for a division code: text that sorts by bytes, so that a prefix is a range."""
    return Field(sa_type=Text(collation="C"), **options)


def moment(**options: Any) -> Any:
    """A column for a point in time."""
    return Field(sa_type=DateTime(timezone=True), **options)


def plain(**options: Any) -> Any:
    """A column for text without a length of its own."""
    return Field(sa_type=Text, **options)


Moment = datetime

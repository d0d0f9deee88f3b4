"""The registry of this service's tables: its own, as several services live in one test process."""

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

CODE = Text(collation="C")  # division codes compare as ranges
MOMENT = DateTime(timezone=True)


class Table(SQLModel, registry=registry()):
    """What all tables of this service are made from."""

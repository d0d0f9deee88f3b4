"""Sums of what requests add, a row per cell and measure; moved only by differences of facts."""

from datetime import date
from uuid import UUID

from sqlmodel import Field

from reporting_service.tables.registry import Table, amount, division


class Tally(Table, table=True):
    """The sum of one measure in one cell. `grid` is empty while a request has none."""

    __tablename__ = "tallies"

    generation: int = Field(primary_key=True)
    basis: str = division(primary_key=True)
    tenant: str = division(primary_key=True)
    day: date = Field(primary_key=True)
    service: str = division(primary_key=True)
    grid: str = division(primary_key=True)
    measure: str = division(primary_key=True)
    value: int = amount()


class SpanTally(Table, table=True):
    """The sum of the days of a month, named by its first day, or of all days (-infinity), over a village's grids."""

    __tablename__ = "span_tallies"

    generation: int = Field(primary_key=True)
    basis: str = division(primary_key=True)
    month: date = Field(primary_key=True)
    tenant: str = division(primary_key=True)
    service: str = division(primary_key=True)
    measure: str = division(primary_key=True)
    value: int = amount()


class VolunteerTally(Table, table=True):
    """The same for whoever held a request: each holder's row has the whole request, and the own work."""

    __tablename__ = "volunteer_tallies"

    generation: int = Field(primary_key=True)
    basis: str = division(primary_key=True)
    tenant: str = division(primary_key=True)
    day: date = Field(primary_key=True)
    service: str = division(primary_key=True)
    grid: str = division(primary_key=True)
    person: UUID = Field(primary_key=True)
    measure: str = division(primary_key=True)
    value: int = amount()

"""One row per request: the halves of its story, and what is read of it without opening them."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZMULTIRANGE
from sqlalchemy.dialects.postgresql import UUID as UUID_TYPE
from sqlmodel import Field

from reporting_service.tables.registry import Moment, Table, division, moment, words


class FactRow(Table, table=True):
    """A fact in one generation. All but the halves is derived from them, but `counted_at`."""

    __tablename__ = "facts"
    __table_args__ = (
        Index("facts_place", "generation", "tenant", "submitted_on", "status"),
        Index("facts_assigned", "generation", "tenant", "assignment_at", "assignment"),
        Index(
            "facts_overdue", "generation", "tenant", "overdue_from", postgresql_where=text("overdue_from IS NOT NULL")
        ),
        Index("facts_late", "generation", "tenant", postgresql_where=text("was_overdue IS NOT NULL")),
        Index(
            "facts_people",
            "generation",
            "tenant",
            "submitted_on",
            "served_on",
            postgresql_include=["served_id", "service", "resident", "reporter"],
            postgresql_where=text("served_on IS NOT NULL AND served_id IS NOT NULL"),
        ),
    )

    generation: int = Field(primary_key=True)
    request_id: UUID = Field(primary_key=True)
    tenant: str = division()
    grid: str | None = division(default=None)
    service: str | None = division(default=None)
    number: str | None = words(default=None)
    status: str | None = words(default=None)
    submitted_at: Moment | None = moment(default=None)
    submitted_on: date | None = None
    served_id: UUID | None = None
    served_on: date | None = None
    resident: UUID | None = None
    reporter: UUID | None = None
    holders: list[UUID] = Field(default=[], sa_type=ARRAY(UUID_TYPE))
    helpers: list[UUID] = Field(default=[], sa_type=ARRAY(UUID_TYPE))
    assignment: str | None = words(default=None)
    assignment_at: Moment | None = moment(default=None)
    overdue_from: Moment | None = moment(default=None)
    was_overdue: Any | None = Field(default=None, sa_type=TSTZMULTIRANGE)
    counted_at: Moment | None = moment(default=None)
    halves: dict[str, Any] = Field(sa_type=JSONB)

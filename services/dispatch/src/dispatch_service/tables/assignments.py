"""Assignments, who was offered one, who holds one, and what happened to it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from dispatch_service.domain.states import State
from dispatch_service.tables.registry import Moment, StateText, Table, division, moment, plain


class Assignment(Table, table=True):
    """One round of dispatch of a request, with its places."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("assignments_round", "request_id", "round", unique=True),
        Index("assignments_list", "tenant", "id"),
        Index(
            "assignments_open",
            "tenant",
            postgresql_where=text("state IN ('routed', 'offered', 'assigned', 'claimed', 'in_progress')"),
        ),
        Index("assignments_awaiting", "staff", postgresql_where=text("state = 'routed' AND staff IS NOT NULL")),
        Index(
            "assignments_supervised",
            "tenant",
            "supervised_until",
            postgresql_where=text("supervised_until IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    request_id: UUID = Field(foreign_key="requests.id")
    tenant: str = division()
    round: int
    grid: str | None = division(default=None)
    household: UUID | None = None
    service: str = plain()
    summary: str = plain()
    route: str = plain()
    staff: UUID | None = None
    skill: str | None = plain(default=None)
    urgent: bool
    minor: bool
    places: int
    taken: int = 0
    state: State = Field(default=State.ROUTED, sa_type=StateText)
    step: str | None = plain(default=None)
    wave: int = 0
    offered_until: datetime | None = moment(default=None)
    asked: UUID | None = None
    limits: dict[str, Any] = Field(sa_type=JSONB)
    excluded: list[str] = Field(sa_type=JSONB)
    opened_at: Moment = moment()
    ended_at: datetime | None = moment(default=None)
    awaits_until: datetime | None = moment(default=None)
    supervised_until: datetime | None = moment(default=None)


class Offer(Table, table=True):
    """Somebody was offered an assignment, or asked by name; open until they pass. `why` is a code with parameters."""

    __tablename__ = "offers"
    __table_args__ = (Index("offers_mine", "person", "assignment_id", postgresql_where=text("declined_at IS NULL")),)

    assignment_id: UUID = Field(primary_key=True, foreign_key="assignments.id")
    person: UUID = Field(primary_key=True)
    tenant: str = division()
    wave: int
    why: dict[str, Any] = Field(sa_type=JSONB)
    offered_at: Moment = moment()
    declined_at: datetime | None = moment(default=None)


class Holding(Table, table=True):
    """Somebody holds, or held, a place. `ended_at` is set when it was given back, returned or cancelled."""

    __tablename__ = "holdings"
    __table_args__ = (
        Index("holdings_open", "person", postgresql_where=text("ended_at IS NULL AND completed_at IS NULL")),
    )

    assignment_id: UUID = Field(primary_key=True, foreign_key="assignments.id")
    person: UUID = Field(primary_key=True)
    tenant: str = division()
    name: str = plain()
    via: str = plain()
    claimed_at: Moment = moment()
    checked_in_at: datetime | None = moment(default=None)
    checked_out_at: datetime | None = moment(default=None)
    completed_at: datetime | None = moment(default=None)
    ended_at: datetime | None = moment(default=None)
    place: str | None = plain(default=None)
    minutes: int | None = None
    served_person_times: int | None = None
    result: str | None = plain(default=None)
    evidence: list[str] = Field(default_factory=list, sa_type=JSONB)


class Move(Table, table=True):
    """A move with the words that came with it; the words stay in this service."""

    __tablename__ = "moves"
    __table_args__ = (Index("moves_of", "assignment_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(always=True),))
    assignment_id: UUID = Field(foreign_key="assignments.id")
    tenant: str = division()
    move: str = plain()
    by: UUID | None = None
    person: UUID | None = None
    words: str | None = plain(default=None)
    at: Moment = moment()

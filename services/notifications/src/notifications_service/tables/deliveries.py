"""Deliveries and what they brought: one row per thing told to one recipient, inbox or call."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from notifications_service.tables.table import CODE, MOMENT, Table


class Delivery(Table, table=True):
    """One telling of one thing to one recipient; a call or knock at the door is one too.

    `recipient` is who it is whichever rule found them, `about` what they are told once for; `sequence` counts this
    delivery's events. For calls: `caller` is the linking person (null: the clerks), `words` the values of the text.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("recipient", "about", "template", "attempt", name="deliveries_once"),
        Index("deliveries_place", "tenant", "id"),
        Index("deliveries_request", "request_id", "id"),
        Index("deliveries_calls", "tenant", "id", postgresql_where=text("channel = 'call' AND state = 'due'")),
        Index("deliveries_caller", "caller", "id", postgresql_where=text("caller IS NOT NULL")),
        Index("deliveries_outward", "person", "id", postgresql_where=text("channel IN ('phone', 'mail')")),
    )
    id: UUID = Field(primary_key=True)
    tenant: str = Field(sa_type=CODE)
    grid: str | None = Field(default=None, sa_type=CODE)
    request_id: UUID | None = None
    number: str | None = Field(default=None, sa_type=Text)
    sequence: int = Field(sa_type=SmallInteger)
    purpose: str = Field(sa_type=Text)
    template: str = Field(sa_type=Text)
    channel: str = Field(sa_type=Text)
    audience: str = Field(sa_type=Text)
    person: UUID | None = None
    recipient: str = Field(sa_type=Text)
    about: str = Field(sa_type=Text)
    attempt: int = Field(default=1, sa_type=SmallInteger)
    state: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    event_id: str = Field(sa_type=Text)
    caller: UUID | None = None
    words: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    outcome: str | None = Field(default=None, sa_type=Text)
    by: UUID | None = None
    created_at: datetime = Field(sa_type=MOMENT)
    updated_at: datetime = Field(sa_type=MOMENT)


class Message(Table, table=True):
    """What stands in a person's inbox, in the language that they had when it came; the delivery's id is its own."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_person", "person", "id"),
        Index("messages_unread", "person", postgresql_where=text("read_at IS NULL")),
    )
    id: UUID = Field(primary_key=True, foreign_key="deliveries.id")
    person: UUID
    tenant: str = Field(sa_type=CODE)
    request_id: UUID | None = None
    number: str | None = Field(default=None, sa_type=Text)
    purpose: str = Field(sa_type=Text)
    template: str = Field(sa_type=Text)
    locale: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)
    read_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Sending(Table, table=True):
    """The words of a delivery on their way to a phone or a mailbox; gone when it is known what came of them.

    `handing_at` is when they were handed over: from then on they are never handed over again.
    """

    __tablename__ = "sendings"
    __table_args__ = (Index("sendings_ripe", "channel", "send_at"),)
    id: UUID = Field(primary_key=True, foreign_key="deliveries.id")
    tenant: str = Field(sa_type=CODE)
    person: UUID
    channel: str = Field(sa_type=Text)
    locale: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    traceparent: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)
    send_at: datetime = Field(sa_type=MOMENT)
    tries: int = Field(default=0, sa_type=SmallInteger)
    lease_until: datetime | None = Field(default=None, sa_type=MOMENT)
    handing_at: datetime | None = Field(default=None, sa_type=MOMENT)

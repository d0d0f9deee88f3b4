"""One-time codes and the sessions of browsers; both hold hashes of what is secret."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlmodel import Field

from requests_service.tables.columns import Table, moment, words


class Code(Table, table=True):
    """A code that was sent: `subject` is a keyed hash of whom it proves, a phone or the contact of an order."""

    __tablename__ = "codes"

    id: UUID = Field(primary_key=True)
    subject: bytes = Field(sa_type=LargeBinary)
    code: bytes = Field(sa_type=LargeBinary)
    tries: int
    sent_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class WebSession(Table, table=True):
    """A browser that somebody is signed in with."""

    __tablename__ = "web_sessions"

    id: UUID = Field(primary_key=True)
    secret: bytes = Field(sa_type=LargeBinary)
    person: UUID = Field(foreign_key="people.id")
    device: str = words()
    seconds: int
    begun_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)


class LocalCode(Table, table=True):
    """A code in the clear: on a developer's own machine alone, where a page shows it."""

    __tablename__ = "local_codes"

    id: UUID = Field(primary_key=True)
    phone: str = words()
    code: str = words()
    sent_at: datetime = moment()

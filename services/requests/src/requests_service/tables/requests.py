"""A request and what belongs to it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity
from sqlmodel import Field

from requests_service.tables.columns import Table, code, document, moment, words


class Request(Table, table=True):
    """What someone asks. `sequence` is the topic's, `round` counts dispatches, `text` never leaves this service."""

    __tablename__ = "requests"

    id: UUID = Field(primary_key=True)
    tenant: str = code()
    number: str = words()
    tracking_code: str = words()
    sequence: int
    version: int
    status: str = words()
    service: str = words()
    kind: str = words()
    skill: str | None = words(nullable=True)
    places: int
    route: str | None = words(nullable=True)
    round: int
    grid: str | None = code(nullable=True)
    household: UUID | None = None
    text: str = words()
    answers: dict[str, Any] = document()
    summary: str | None = words(nullable=True)
    channel: str = words()
    notice: str | None = words(nullable=True)
    public: bool
    urgent: bool
    served_kind: str = words()
    served_id: UUID | None = None
    guardian: bool
    reporter: UUID | None = None
    resident: UUID | None = None
    accepted_by: UUID | None = None
    wanted_from: datetime | None = moment(nullable=True)
    wanted_to: datetime | None = moment(nullable=True)
    contact_due: datetime | None = moment(nullable=True)
    contact_promised: datetime | None = moment(nullable=True)
    contacted_at: datetime | None = moment(nullable=True)
    finish_due: datetime | None = moment(nullable=True)
    finish_promised: datetime | None = moment(nullable=True)
    confirm_seconds: int
    confirm_due: datetime | None = moment(nullable=True)
    confirm_passed: bool
    tries: int
    reopened: int
    solved: str | None = words(nullable=True)
    first_grade: int | None = None
    last_grade: int | None = None
    merged_into: UUID | None = None
    suspended_at: datetime | None = moment(nullable=True)
    suspended_until: datetime | None = moment(nullable=True)
    extended_at: datetime | None = moment(nullable=True)
    asked: str | None = words(nullable=True)
    asked_until: datetime | None = moment(nullable=True)
    asked_by: UUID | None = None
    about: str | None = words(nullable=True)
    submitted_at: datetime = moment()
    completed_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)


class Contact(Table, table=True):
    """The personal data of a request, apart from it: who ordered, who is served, the guardian, where."""

    __tablename__ = "contacts"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id")
    tenant: str = code()
    name: str | None = words(nullable=True)
    phone: str | None = words(nullable=True)
    relation: str | None = words(nullable=True)
    reach: str | None = words(nullable=True)
    address: str | None = words(nullable=True)
    served_name: str | None = words(nullable=True)
    guardian_name: str | None = words(nullable=True)
    guardian_phone: str | None = words(nullable=True)
    guardian_consent_at: datetime | None = moment(nullable=True)


class Step(Table, table=True):
    """One step of a request's story; `details` hold its words (a reason, an answer, what is missing)."""

    __tablename__ = "steps"

    position: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    request_id: UUID = Field(foreign_key="requests.id")
    tenant: str = code()
    service: str = words()
    step: str = words()
    at: datetime = moment()
    by: UUID | None = None
    details: dict[str, Any] = document()


class Holder(Table, table=True):
    """Who held a request in a round, as dispatch said: held, released, completed, returned or cancelled."""

    __tablename__ = "holders"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id")
    round: int = Field(primary_key=True)
    person: UUID = Field(primary_key=True)
    tenant: str = code()
    name: str | None = words(nullable=True)
    state: str = words()
    since: datetime = moment()


class Grade(Table, table=True):
    """One answer of the resident; `nth` 1 is the first, which is never overwritten."""

    __tablename__ = "grades"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id")
    nth: int = Field(primary_key=True)
    tenant: str = code()
    solved: str = words()
    grade: int
    source: str = words()
    comment: str | None = words(nullable=True)
    by: UUID | None = None
    at: datetime = moment()


class ContactRead(Table, table=True):
    """One reading of contact details. The application can add rows, and can neither change nor remove any."""

    __tablename__ = "contact_reads"

    position: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    request_id: UUID = Field(foreign_key="requests.id")
    tenant: str = code()
    person: UUID
    role: str = words()
    at: datetime = moment()


class ServedPerson(Table, table=True):
    """The opaque id of somebody served. `fingerprint` is a keyed hash: who has only this table learns no name."""

    __tablename__ = "served_people"

    tenant: str = code(key=True)
    fingerprint: bytes = Field(primary_key=True)
    id: UUID

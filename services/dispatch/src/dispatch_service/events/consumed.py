"""Own, trimmed copies of the events that dispatch reads: only the fields that it uses; the rest is ignored."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class DispatchRequested(BaseModel):
    """The village wants somebody sent."""

    request_id: UUID
    by: UUID | None
    round: int = Field(ge=1)
    number: str
    service: str
    kind: str
    summary: str
    grid: str | None
    household: UUID | None
    route: Literal["volunteers", "staff"]
    staff: UUID | None
    places: int = Field(ge=1)
    urgent: bool
    minor: bool
    skill: str | None
    limits: dict[str, Any]
    exclude: list[UUID]


class RequestEnded(BaseModel):
    """The request was withdrawn, merged, referred, answered or reported up: nobody needs to be sent."""

    request_id: UUID


class LimitsResumed(BaseModel):
    """The clock runs again: the limits as they are now."""

    request_id: UUID
    limits: dict[str, Any]


class LimitExtended(BaseModel):
    """One limit was made longer."""

    request_id: UUID
    limit: Literal["contact", "finish"]
    due_at: datetime


class OrgUnitUpserted(BaseModel):
    """A unit of the tree."""

    code: str
    parent: str | None
    settings: dict[str, Any]


class HouseholdUpserted(BaseModel):
    """A household."""

    id: UUID
    tenant: str
    grid: str | None
    linking_person: UUID | None


class RoleAt(BaseModel):
    """A role and the code under which it holds."""

    role: str
    at: str


class VolunteerUpserted(BaseModel):
    """Somebody with a working role."""

    id: UUID
    tenant: str
    grid: str | None
    name: str
    roles: list[RoleAt]
    staff: bool
    skills: list[str]
    capacity: int = Field(ge=0)
    away_until: datetime | None
    checked_until: date | None
    linking_households: list[UUID]
    active: bool


class Deleted(BaseModel):
    """A tombstone: the key says what is gone."""

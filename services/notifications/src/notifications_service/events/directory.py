"""What this service reads of `lianhu.directory.v1`."""

from uuid import UUID

from pydantic import BaseModel


class UnitSettings(BaseModel):
    """What a unit sets itself, of which language and quiet hours matter here."""

    locale: str | None = None
    quiet_hours: list[str] | None = None


class OrgUnitUpserted(BaseModel):
    """A unit of the tree."""

    code: str
    name: str
    settings: UnitSettings


class ServiceUpserted(BaseModel):
    """A service of a catalogue."""

    tenant: str
    code: str
    name: str


class Role(BaseModel):
    """A role and where it holds."""

    role: str
    at: str


class VolunteerUpserted(BaseModel):
    """A person with a working role; their name is of no use here."""

    id: UUID
    roles: list[Role]
    active: bool


class HouseholdUpserted(BaseModel):
    """A household and who links it."""

    id: UUID
    tenant: str
    linking_person: UUID | None


class Deleted(BaseModel):
    """A tombstone: the event's key says what is gone."""

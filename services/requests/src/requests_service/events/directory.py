"""The directory, as the compacted topic lianhu.directory.v1 tells it: the whole state of an entity each time."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel

from lianhu_kit.outbox import OutgoingEvent

TOPIC = "lianhu.directory.v1"


class DirectoryEvent(BaseModel):
    """The state of an entity; its key and its unit's code follow from the data."""

    type: ClassVar[str]

    def place(self) -> tuple[str, str]:
        """The key of the entity and the code of the unit that it belongs to."""
        raise NotImplementedError

    def outgoing(self, sequence: int) -> OutgoingEvent:
        """The event as the outbox takes it; `sequence` is the entity's next."""
        key, tenant = self.place()
        data = self.model_dump(mode="json")
        return OutgoingEvent(TOPIC, key, sequence, f"lianhu.{self.type}.v1", key, tenant, data)


class OrgUnitUpserted(DirectoryEvent):
    """A unit of the tree."""

    type = "org-unit.upserted"
    code: str
    level: str
    name: str
    parent: str | None
    settings: dict[str, Any]

    def place(self) -> tuple[str, str]:
        """Key and unit are its code."""
        return self.code, self.code


class ServiceUpserted(DirectoryEvent):
    """A service in a unit's catalogue."""

    type = "service.upserted"
    tenant: str
    code: str
    name: str
    kind: str
    route_default: str
    skill: str | None
    limits: dict[str, Any]
    guardian_consent: bool
    places_default: int
    active: bool

    def place(self) -> tuple[str, str]:
        """The key names unit and service."""
        return f"{self.tenant}/{self.code}", self.tenant


class RoleAt(BaseModel):
    """A role at a code."""

    role: str
    at: str


class VolunteerUpserted(DirectoryEvent):
    """Somebody who works: whom to offer, order or tell. The name is masked."""

    type = "volunteer.upserted"
    id: UUID
    name: str
    tenant: str
    grid: str | None
    roles: list[RoleAt]
    staff: bool
    skills: list[str]
    capacity: int
    away_until: datetime | None
    checked_until: date | None
    linking_households: list[UUID]
    active: bool

    def place(self) -> tuple[str, str]:
        """The key is the person."""
        return str(self.id), self.tenant


class HouseholdUpserted(DirectoryEvent):
    """A household and who looks after it."""

    type = "household.upserted"
    id: UUID
    tenant: str
    grid: str | None
    group: str | None
    linking_person: UUID | None

    def place(self) -> tuple[str, str]:
        """The key is the household."""
        return str(self.id), self.tenant


PUBLISHED: tuple[type[DirectoryEvent], ...] = (OrgUnitUpserted, ServiceUpserted, VolunteerUpserted, HouseholdUpserted)

"""Trimmed events of the topic lianhu.dispatch.v1."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from reporting_service.events.trimmed import OfRequest

State = Literal["routed", "offered", "assigned", "claimed", "in_progress", "completed", "returned", "cancelled"]


class Worked(OfRequest):
    """What all events of an assignment carry."""

    request_id: UUID
    round: int = Field(ge=1)
    state: State
    grid: str | None
    by: UUID | None


class Offered(Worked):
    """dispatch.offered"""

    wave: int
    audience: str


class ByPerson(Worked):
    """dispatch.declined, released, claimed, assigned, checked-in: one person's move."""

    person: UUID


class CheckedOut(ByPerson):
    """dispatch.checked-out"""

    minutes: int | None


class Completed(ByPerson):
    """dispatch.completed"""

    served_person_times: int
    minutes: int | None


class Escalated(Worked):
    """dispatch.escalated"""

    to: str
    wave: int


class Cancelled(Worked):
    """dispatch.cancelled"""

    reason: str


MODELS: dict[str, type[OfRequest]] = {
    "routed": Worked,
    "offered": Offered,
    "declined": ByPerson,
    "claimed": ByPerson,
    "assigned": ByPerson,
    "released": ByPerson,
    "checked-in": ByPerson,
    "checked-out": CheckedOut,
    "completed": Completed,
    "returned": Worked,
    "escalated": Escalated,
    "reminded": Worked,
    "supervised": Worked,
    "cancelled": Cancelled,
}

"""Trimmed events of the topic lianhu.notifications.v1."""

from __future__ import annotations

from uuid import UUID

from reporting_service.events.trimmed import OfRequest


class Delivery(OfRequest):
    """What all events of a delivery carry. A call or a knock is a delivery too."""

    delivery_id: UUID
    purpose: str
    channel: str
    audience: str


class Attempted(Delivery):
    """notification.due"""

    attempt: int


class Sent(Attempted):
    """notification.sent: on the channel `call` it means that someone was reached, and by whom."""

    by: UUID | None


class Failed(Attempted):
    """notification.failed"""

    reason: str


class Suppressed(Delivery):
    """notification.suppressed"""

    reason: str


MODELS: dict[str, type[OfRequest]] = {"due": Attempted, "sent": Sent, "failed": Failed, "suppressed": Suppressed}

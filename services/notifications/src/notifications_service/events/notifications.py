"""What this service publishes on `lianhu.notifications.v1`: ids, codes and states, never the words themselves."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lianhu_kit.outbox import OutgoingEvent

TOPIC = "lianhu.notifications.v1"


@dataclass(frozen=True)
class Telling:
    """A delivery as its events name it."""

    delivery_id: UUID
    request_id: UUID | None
    tenant: str
    purpose: str
    template: str
    channel: str
    audience: str
    person: UUID | None
    attempt: int = 1


def due(telling: Telling, sequence: int = 1) -> OutgoingEvent:
    """Someone is to be told."""
    return _event(telling, "due", sequence, attempt=telling.attempt)


def sent(telling: Telling, sequence: int = 2, by: UUID | None = None) -> OutgoingEvent:
    """It stands in the inbox, or the caller `by` reached the person."""
    return _event(telling, "sent", sequence, attempt=telling.attempt, by=_text(by))


def failed(telling: Telling, sequence: int, reason: str) -> OutgoingEvent:
    """This try reached nobody."""
    return _event(telling, "failed", sequence, attempt=telling.attempt, reason=reason)


def suppressed(telling: Telling, sequence: int, reason: str) -> OutgoingEvent:
    """Nobody is told, on purpose."""
    return _event(telling, "suppressed", sequence, reason=reason)


def _event(telling: Telling, kind: str, sequence: int, **more: Any) -> OutgoingEvent:
    key = str(telling.delivery_id)
    return OutgoingEvent(
        topic=TOPIC,
        key=key,
        sequence=sequence,
        type=f"lianhu.notification.{kind}.v1",
        subject=key,
        tenant=telling.tenant,
        data={
            "delivery_id": key,
            "request_id": _text(telling.request_id),
            "purpose": telling.purpose,
            "template": telling.template,
            "channel": telling.channel,
            "audience": telling.audience,
            "person": _text(telling.person),
            **more,
        },
    )


def _text(identifier: UUID | None) -> str | None:
    # The driver's own UUID class is not one that JSON is made from.
    return None if identifier is None else str(identifier)

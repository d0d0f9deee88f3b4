"""The service's own events, read again by a rebuild."""

from uuid import UUID

from pydantic import BaseModel, ValidationError

from lianhu_kit.envelope import ReceivedEvent
from notifications_service.domain.recollection import Word

_PREFIX, _SUFFIX = "lianhu.notification.", ".v1"


class _Data(BaseModel):
    delivery_id: UUID
    request_id: UUID | None
    purpose: str
    template: str
    channel: str
    audience: str
    person: UUID | None
    attempt: int = 1
    reason: str | None = None
    by: UUID | None = None


def word_of(event: ReceivedEvent) -> Word | None:
    """What an own event says of its delivery; None for what this service never sent in this shape."""
    try:
        data = _Data.model_validate(event.data)
    except ValidationError:
        return None
    if not event.type.startswith(_PREFIX) or event.sequence is None:
        return None
    return Word(
        event.id, data.delivery_id, event.type.removeprefix(_PREFIX).removesuffix(_SUFFIX), event.sequence, event.time,
        event.causation or "", event.tenant, data.request_id, data.purpose, data.template, data.channel, data.audience,
        data.person, data.attempt, data.reason, data.by,
    )  # fmt: skip

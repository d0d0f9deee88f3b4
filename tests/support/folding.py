"""Facts as the consumer folds them, without a consumer."""

from typing import Any

from lianhu_kit.envelope import ReceivedEvent
from reporting_service.consumer.subscriptions import SUBSCRIPTIONS, told_by
from reporting_service.domain.facts import Fact
from support.histories import Raw


def fold(events: list[Raw], facts: dict[str, Fact] | None = None) -> dict[str, Fact]:
    """Facts by request id, as the consumer folds them."""
    facts = {} if facts is None else facts
    for raw in events:
        event = ReceivedEvent(
            raw.topic, raw.key, raw.id, raw.type, "", raw.subject, raw.time, raw.tenant, raw.sequence, raw.data
        )
        data: Any = SUBSCRIPTIONS[raw.type].model.model_validate(raw.data)
        told = told_by(event, data, data.request_id)
        fact = facts.setdefault(str(told.request_id), Fact(told.request_id, told.tenant))
        fact.add(told.half, told.entry)
    return facts

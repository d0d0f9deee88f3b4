"""Which deliveries concern a request: most of what is told to people does not."""

from uuid import uuid4

import pytest

from requests_service.events.consumed import DeliveryEvent
from requests_service.handlers.reaching import concerns


@pytest.mark.parametrize(
    ("purpose", "channel", "audience", "expected"),
    [
        ("confirm", "inbox", "resident", True),
        ("confirm", "call", "guardian", True),
        ("visit", "call", "resident", True),
        ("news", "inbox", "resident", False),
        ("offer", "inbox", "volunteer", False),
        ("confirm", "call", "clerk", False),
    ],
)
def test_a_call_to_the_residents_side_or_the_question(
    purpose: str, channel: str, audience: str, expected: bool
) -> None:
    data = DeliveryEvent(request_id=uuid4(), purpose=purpose, channel=channel, audience=audience)
    assert concerns(data) is expected
    assert not concerns(data.model_copy(update={"request_id": None}))

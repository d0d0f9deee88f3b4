"""How events reach a broker: in which order, and those of the directory."""

import random
import uuid
from typing import Any

from support.histories import Raw
from support.walks import BEGIN


def named(tenant: str, type: str, key: str, data: dict[str, Any], sequence: int = 1) -> Raw:
    """An event of the directory."""
    return Raw("lianhu.directory.v1", key, type, key, tenant, sequence, BEGIN, data, str(uuid.uuid4()))


def mixed(events: list[Raw], dice: random.Random) -> list[Raw]:
    """As the broker may get them: each key of each topic in its order, topics at odds, some events twice."""
    late = {topic: dice.uniform(0, 40) for topic in sorted({event.topic for event in events})}
    ordered = sorted(enumerate(events), key=lambda pair: pair[0] / len(events) * 100 + late[pair[1].topic])
    sent: list[Raw] = []
    for _, event in ordered:
        sent.append(event)
        if dice.random() < 0.05:
            sent.append(dice.choice(sent))
    return sent

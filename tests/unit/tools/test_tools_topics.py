"""Topics are made once the broker knows its controller, however it says that it does not yet."""

from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from lianhu_tools.faults import Fault
from lianhu_tools.stores import topics

TOPICS = topics.declared(Path(__file__).resolve().parents[3] / "shared" / "contracts" / "topics.yaml")


class _Admin:
    """Fails as often as it is told; then every topic is new."""

    def __init__(self, faults: list[Exception]) -> None:
        self._faults = faults

    def __call__(self, **_settings: object) -> "_Admin":
        return self

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def create_topics(self, wanted: list[object]) -> "_Admin":
        if self._faults:
            raise self._faults.pop()
        return self

    @property
    def topic_errors(self) -> list[tuple[str, int]]:
        return [(topic.name, 0) for topic in TOPICS]


@pytest.mark.parametrize(
    "fault", [AttributeError("'NoneType' object has no attribute 'nodeId'"), KafkaConnectionError(), TimeoutError()]
)
async def test_a_broker_that_is_not_ready_is_asked_again(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr(topics, "AIOKafkaAdminClient", _Admin([fault, fault]))
    assert await topics.create("nowhere:1", TOPICS) == [topic.name for topic in TOPICS]


async def test_one_that_never_is_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "AIOKafkaAdminClient", _Admin([AttributeError("nodeId")] * 100))
    with pytest.raises(Fault, match="nowhere:1"):
        await topics.create("nowhere:1", TOPICS, seconds=0.3)

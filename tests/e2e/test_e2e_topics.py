"""What an outsider sees on the topics, and what nobody may see in topics, logs and metrics."""

from collections import defaultdict

import httpx
import pytest
from confluent_kafka import Message

from lianhu_tools.topology import SERVICES
from support.contracts import HEADERS, check_stream
from support.system import System, header

TOPICS = ("lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1", "lianhu.directory.v1")


@pytest.fixture(scope="module")
def messages(system: System, demo: object) -> list[Message]:
    """All events of the demo, read by a plain client."""
    return system.events(TOPICS)


def test_every_event_carries_every_attribute(messages: list[Message]) -> None:
    assert len(messages) > 3000
    for message in messages:
        assert {name for name, _ in message.headers() or []} >= HEADERS, header(message, "ce_type")


def test_sequences_have_no_gaps_and_keys_are_right(messages: list[Message]) -> None:
    sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
    seen: set[str] = set()
    for message in messages:
        key = message.key().decode()
        assert key == header(message, "ce_partitionkey")
        if header(message, "ce_id") in seen:
            continue  # at least once
        seen.add(header(message, "ce_id"))
        sequences[(message.topic(), key)].append(int(header(message, "ce_sequence")))
    for (topic, key), numbers in sequences.items():
        if topic == "lianhu.directory.v1":
            assert numbers == sorted(numbers), f"{topic} {key}: {numbers}"  # compacted: earlier ones may be gone
        else:
            assert numbers == list(range(1, len(numbers) + 1)), f"{topic} {key}: {numbers}"


def test_every_event_keeps_its_contract(messages: list[Message]) -> None:
    check_stream(messages)


def test_all_four_topics_are_used(messages: list[Message]) -> None:
    assert {message.topic() for message in messages} == set(TOPICS)


def test_nothing_personal_leaves_the_requests_service(
    system: System, messages: list[Message], personal: list[str]
) -> None:
    for message in messages:
        text = (message.value() or b"").decode() + " ".join(v.decode() for _, v in message.headers() or [])
        for word in personal:
            assert word not in text, f"{word!r} on {message.topic()}: {header(message, 'ce_type')}"
    for name, text in system.logs():
        for word in personal:
            assert word not in text, f"{word!r} in the log {name}"
    for service in SERVICES:
        for port in (system.topology.api_port(service), system.topology.worker_port(service)):
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
            assert "lianhu_" in text
            for word in personal:
                assert word not in text, f"{word!r} in the metrics of {service}"

"""What an outsider sees on the topics, and what nobody may see in topics, logs and metrics."""

from collections import defaultdict
from typing import Any

import httpx
import pytest
from confluent_kafka import Message

from lianhu_tools.seed.invented import NAME_MARK
from lianhu_tools.topology import SERVICES
from support.contracts import HEADERS, check_stream
from support.personal import invented_in
from support.system import System, headers_of, key_of, value_of

TOPICS = ("lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1", "lianhu.directory.v1")


@pytest.fixture(scope="module")
def messages(system: System, demo: object) -> list[Message]:
    """All events of the demo, read by a plain client."""
    return system.events(TOPICS)


def test_every_event_carries_every_attribute(messages: list[Message]) -> None:
    assert len(messages) > 3000
    for message in messages:
        assert set(headers_of(message)) >= HEADERS, headers_of(message).get("ce_type")


def test_sequences_have_no_gaps_and_keys_are_right(messages: list[Message]) -> None:
    sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
    seen: set[str] = set()
    for message in messages:
        headers = headers_of(message)
        assert key_of(message) == headers["ce_partitionkey"]
        if headers["ce_id"] in seen:
            continue  # at least once
        seen.add(headers["ce_id"])
        sequences[(str(message.topic()), key_of(message))].append(int(headers["ce_sequence"]))
    for (topic, key), numbers in sequences.items():
        if topic == "lianhu.directory.v1":
            assert numbers == sorted(numbers), f"{topic} {key}: {numbers}"  # compacted: earlier ones may be gone
        else:
            assert numbers == list(range(1, len(numbers) + 1)), f"{topic} {key}: {numbers}"


def test_every_event_keeps_its_contract(messages: list[Message]) -> None:
    check_stream(messages)


def test_all_four_topics_are_used(messages: list[Message]) -> None:
    assert {message.topic() for message in messages} == set(TOPICS)


def test_nothing_personal_leaves_the_requests_service(system: System, messages: list[Message]) -> None:
    for message in messages:
        text = value_of(message) + " ".join(headers_of(message).values())
        assert invented_in(text) == [], f"on {message.topic()}: {headers_of(message)['ce_type']}"
    for name, text in system.logs():
        assert invented_in(text) == [], f"in the log {name}"
    for service in SERVICES:
        for port in (system.topology.api_port(service), system.topology.worker_port(service)):
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
            assert "lianhu_" in text
            assert invented_in(text) == [], f"in the metrics of {service}"


def test_the_marks_that_are_searched_for_are_really_there(system: System, demo: Any) -> None:
    request = next(row for row in demo.written["requests"] if not str(row["story"]).startswith("12"))
    answer = httpx.get(
        f"{system.url('requests')}/v1/requests/{request['id']}/contact",
        headers=system.bearer("clerk", request["tenant"]),
        trust_env=False,
    )
    assert answer.status_code == 200
    assert NAME_MARK in answer.text

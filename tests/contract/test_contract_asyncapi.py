"""asyncapi.yaml is a sound AsyncAPI 3.0 document, and says what topics.yaml and the schemas say."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from support.contracts import HEADERS
from support.declared import CONTRACTS, schemas, topics

DOCUMENT = CONTRACTS / "asyncapi.yaml"
SPECIFICATION = Path(__file__).parent / "data" / "asyncapi-3.0.0.json"


@cache
def document() -> dict[str, Any]:
    """The document as it is written."""
    loaded: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text("utf-8"))
    return loaded


def pointed(reference: str) -> Any:
    """What a reference points to: inside the document or a file beside it. KeyError or OSError where nothing is."""
    file, _, pointer = reference.partition("#")
    found: Any = json.loads((CONTRACTS / file).read_text("utf-8")) if file else document()
    for step in filter(None, pointer.split("/")):
        found = found[step]
    return found


def references(value: Any) -> list[str]:
    """Every $ref inside."""
    if isinstance(value, list):
        return [found for inner in value for found in references(inner)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for inner in value.values() for found in references(inner)]


def resolved(value: Any) -> Any:
    """The value with the references to files put in their place."""
    if isinstance(value, list):
        return [resolved(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("$ref", "")).startswith("./"):
        return pointed(value["$ref"])
    return {name: resolved(inner) for name, inner in value.items()}


def short(type: str) -> str:
    """An event type or topic without the leading `lianhu.`."""
    return type.removeprefix("lianhu.")


def channel_of(topic: str) -> str:
    """The channel's name: the topic's, without prefix and version."""
    return short(topic).removesuffix(".v1")


@pytest.mark.parametrize("whole", [False, True], ids=["as written", "with its schemas in place"])
def test_it_keeps_the_specification(whole: bool) -> None:
    validator = Draft7Validator(json.loads(SPECIFICATION.read_text("utf-8")))
    written = resolved(document()) if whole else document()
    assert [f"{fault.json_path}: {fault.message[:200]}" for fault in validator.iter_errors(written)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("asyncapi",), "9.0.0"),
        (("info", "version"), None),
        (("operations", "requests-sends-requests", "action"), "shout"),
        (("channels", "requests", "address"), 7),
        (("channels", "requests", "bindings", "kafka", "partitions"), "twelve"),
    ],
)
def test_the_specification_is_no_rubber_stamp(path: tuple[str, ...], value: Any) -> None:
    broken = json.loads(json.dumps(document()))
    place = broken
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not Draft7Validator(json.loads(SPECIFICATION.read_text("utf-8"))).is_valid(broken)


def test_every_reference_leads_somewhere_without_a_network() -> None:
    found = references(document())
    assert len(found) > 100
    for reference in found:
        assert reference.startswith(("#/", "./events/"))
        assert pointed(reference)


def test_the_channels_are_the_topics() -> None:
    channels = document()["channels"]
    assert channels.keys() == {channel_of(name) for name in topics()}
    for name, topic in topics().items():
        channel = channels[channel_of(name)]
        assert channel["address"] == name
        assert channel.get("x-planned", False) == topic.planned
        assert topic.why in " ".join(channel["description"].split())
        configuration = {"cleanup.policy": [topic.cleanup], "retention.ms": topic.retention_ms}
        if topic.tombstone_ms is not None:
            configuration["delete.retention.ms"] = topic.tombstone_ms
        kafka = channel["bindings"]["kafka"]
        assert (kafka["topic"], kafka["partitions"]) == (name, topic.partitions)
        assert kafka["topicConfiguration"] == configuration


def test_each_channel_has_the_messages_of_its_topic() -> None:
    for name, topic in topics().items():
        carried = {} if topic.planned else {short(type): f"#/components/messages/{short(type)}" for type in topic.types}
        messages = document()["channels"][channel_of(name)]["messages"]
        assert {known: message["$ref"] for known, message in messages.items()} == carried


def test_each_message_is_a_schema_and_each_schema_a_message() -> None:
    messages = document()["components"]["messages"]
    assert messages.keys() == {short(type) for type in schemas()}
    for type, schema in schemas().items():
        message = messages[short(type)]
        assert message["name"] == type
        assert message["payload"] == {"$ref": f"./events/{type}.json"}
        assert message["traits"] == [{"$ref": "#/components/messageTraits/event"}]
        assert message["summary"] == schema["description"]
        assert message.get("x-planned", False) == schema.get("x-planned", False)


def test_the_operations_are_the_writers_and_readers() -> None:
    expected = {
        f"{who}-{action}s-{channel_of(name)}": {"action": action, "channel": {"$ref": f"#/channels/{channel_of(name)}"}}
        for name, topic in topics().items()
        for action, whose in (("send", topic.writers), ("receive", topic.readers))
        for who in whose
    }
    assert document()["operations"] == expected


def test_the_headers_are_those_that_every_event_is_checked_for() -> None:
    trait = document()["components"]["messageTraits"]["event"]
    headers = pointed(trait["headers"]["$ref"])
    assert set(headers["required"]) == headers["properties"].keys() == HEADERS
    assert trait["bindings"]["kafka"]["key"]["type"] == "string"

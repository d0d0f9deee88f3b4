"""Each schema is a sound one, complete in itself, with examples that keep it, and says things once one way."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from contract.instances import instances
from support.contracts import data_faults
from support.declared import CONTRACTS, Schema, closed, schemas

TYPES = sorted(schemas())
# What both JSON Schema 2020-12 and AsyncAPI's own dialect (draft 7) read the same way.
KEYWORDS = {
    "type", "description", "properties", "required", "additionalProperties", "items", "uniqueItems", "enum",
    "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "x-known",
}  # fmt: skip
ROOT = {"$schema", "$id", "title", "examples", "x-key", "x-subject", "x-tenant", "x-planned"}
FORMATS = {"uuid", "date-time", "date"}


def nodes(schema: Schema, path: str = "data") -> Iterator[tuple[str, Schema]]:
    """Every schema inside a schema, with its path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


@pytest.mark.parametrize("type", TYPES)
def test_a_schema_is_sound_and_says_whose_it_is(type: str) -> None:
    schema = schemas()[type]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:lianhu:schema:{type}"
    assert schema["title"] == type
    assert schema["description"].endswith(".")
    fields = set(schema["properties"])
    for template in ("x-key", "x-subject", "x-tenant"):
        assert set(re.findall(r"\{(\w+)\}", schema.get(template, ""))) <= fields


@pytest.mark.parametrize("type", TYPES)
def test_a_schema_uses_only_what_every_reader_understands(type: str) -> None:
    for path, node in nodes(schemas()[type]):
        assert node.keys() <= KEYWORDS | (ROOT if path == "data" else set()), path
        assert node.get("format") in FORMATS | {None}, path
        assert ("x-known" not in node) or ("pattern" in node and "enum" not in node), path
        described = path == "data" or path.endswith("[]") or ".limits." in path or "description" in node
        assert described, f"{path} has no description"


# Added to a version that was released already: we always send them, and older events lack them.
ADDED = {"lianhu.request.submitted.v1": {"unseen"}}


@pytest.mark.parametrize("type", TYPES)
def test_every_field_is_always_there(type: str) -> None:
    """Null where unknown, never missing; but for an org unit's settings, and what was added later."""
    for path, node in nodes(schemas()[type]):
        if "properties" in node and not path.startswith("data.settings"):
            later = ADDED.get(type, set()) if path == "data" else set()
            assert set(node["required"]) == set(node["properties"]) - later, path


@pytest.mark.parametrize("type", TYPES)
def test_the_examples_keep_the_schema_strictly(type: str) -> None:
    examples = schemas()[type]["examples"]
    assert examples
    for example in examples:
        assert data_faults(type, example) == []


@pytest.mark.parametrize("type", TYPES)
def test_a_field_less_or_more_is_a_fault_in_our_own_events(type: str) -> None:
    example: dict[str, Any] = schemas()[type]["examples"][0]
    for name in example.keys() - ADDED.get(type, set()):
        without = {key: value for key, value in example.items() if key != name}
        assert data_faults(type, without), f"{name} can be left out unseen"
    assert data_faults(type, example | {"surname": "x"})


@pytest.mark.parametrize("type", TYPES)
def test_readers_are_promised_growth(type: str) -> None:
    """The schema itself, unlike the check of our own events, takes what a later release adds."""
    example = schemas()[type]["examples"][0] | {"added_later": 1}
    Draft202012Validator(schemas()[type]).validate(example)
    with pytest.raises(ValidationError):
        Draft202012Validator(closed(schemas()[type])).validate(example)


@pytest.mark.parametrize("type", TYPES)
@given(drawn=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_we_call_allowed_is_allowed(type: str, drawn: st.DataObject) -> None:
    """The strategy that readers are tested with stays inside the schema."""
    Draft202012Validator(schemas()[type], format_checker=FormatChecker()).validate(
        drawn.draw(instances(schemas()[type]))
    )


def test_a_field_means_the_same_on_every_event_of_a_topic() -> None:
    """The shapes are repeated in each file, so that a file is complete in itself: they may not drift apart."""
    # `into` and `people` say on each event what they are there; so do `at`, `until`, `wave` and `reason`.
    repeated = ("request_id", "status", "assignment_id", "round", "state", "places", "taken", "grid", "delivery_id")
    for family in ("request", "dispatch", "notification"):
        members = [schemas()[type] for type in TYPES if type.startswith(f"lianhu.{family}.")]
        for name in set.intersection(*(set(member["properties"]) for member in members)) & set(repeated):
            shapes = {json.dumps(member["properties"][name], sort_keys=True) for member in members}
            assert len(shapes) == 1, f"{family}: {name} has {len(shapes)} shapes"


COMMON = {
    "request": {"request_id", "status", "by"},
    "dispatch": {"request_id", "assignment_id", "round", "state", "places", "taken", "grid", "by"},
    "notification": {"delivery_id", "request_id", "purpose", "template", "channel", "audience", "person"},
}


@pytest.mark.parametrize("family", COMMON)
def test_common_fields_stand_on_every_event_of_a_topic(family: str) -> None:
    members = [type for type in TYPES if type.startswith(f"lianhu.{family}.")]
    assert members
    for type in members:
        assert COMMON[family] <= set(schemas()[type]["properties"]), type


def test_references_need_no_network() -> None:
    for file in (CONTRACTS / "events").iterdir():
        assert "$ref" not in file.read_text("utf-8"), f"{file.name} is not complete in itself"

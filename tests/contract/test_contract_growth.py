"""A schema changes within its version only by optional properties; every other change is caught."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.growth import ANNOTATIONS, breaking, freeze, published, released, since, structure
from support.declared import Schema

COMMAND = "PYTHONPATH=tests .venv/bin/python -m contract.growth"


def test_nothing_published_was_broken_since_the_last_release() -> None:
    faults = since(released(), published())
    assert not faults, "make a new version beside the old one:\n" + "\n".join(faults)


def test_every_published_type_is_held() -> None:
    assert released().keys() == published().keys(), f"hold the new type with `{COMMAND}`"


OLD: Schema = {
    "x-key": "{id}",
    "type": "object",
    "required": ["id", "state", "limits", "people"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "state": {"type": "string", "enum": ["open", "done"]},
        "grid": {"type": ["string", "null"], "pattern": "^[0-9]{15}$"},
        "limits": {"type": "object", "required": ["contact"], "properties": {"contact": {"type": "integer"}}},
        "people": {"type": "array", "items": {"type": "string"}, "maxItems": 500},
    },
}


def changed(*path: str, to: Any) -> Schema:
    """OLD with the value at the path replaced, or removed where `to` is None."""
    new = copy.deepcopy(OLD)
    place = new
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return new


BREAKS = {
    "removed property": (changed("properties", "grid", to=None), "data.grid: is gone"),
    "newly required": (changed("required", to=[*OLD["required"], "grid"]), "data.grid: is required now"),
    "no longer sure": (changed("required", to=["id", "limits", "people"]), "data.state: is no longer sure"),
    "narrowed enum": (changed("properties", "state", "enum", to=["open"]), "data.state: enum was"),
    "widened enum": (changed("properties", "state", "enum", to=["open", "done", "lost"]), "data.state: enum was"),
    "changed type": (changed("properties", "id", "type", to="integer"), "data.id: type was"),
    "widened type": (changed("properties", "id", "type", to=["string", "null"]), "data.id: type was"),
    "narrowed type": (changed("properties", "grid", "type", to="string"), "data.grid: type was"),
    "other format": (changed("properties", "id", "format", to="date"), "data.id: format was"),
    "no pattern": (changed("properties", "grid", "pattern", to=None), "data.grid: pattern was"),
    "new bound": (changed("properties", "people", "maxItems", to=10), "data.people: maxItems was"),
    "inner type": (changed("properties", "people", "items", "type", to="integer"), "data.people[]: type was"),
    "inner removed": (changed("properties", "limits", "properties", to={}), "data.limits.contact: is gone"),
    "shut for more": (OLD | {"additionalProperties": False}, "data: additionalProperties was"),
    "other key": (changed("x-key", to="{state}"), "data: x-key was"),
}  # fmt: skip


@pytest.mark.parametrize("change", BREAKS)
def test_a_planted_break_is_caught(change: str) -> None:
    new, words = BREAKS[change]
    assert any(fault.startswith(words) for fault in breaking(OLD, new)), breaking(OLD, new)


def test_a_new_property_that_is_required_is_caught() -> None:
    new = changed("required", to=[*OLD["required"], "more"])
    new["properties"]["more"] = {"type": "string"}
    assert breaking(OLD, new) == ["data.more: is required now, a new property must be optional"]


def test_a_vanished_type_is_caught() -> None:
    assert since({"a.v1": OLD, "b.v1": OLD}, {"a.v1": OLD}) == ["b.v1: the type is gone"]


def test_a_new_type_and_a_new_optional_property_are_growth() -> None:
    grown = copy.deepcopy(OLD)
    grown["properties"]["more"] = {"type": "string"}
    grown["properties"]["limits"]["properties"]["finish"] = {"type": "integer"}
    assert since({"a.v1": OLD}, {"a.v1": grown, "a.v2": {}}) == []
    assert since({"a.v1": grown}, {"a.v1": OLD}) != []


LEAVES: st.SearchStrategy[Schema] = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["integer", "null"]},
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "format": "uuid"},
        {"type": "array", "items": {"type": "string"}},
    ]
)
NAMES = st.sampled_from(["a", "b", "c", "d"])


def objects(leaves: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Object schemas with any of their properties required."""
    return st.dictionaries(NAMES, leaves, min_size=1).flatmap(
        lambda fields: st.sets(st.sampled_from(sorted(fields))).map(
            lambda required: {"type": "object", "required": sorted(required), "properties": fields}
        )
    )


SCHEMAS = objects(st.recursive(LEAVES, objects, max_leaves=6))


@given(SCHEMAS, st.dictionaries(st.sampled_from(["x", "y"]), LEAVES), st.text(min_size=1))
def test_optional_properties_and_words_are_always_growth(old: Schema, more: dict[str, Schema], words: str) -> None:
    new = copy.deepcopy(old)
    new["properties"].update(copy.deepcopy(more))
    for inner in (new, *new["properties"].values()):
        inner["description"] = words
        inner["x-known"] = [words]
    assert breaking(structure(old), structure(new)) == []


@given(SCHEMAS, SCHEMAS)
def test_two_ways_without_a_break_is_no_change_at_all(one: Schema, other: Schema) -> None:
    if not breaking(one, other) and not breaking(other, one):
        assert one == other


@given(SCHEMAS)
def test_order_says_nothing(schema: Schema) -> None:
    turned = json.loads(json.dumps(schema))
    turned["required"] = list(reversed(turned["required"]))
    turned["properties"] = dict(reversed(turned["properties"].items()))
    for inner in turned["properties"].values():
        if isinstance(inner["type"], list):
            inner["type"].reverse()
    assert breaking(schema, turned) == []


@given(SCHEMAS, st.data())
def test_any_property_that_leaves_or_turns_is_caught(schema: Schema, drawn: st.DataObject) -> None:
    name = drawn.draw(st.sampled_from(sorted(schema["properties"])))
    gone = copy.deepcopy(schema)
    del gone["properties"][name]
    turned = copy.deepcopy(schema)
    turned["properties"][name] = {"type": "boolean"}
    assert breaking(schema, gone)
    assert breaking(schema, turned)


def test_words_are_no_structure() -> None:
    assert structure({"type": "string", **dict.fromkeys(ANNOTATIONS, "words")}) == {"type": "string"}


def test_freezing_refuses_a_break_unless_nothing_is_released_yet(tmp_path: Path) -> None:
    target = tmp_path / "released.json"
    assert freeze(target, {"a.v1": OLD}) == []
    assert freeze(target, {"a.v1": BREAKS["removed property"][0]}) == ["a.v1: data.grid: is gone"]
    assert json.loads(target.read_text("utf-8")) == {"a.v1": OLD}
    assert freeze(target, {"a.v1": BREAKS["removed property"][0]}, unreleased=True) != []
    assert json.loads(target.read_text("utf-8")) == {"a.v1": BREAKS["removed property"][0]}

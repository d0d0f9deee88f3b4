"""Whether a consumer's own trimmed class can read every event that a schema allows."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from support.declared import Schema

_LOWER = {"minimum": "minimum", "minLength": "minLength", "minItems": "minItems", "exclusiveMinimum": "minimum"}
_UPPER = {"maximum": "maximum", "maxLength": "maxLength", "maxItems": "maxItems", "exclusiveMaximum": "maximum"}


def misreadings(schema: Schema, model: type[BaseModel]) -> list[str]:
    """What the class asks for and the schema does not promise; empty where every event can be read."""
    wanted = model.model_json_schema(mode="validation")
    return list(_misread(schema, wanted, wanted.get("$defs", {}), "data"))


def _branches(wanted: Schema, definitions: dict[str, Schema]) -> list[Schema]:
    """The alternatives that a field of the class accepts, references resolved."""
    if "$ref" in wanted:
        return _branches(definitions[wanted["$ref"].rsplit("/", 1)[1]], definitions)
    if "anyOf" in wanted:
        return [branch for inner in wanted["anyOf"] for branch in _branches(inner, definitions)]
    if "allOf" in wanted and len(wanted["allOf"]) == 1:
        return _branches(wanted["allOf"][0], definitions)
    return [wanted]


def _single_types(promised: Schema) -> Iterator[Schema]:
    """The schema once per type that it allows, so that null is looked at by itself."""
    types = promised.get("type")
    for one in types if isinstance(types, list) else [types]:
        yield {"type": "null"} if one == "null" else {**promised, "type": one}


def _misread(promised: Schema, wanted: Schema, definitions: dict[str, Schema], path: str) -> Iterator[str]:
    branches = _branches(wanted, definitions)
    for single in _single_types(promised):
        faults = [list(_unfit(single, branch, definitions, path)) for branch in branches]
        if all(faults):
            yield from min(faults, key=len)


def _unfit(promised: Schema, branch: Schema, definitions: dict[str, Schema], path: str) -> Iterator[str]:
    """Faults of reading a schema of one type with one alternative of the class."""
    kind = branch.get("type")
    fits = {promised["type"]} | ({"number"} if promised["type"] == "integer" else set())
    if kind is not None and kind not in fits:
        yield f"{path}: can be {promised['type']}, the class takes {kind}"
        return
    yield from _unfit_values(promised, branch, path)
    if kind == "array" and branch.get("items"):
        yield from _misread(promised["items"], branch["items"], definitions, f"{path}[]")
    if kind == "object":
        yield from _unfit_properties(promised, branch, definitions, path)


def _unfit_values(promised: Schema, branch: Schema, path: str) -> Iterator[str]:
    for name in ("const", "enum"):
        if name not in branch:
            continue
        allowed: list[Any] = branch["enum"] if name == "enum" else [branch["const"]]
        if "enum" not in promised:
            yield f"{path}: the class takes only {allowed}, the schema's list is open: take any word"
        elif missing := [value for value in promised["enum"] if value not in allowed and value is not None]:
            yield f"{path}: the class does not take {missing}"
    for name in ("format", "pattern"):
        if name in branch and branch[name] != promised.get(name):
            yield f"{path}: the class asks for {name} {branch[name]}, the schema says {promised.get(name)}"
    for name, theirs in _LOWER.items():
        if name in branch and not promised.get(theirs, float("-inf")) >= branch[name] + ("excl" in name):
            yield f"{path}: the class asks for {name} {branch[name]}, the schema says {promised.get(theirs)}"
    for name, theirs in _UPPER.items():
        if name in branch and not promised.get(theirs, float("inf")) <= branch[name] - ("excl" in name):
            yield f"{path}: the class asks for {name} {branch[name]}, the schema says {promised.get(theirs)}"


def _unfit_properties(promised: Schema, branch: Schema, definitions: dict[str, Schema], path: str) -> Iterator[str]:
    theirs = promised.get("properties", {})
    rest = branch.get("additionalProperties")
    if rest is False:
        yield f"{path}: the class refuses properties that it does not know; a reader ignores them"
    named = branch.get("properties", {})
    for name in sorted(set(branch.get("required", ())) - set(promised.get("required", ()))):
        yield f"{path}.{name}: the class requires it, the schema does not"
    for name in sorted(named.keys() - theirs.keys()):
        yield f"{path}.{name}: the class reads it, the schema does not name it"
    for name in sorted(named.keys() & theirs.keys()):
        yield from _misread(theirs[name], named[name], definitions, f"{path}.{name}")
    if isinstance(rest, dict) and rest:
        yield f"{path}: the class takes only {rest} for any property; name those it reads, the rest may be anything"

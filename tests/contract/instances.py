"""Any JSON value that a schema of ours allows, as a hypothesis strategy: unknown properties and words included."""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from support.declared import Schema

_FORMATS: dict[str, st.SearchStrategy[str]] = {
    "uuid": st.uuids().map(str),
    "date": st.dates(date(1950, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    "date-time": st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        datetime.isoformat
    ),
}


def instances(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that the schema allows. Knows the keywords that the schemas use, KeyError for any other type."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of(kind, schema) for kind in types])


def _of(kind: str, schema: Schema) -> st.SearchStrategy[Any]:
    if kind == "string":
        return _texts(schema)
    if kind == "object":
        return _objects(schema)
    if kind == "array":
        unique = repr if schema.get("uniqueItems") else None
        most = min(schema.get("maxItems", 4), 4)
        return st.lists(instances(schema["items"]), min_size=schema.get("minItems", 0), max_size=most, unique_by=unique)
    plain: dict[str, st.SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(schema.get("minimum"), schema.get("maximum", 2**53)),
    }
    return plain[kind]


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].removesuffix("$") + r"\Z")
    return st.text(
        st.characters(codec="utf-8", exclude_characters="\x00"),
        min_size=schema.get("minLength", 0),
        max_size=min(schema.get("maxLength", 20), 20),
    )


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: instances(inner) for name, inner in schema.get("properties", {}).items()}
    required = {name: fields[name] for name in schema.get("required", ())}
    optional = {name: inner for name, inner in fields.items() if name not in required}
    # A later release may send more: readers have to take it.
    more = st.dictionaries(st.just("added_later"), st.integers() | st.none(), max_size=1)
    return st.tuples(st.fixed_dictionaries(required, optional=optional), more).map(
        lambda parts: {**parts[1], **parts[0]}
    )

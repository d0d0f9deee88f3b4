"""Walks an OpenAPI document, and makes a call of each operation that is right in every field."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One call of a service, as its document declares it."""

    service: str
    method: str
    path: str
    declared: Mapping[str, Any]
    schemas: Mapping[str, Any]

    @property
    def roles(self) -> list[str]:
        """Who may call it."""
        roles: list[str] = self.declared["x-roles"]
        return roles

    @property
    def anonymous(self) -> bool:
        """Whether it answers without a token."""
        return bool(self.declared["x-anonymous"])

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.service}: {self.method.upper()} {self.path}"

    def call(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments for httpx: path, query and body, filled by name from `known`, else by the schema."""
        path, query = self.path, {}
        for parameter in self.declared.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "path":
                value = known[name] if name in known else self._example(name, parameter["schema"], known)
                path = path.replace(f"{{{name}}}", str(value))
            elif parameter["in"] == "query" and (parameter.get("required") or name in ("tenant", "org", "at")):
                query[name] = known[name] if name in known else self._example(name, parameter["schema"], known)
        body = self.declared.get("requestBody")
        made: dict[str, Any] = {"method": self.method.upper(), "url": path, "params": query}
        if body is not None and "application/json" in body["content"]:
            made["json"] = self._example("body", body["content"]["application/json"]["schema"], known)
        return made

    def names_a_place(self, known: Mapping[str, Any]) -> bool:
        """Whether the call names something of one village: an object's id, a code, a tenant."""
        names = [parameter["name"] for parameter in self.declared.get("parameters", ())]
        return "{" in self.path or any(name in known for name in names) or self._body_names(known)

    def body_schema(self) -> Mapping[str, Any]:
        """The schema of the call's body; empty where it takes none."""
        body = self.declared.get("requestBody")
        return self._resolved(body["content"]["application/json"]["schema"]) if body else {}

    def _body_names(self, known: Mapping[str, Any]) -> bool:
        body = self.declared.get("requestBody")
        if body is None:
            return False
        schema = self._resolved(body["content"]["application/json"]["schema"])
        required = schema.get("required", ())
        return any(name in ("tenant", "at", "org", "code", "items", "roles") for name in required)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def _example(self, name: str, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
        schema = self._resolved(schema)
        fits = schema.get("type", "string") in ("string", "integer")
        if name in known and fits and re.search(schema.get("pattern", ""), str(known[name])):
            return known[name]
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self._example(name, next(s for s in schema[choice] if s.get("type") != "null"), known)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if "examples" in schema:
            return schema["examples"][0]
        match schema.get("type"):
            case "object":
                wanted = schema.get("required", ())
                return {key: self._example(key, schema["properties"][key], known) for key in wanted}
            case "array":
                count = max(1, schema.get("minItems", 1))
                return [self._example(name, schema.get("items", {"type": "string"}), known) for _ in range(count)]
            case "integer" | "number":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
        return _text(name, schema)


def _text(name: str, schema: Mapping[str, Any]) -> str:
    match schema.get("format"):
        case "uuid":
            return str(uuid4())
        case "date-time":
            return "2026-01-01T08:00:00+08:00"
        case "date":
            return "2026-01-01"
    pattern = schema.get("pattern")
    if pattern:
        for candidate in ("900000000001", "a" * 8, "hh", "08:00", "13900000000", "ABC234"):
            if re.search(pattern, candidate):
                return candidate
    shortest: int = schema.get("minLength", 1)
    return "x" * max(4, shortest)


def operations(service: str, document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation that a service's document declares."""
    schemas = document.get("components", {}).get("schemas", {})
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(service, method, path, item[method], schemas)

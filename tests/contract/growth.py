"""How a schema may change within its version: by optional properties, and by nothing else.

`python -m contract.growth` (with tests/ on the path) writes the structures of all published schemas to
shared/contracts/released.json; it refuses a breaking change, which needs a new version beside the old one.
Before the first release `--unreleased` overrides that.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.declared import CONTRACTS, Schema, schemas

RELEASED = CONTRACTS / "released.json"
# Words for people, and lists that are open on purpose. Everything else is structure.
ANNOTATIONS = {"$schema", "$id", "title", "description", "examples", "x-known", "x-planned"}


def structure(schema: Schema) -> Schema:
    """A schema without the words that only people read."""
    bare: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            bare[name] = {key: structure(inner) for key, inner in value.items()}
        elif name == "items":
            bare[name] = structure(value)
        elif name not in ANNOTATIONS:
            bare[name] = value
    return bare


def breaking(old: Schema, new: Schema, path: str = "data") -> list[str]:
    """Every change from `old` to `new` (structures) that a reader of `old` could stumble over; empty for growth."""
    return list(_broken(old, new, path))


def _broken(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in sorted((old.keys() | new.keys()) - {"properties", "required", "items"}):
        before, after = _unordered(name, old.get(name)), _unordered(name, new.get(name))
        if before != after:
            yield f"{path}: {name} was {old.get(name)!r} and is {new.get(name)!r}"
    yield from _broken_properties(old, new, path)
    if ("items" in old) != ("items" in new):
        yield f"{path}: items " + ("are gone" if "items" in old else "are new")
    elif "items" in old:
        yield from _broken(old["items"], new["items"], f"{path}[]")


def _broken_properties(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}.{name}: is gone"
    for name in sorted(now - was):
        yield f"{path}.{name}: is required now" + ("" if name in before else ", a new property must be optional")
    for name in sorted((was - now) & after.keys()):
        yield f"{path}.{name}: is no longer sure to be there"
    if ("properties" in old) != ("properties" in new):
        yield f"{path}: properties " + ("are gone" if "properties" in old else "are named now")
    for name in sorted(before.keys() & after.keys()):
        yield from _broken(before[name], after[name], f"{path}.{name}")


def _unordered(keyword: str, value: Any) -> Any:
    """`type` may be a word or a list, and neither its order nor an enum's means anything."""
    if keyword == "type":
        return {value} if isinstance(value, str) else set(value or ())
    return {json.dumps(one) for one in value} if keyword == "enum" and value is not None else value


def published() -> dict[str, Schema]:
    """The structures of all types that are published today."""
    return {name: structure(schema) for name, schema in schemas().items() if not schema.get("x-planned")}


def released() -> dict[str, Schema]:
    """The structures as they were last released."""
    frozen: dict[str, Schema] = json.loads(RELEASED.read_text("utf-8"))
    return frozen


def since(old: dict[str, Schema], new: dict[str, Schema]) -> list[str]:
    """Every breaking change between two sets of structures, a vanished type among them."""
    faults = [f"{name}: the type is gone" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        faults += [f"{name}: {fault}" for fault in breaking(old[name], new[name])]
    return faults


def freeze(target: Path, new: dict[str, Schema], *, unreleased: bool = False) -> list[str]:
    """Writes `new` as the released structures, unless that breaks what stands there; the faults it found."""
    old: dict[str, Schema] = json.loads(target.read_text("utf-8")) if target.exists() else {}
    faults = since(old, new)
    if not faults or unreleased:
        rows = [f"{json.dumps(name)}: {json.dumps(new[name], ensure_ascii=False)}" for name in sorted(new)]
        target.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    return faults


if __name__ == "__main__":
    forced = "--unreleased" in sys.argv[1:]
    found = freeze(RELEASED, published(), unreleased=forced)
    print("\n".join(found) or f"{RELEASED.name}: {len(published())} types")
    sys.exit(1 if found and not forced else 0)

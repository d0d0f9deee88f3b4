"""Reads the manifests of deploy/ as kustomize would, as far as they use it; refuses what it does not know.

`kustomize build` gives the same objects, but for the hash that it adds to a generated ConfigMap's name.
"""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
OVERLAYS = ("village", "county", "city")
_KNOWN = {"apiVersion", "kind", "resources", "namespace", "configMapGenerator", "patches"}
_CLUSTER_WIDE = {"Namespace"}
Manifest = dict[str, Any]


def overlay(name: str) -> list[Manifest]:
    """All objects of one overlay."""
    return build(DEPLOY / "overlays" / name)


def build(folder: Path) -> list[Manifest]:
    """All objects that a kustomization names, patched."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    assert set(told) <= _KNOWN, f"{folder} uses {set(told) - _KNOWN}"
    found: list[Manifest] = []
    for name in told.get("resources", ()):
        path = folder / name
        found += build(path) if path.is_dir() else _objects(path)
    for generated in told.get("configMapGenerator", ()):
        data = {file: (folder / file).read_text("utf-8") for file in generated["files"]}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generated["name"]}, "data": data})
    for patch in told.get("patches", ()):
        _apply(patch, found)
    if namespace := told.get("namespace"):
        for each in found:
            if each["kind"] not in _CLUSTER_WIDE:
                each["metadata"]["namespace"] = namespace
    return found


def only(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The objects of one kind, by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod templates of Deployments and Jobs, by `kind/name`."""
    kinds = ("Deployment", "Job")
    return {f"{m['kind']}/{m['metadata']['name']}": m["spec"]["template"] for m in manifests if m["kind"] in kinds}


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether a label selector holds for these labels."""
    for need in selector.get("matchExpressions", ()):
        assert need["operator"] == "In"
        if labels.get(need["key"]) not in need["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The places where two objects differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from differences(one.get(key), other.get(key), f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}/{place}")
    elif one != other:
        yield path


def _objects(file: Path) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(file.read_text("utf-8")) if each is not None]


def _apply(patch: Manifest, manifests: list[Manifest]) -> None:
    """JSON patches (RFC 6902) that replace what is there, in every object of the target."""
    target = patch["target"]
    hit = [each for each in manifests if _is_target(target, each)]
    assert hit, f"a patch's target is not there: {target}"
    for step in yaml.safe_load(patch["patch"]):
        assert step["op"] == "replace", step
        *way, last = step["path"].strip("/").split("/")
        for each in hit:
            place: Any = each
            for part in way:
                place = place[int(part)] if isinstance(place, list) else place[part]
            assert last in place, f"{step['path']} is not in {each['kind']} {each['metadata']['name']}"
            place[last] = copy.deepcopy(step["value"])


def _is_target(target: Manifest, manifest: Manifest) -> bool:
    assert set(target) <= {"kind", "name", "labelSelector"}
    if manifest["kind"] != target["kind"] or not re.fullmatch(target.get("name", ".*"), manifest["metadata"]["name"]):
        return False
    if "labelSelector" not in target:
        return True
    told = re.fullmatch(r"(\S+) in \(([\w,]+)\)", target["labelSelector"])
    assert told is not None, target
    return manifest["metadata"].get("labels", {}).get(told[1]) in told[2].split(",")

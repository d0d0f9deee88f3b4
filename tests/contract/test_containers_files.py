"""What docker-compose.yml and the Dockerfiles promise, held without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lianhu_tools.containers import secrets
from lianhu_tools.local.gateway import PAGES
from lianhu_tools.stores.server import ROLES
from lianhu_tools.topology import SERVICES

ROOT = Path(__file__).parents[2]
DOCKERFILES = [*(ROOT / "services" / name / "Dockerfile" for name in SERVICES), ROOT / "tools" / "Dockerfile"]
STORES = {"postgres": r"postgres:\d+", "kafka": r"apache/kafka:\d+\.\d+\.\d+", "gateway": r"caddy:\d+"}
# Its own image writes its settings into the image's folders at the start.
WRITES_ITS_ROOT = {"kafka"}
# Their images choose a user that is not root by themselves; `user` in the file would have to guess its number.
OWN_USER = {"kafka"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return read


def dockerfile_of(service: dict[str, Any]) -> Path:
    name = service["image"].removeprefix("lianhu/")
    return ROOT / ("tools" if name == "tools" else f"services/{name}") / "Dockerfile"


def test_every_process_of_the_topology_is_there(compose: dict[str, Any]) -> None:
    names = {name for service in SERVICES for name in (service, f"{service}-worker", f"{service}-migrate")}
    assert compose["services"].keys() == names | STORES.keys() | {"secrets", "databases", "topics", "demo"}
    for service in SERVICES:
        for name, command in ((service, "api"), (f"{service}-worker", "worker"), (f"{service}-migrate", "migrate")):
            told = compose["services"][name]
            assert (told["image"], told["command"]) == (f"lianhu/{service}", [command])


def test_each_image_is_built_once_or_pinned(compose: dict[str, Any]) -> None:
    for name, told in compose["services"].items():
        if name in STORES:
            pinned = re.fullmatch(r"\$\{\w+:-(\S+)\}", told["image"])
            assert pinned is not None, name
            assert re.fullmatch(STORES[name], pinned[1]), name
        elif "build" in told:
            assert ROOT / told["build"]["dockerfile"] == dockerfile_of(told)
    for service in SERVICES:
        builders = [name for name, told in compose["services"].items() if told["image"] == f"lianhu/{service}"]
        assert sum("build" in compose["services"][name] for name in builders) == 1


def test_nobody_has_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    for name, told in compose["services"].items():
        assert not told.keys() & {"privileged", "pid", "ipc", "devices", "userns_mode"}, name
        assert told.get("network_mode") in (None, "none"), name
        assert told["cap_drop"] == ["ALL"], name
        assert told.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "gateway" else []), name
        assert told["security_opt"] == ["no-new-privileges:true"], name
        assert told.get("read_only", False) is (name not in WRITES_ITS_ROOT), name
        if name in STORES:
            assert name in OWN_USER or str(told["user"]).split(":")[0] not in ("", "0", "root"), name


def test_only_the_gateway_is_published_and_on_the_loopback(compose: dict[str, Any]) -> None:
    published = {name: told["ports"] for name, told in compose["services"].items() if "ports" in told}
    assert published == {"gateway": ["${LIANHU_GATEWAY_BIND:-127.0.0.1}:${LIANHU_PORT_BASE:-8000}:8080"]}
    outside = [name for name, told in compose["services"].items() if "outside" in told.get("networks", [])]
    assert outside == ["gateway"]
    assert compose["networks"]["inside"] == {"internal": True}


def test_services_can_be_scaled(compose: dict[str, Any]) -> None:
    for told in compose["services"].values():
        assert not told.keys() & {"container_name", "hostname", "links"}
    for service in SERVICES:
        for name in (service, f"{service}-worker"):
            told = compose["services"][name]
            assert "/readyz" in told["healthcheck"]["test"][-1]
            assert told["restart"] == "unless-stopped"
            for before in (f"{service}-migrate", "topics"):
                assert told["depends_on"][before] == {"condition": "service_completed_successfully"}


def test_no_secret_stands_in_the_file_and_each_process_has_its_own(compose: dict[str, Any]) -> None:
    assert not re.search(r"password: *\S*[^}\s]$|://\w+:\w+@", (ROOT / "docker-compose.yml").read_text(), re.I | re.M)
    readers: dict[str, set[str]] = {}
    for name, told in compose["services"].items():
        for volume in told.get("volumes", []):
            readers.setdefault(volume.split(":")[0], set()).add(name)
    jobs = {"secrets", "databases"}
    for service in SERVICES:
        for role, name in (("owner", "-migrate"), ("api", ""), ("worker", "-worker")):
            assert readers[f"{service}-{role}"] == {*jobs, f"{service}{name}"}
    assert readers["secrets-postgres"] == {*jobs, "postgres"}
    assert readers["signing-keys"] == {*jobs, "requests", "demo"}


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT).parent))
def test_a_dockerfile_is_small_in_rights_and_names_no_registry(file: Path) -> None:
    text = file.read_text("utf-8")
    lines = text.splitlines()
    assert "ARG PYTHON_IMAGE=python:3.12-slim" in lines
    bases = [line for line in lines if line.startswith("FROM ")]
    assert len(bases) > 1
    assert all(line.startswith("FROM ${PYTHON_IMAGE}") for line in bases)
    assert not re.search(r"https?://|index-url|PIP_|proxy|\.crt|--trusted|^# *syntax=", text, re.I | re.M)
    last = text[text.rindex("FROM ") :]
    assert re.search(r"^USER lianhu$", last, re.M)
    assert "--uid 10001" in last
    assert "COPY --from=packages /app/.venv" in last
    assert "requirements.lock" in text
    assert "pip" not in last


def test_what_a_dockerfile_copies_is_sent_to_the_builder() -> None:
    sent = [
        line[1:].replace("*", "") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"
    ]  # the services stand for each other
    for file in DOCKERFILES:
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", file.read_text(), re.M):
            for path in line.split():
                assert (ROOT / path).exists(), path
                assert any(re.sub(r"services/\w+/", "services//", path).startswith(each) for each in sent), path


def test_the_gateway_routes_as_the_development_gateway_does() -> None:
    text = (ROOT / "deploy" / "caddy" / "Caddyfile").read_text("utf-8")
    assert "metrics|internal" in text
    for service in SERVICES:
        assert re.search(rf"^\thandle_path /api/{service}/\* \{{$", text, re.M)
        paths = re.search(rf"^\t@{service} path (.+)$", text, re.M)
        assert paths is not None
        assert {path.strip("/*") for path in paths[1].split()} - {""} == set(PAGES[service])


def test_secrets_are_made_once_and_the_addresses_carry_their_role(tmp_path: Path) -> None:
    secrets.ensure(tmp_path)
    files = {file: (file.read_text(), file.stat().st_mode & 0o777) for file in tmp_path.rglob("*") if file.is_file()}
    secrets.ensure(tmp_path)
    tokens = {file: files.pop(file) for file in list(files) if file.name == "NOTIFICATIONS_SERVICE_TOKEN"}
    assert {file.parent.name for file in tokens} == {"notifications-api", "notifications-worker"}
    assert all(mode == 0o400 and file.stat().st_mode & 0o777 == mode for file, (_, mode) in tokens.items())
    assert files == {file: (file.read_text(), file.stat().st_mode & 0o777) for file in files}
    passwords = {secrets.password_of(tmp_path, service, role) for service in SERVICES for role in ROLES}
    assert len(passwords) == len(SERVICES) * len(ROLES)
    for service in SERVICES:
        for role in ROLES:
            file = secrets.url_file(tmp_path, service, role)
            assert file.name == f"{service.upper()}_DATABASE_URL"
            text, mode = files[file]
            assert text.startswith(f"postgresql://{service}_{role}:")
            assert text.endswith(f"@postgres:5432/{service}")
            assert mode == 0o400

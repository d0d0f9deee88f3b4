"""The canvas of each service, held against its code: a canvas that went stale fails here."""

import importlib
import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from contract.subscribed import SERVICES, subscriptions
from lianhu_kit.settings import ServiceSettings
from support.declared import topics

ROOT = Path(__file__).parents[2]
KIT_TABLES = {
    "outbox", "published", "relay_leases", "positions", "inbox", "waiting", "parked", "parked_decisions",
    "dropped", "offsets", "timers", "idempotency_keys", "fences",
}  # fmt: skip


def canvas(service: str) -> dict[str, str]:
    """The parts of a canvas by their heading, in lower case."""
    text = (ROOT / "services" / service / "README.md").read_text("utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {name.strip().lower(): body for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def quoted(text: str) -> set[str]:
    """What stands in code quotes."""
    return set(re.findall(r"`([^`]+)`", text))


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    found: type[ServiceSettings] = importlib.import_module(f"{service}_service.settings").Settings
    return found


def application(service: str) -> FastAPI:
    """The service's API, built and not started."""
    settings = settings_of(service)(
        database_url="postgresql://nobody@127.0.0.1:1/none", auth_jwks="none", state_directory=Path("none")
    )
    made: FastAPI = importlib.import_module(f"{service}_service.app").create_app(settings)
    return made


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_stands_in_the_canvas_and_no_other(service: str) -> None:
    parts = canvas(service)
    shape = re.compile(r"(GET|POST|PUT|DELETE|PATCH) (/\S+)")

    def plain(path: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", path.split("?", maxsplit=1)[0])

    told = {
        f"{match[1]} {plain(match[2])}"
        for part in ("commands", "queries")
        for text in quoted(parts[part])
        if (match := shape.fullmatch(text))
    }
    document = application(service).openapi()
    there = {f"{method.upper()} {plain(path)}" for path, item in document["paths"].items() for method in item}
    assert {call for call in there if "/v1/" in call} <= told, "calls that the canvas does not tell of"
    assert {call for call in told if "/v1/" in call} <= there, "calls that the canvas tells of and nobody answers"


@pytest.mark.parametrize("service", SERVICES)
def test_the_events_are_those_of_the_canvas(service: str) -> None:
    parts = canvas(service)
    types = re.compile(r"lianhu\.[a-z.-]+\.v\d+")
    names = set(topics())
    told_in = {text for text in quoted(parts["events in"]) if types.fullmatch(text)} - names
    assert told_in == set(subscriptions(service))
    told_out = {text for text in quoted(parts["events out"]) if types.fullmatch(text)} - names
    declared = {name for topic in topics().values() if topic.owner == service for name in topic.types}
    assert told_out <= declared
    assert told_out or service == "reporting"


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_are_those_of_the_canvas(service: str) -> None:
    package = importlib.import_module(f"{service}_service.tables")
    metadata = getattr(package, "metadata", None)
    if metadata is None:
        table_class = next(
            value for value in vars(package).values() if isinstance(value, type) and hasattr(value, "metadata")
        )
        metadata = table_class.metadata
    there = set(metadata.tables)
    assert there, "the service declares no table"
    told = {text for text in quoted(canvas(service)["tables"]) if re.fullmatch(r"[a-z_]+", text)}
    assert there <= told | KIT_TABLES, "tables that the canvas does not tell of"


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_are_those_of_the_canvas(service: str) -> None:
    settings = settings_of(service)
    told = {text for text in quoted(canvas(service)["settings"]) if re.fullmatch(r"[A-Z][A-Z0-9_]+", text)}
    there = {str(field.validation_alias.choices[0]) for field in settings.model_fields.values()}  # type: ignore[union-attr]
    assert there <= told, "settings that the canvas does not tell of"
    assert told <= there, "settings that the canvas tells of and nobody reads"


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_stands_in_the_example(service: str) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = [str(field.validation_alias.choices[0]) for field in settings_of(service).model_fields.values()]  # type: ignore[union-attr]
    missing = [name for name in names if not re.search(rf"^#? ?{name}=", example, re.MULTILINE)]
    assert not missing

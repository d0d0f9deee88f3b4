"""`.env.example` names every setting of every service, at the value that it has without the file."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices

from lianhu_kit.settings import ServiceSettings
from lianhu_tools.topology import SERVICES

EXAMPLE = Path(__file__).resolve().parents[3] / ".env.example"
LINES = re.findall(r"^(# )?([A-Z][A-Z_]*)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
GIVEN = {name: value for hidden, name, value in LINES if not hidden}
SHOWN = {name: value for _, name, value in LINES}


def _settings(service: str) -> type[ServiceSettings]:
    found: Any = importlib.import_module(f"{service}_service.settings")
    settings: type[ServiceSettings] = found.Settings
    return settings


def _variables(settings: type[ServiceSettings]) -> dict[str, str]:
    named = {}
    for name, field in settings.model_fields.items():
        assert isinstance(field.validation_alias, AliasChoices)
        named[name] = str(field.validation_alias.choices[0])
    return named


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_shown(service: str) -> None:
    missing = set(_variables(_settings(service)).values()) - set(SHOWN)
    assert not missing, f".env.example does not show {sorted(missing)}"


def test_nothing_is_shown_that_is_no_setting() -> None:
    known = {variable for service in SERVICES for variable in _variables(_settings(service)).values()}
    known |= {"LIANHU_PORT_BASE", "LIANHU_BROKER", "TEST_INFRA"}
    assert not set(SHOWN) - known


@pytest.mark.parametrize("service", SERVICES)
def test_the_values_are_good_and_those_of_no_file(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(service)
    variables = _variables(settings)
    for variable in variables.values():
        monkeypatch.delenv(variable, raising=False)
    needed = {variables[name]: SHOWN[variables[name]] for name in ("database_url", "auth_jwks")}
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    without = settings()
    for name, value in SHOWN.items():
        monkeypatch.setenv(name, value)
    shown = settings()  # whatever is commented is a right value too
    assert all(getattr(shown, name) == getattr(without, name) for name in variables if variables[name] in GIVEN)

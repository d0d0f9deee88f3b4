"""The canvas of each service, held against its code: a canvas that went stale fails here."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from lianhu_kit.settings import ServiceSettings, _variable

from support.declared import topics

ROOT = Path(__file__).parents[2]
SERVICES = ("requests", "dispatch", "notifications", "reporting")


def canvas(service: str) -> dict[str, str]:
    """The parts of a canvas by their heading, in lower case."""
    text = (ROOT / "services" / service / "README.md").read_text("utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {name.strip().lower(): body for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def quoted(text: str) -> set[str]:
    """What stands in code quotes."""
    return set(re.findall(r"`([^`]+)`", text))

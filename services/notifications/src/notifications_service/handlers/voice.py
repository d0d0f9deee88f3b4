"""The words of this service: templates of each language, read once from the package's files."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from notifications_service.domain.texts import TEMPLATES, fill

LOCALES = ("zh-CN", "en")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True)
class Voice:
    """How this deployment speaks: its default language and the time zone of its clocks."""

    locale: str
    zone: ZoneInfo

    def language(self, *wishes: str | None) -> str:
        """The first wish that there are texts for, else the deployment's own."""
        return next((wish for wish in wishes if wish in LOCALES), self.locale)

    def values(self, locale: str, known: Mapping[str, Any], template: str) -> dict[str, str]:
        """The values that a template declares, as text; times in local time."""
        return {name: self._text(known[name], locale) for name in sorted(TEMPLATES[template])}

    def _text(self, value: Any, locale: str) -> str:
        if not isinstance(value, datetime):
            return str(value)
        local = value.astimezone(self.zone)
        if locale == "zh-CN":
            return f"{local.month}月{local.day}日{local:%H:%M}"
        return f"{local:%H:%M} on {local.day} {_MONTHS[local.month - 1]}"


def say(template: str, locale: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Title and body of a template in a language."""
    text = texts(locale)[template]
    return fill(text["title"], values), fill(text["body"], values)


@cache
def texts(locale: str) -> dict[str, dict[str, str]]:
    """All templates of a language: {template: {title, body}}."""
    content = files("notifications_service").joinpath("texts", f"{locale}.toml").read_text("utf-8")
    return tomllib.loads(content)

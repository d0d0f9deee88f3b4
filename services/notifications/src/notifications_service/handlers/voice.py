"""The words of this service: templates of each language from the package's files, and a unit's own in their place."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lianhu_kit.divisions import LENGTHS, ancestors
from notifications_service.domain.choices import Channel
from notifications_service.domain.texts import TEMPLATES, Text, Texts, faults_of, fill

LOCALES = ("zh-CN", "en")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class BadTexts(ValueError):
    """Texts of a unit that cannot be used; each line of the message says where and what to do."""


@dataclass(frozen=True)
class Voice:
    """How this deployment speaks: its default language, the time zone of its clocks, which ways outward it has.

    `own` holds the texts of units: (code, language) → template → text.
    """

    locale: str
    zone: ZoneInfo
    channels: frozenset[Channel] = frozenset()
    own: Mapping[tuple[str, str], Texts] = field(default_factory=dict)

    def language(self, *wishes: str | None) -> str:
        """The first wish that there are texts for, else the deployment's own."""
        return next((wish for wish in wishes if wish in LOCALES), self.locale)

    def values(self, locale: str, known: Mapping[str, Any], template: str) -> dict[str, str]:
        """The values that a template declares, as text; times in local time."""
        return {name: self._text(known[name], locale) for name in sorted(TEMPLATES[template])}

    def say(self, tenant: str, template: str, locale: str, values: Mapping[str, str]) -> tuple[str, str]:
        """Title and body of a template in a language, in the words of the unit that is nearest above the village."""
        text = texts(locale)[template]
        if self.own:
            codes = (tenant, *ancestors(tenant))
            text = next(
                (own[template] for code in codes if template in (own := self.own.get((code, locale), {}))), text
            )
        return fill(text["title"], values), fill(text["body"], values)

    def _text(self, value: Any, locale: str) -> str:
        if not isinstance(value, datetime):
            return str(value)
        local = value.astimezone(self.zone)
        if locale == "zh-CN":
            return f"{local.month}月{local.day}日{local:%H:%M}"
        return f"{local:%H:%M} on {local.day} {_MONTHS[local.month - 1]}"


@cache
def texts(locale: str) -> Texts:
    """All templates of a language: {template: {title, body}}."""
    content = files("notifications_service").joinpath("texts", f"{locale}.toml").read_text("utf-8")
    return tomllib.loads(content)


def own_texts(folder: Path | None) -> dict[tuple[str, str], Texts]:
    """The texts of units: `<folder>/<code>/<language>.toml`, each with the templates that it says in its own words.

    Raises BadTexts, which names every fault: an unknown unit's code, language, template or variable.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise BadTexts(f"{folder} is no folder. Name one with a folder for each unit, as in 441702008205/zh-CN.toml.")
    found: dict[tuple[str, str], Texts] = {}
    wrong: list[str] = []
    for file in sorted(folder.glob("*/*")):
        code, locale = file.parent.name, file.stem
        if not code.isdecimal() or len(code) not in LENGTHS or locale not in LOCALES or file.suffix != ".toml":
            wrong.append(f"{code}/{file.name}: a right name is <division code>/<{'|'.join(LOCALES)}>.toml")
            continue
        given, fault = _read(file)
        wrong += [f"{code}/{file.name}: {one}" for one in ([fault] if fault else faults_of(given))]
        found[code, locale] = given
    if wrong:
        raise BadTexts("\n".join(wrong))
    return found


def _read(file: Path) -> tuple[dict[str, Text], str]:
    try:
        return tomllib.loads(file.read_text("utf-8")), ""
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, f"it is not TOML in UTF-8: {error}"

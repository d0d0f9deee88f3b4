"""The words: every language says everything, with the values it declares and nothing else."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from notifications_service.domain.texts import TEMPLATES, VARIABLES, fill, placeholders
from notifications_service.handlers.voice import LOCALES, Voice, say, texts

VOICE = Voice("zh-CN", ZoneInfo("Asia/Shanghai"))
KNOWN = {
    "number": "48213074", "service": "家电维修", "place": "一网格", "name": "李*",
    "until": datetime(2026, 3, 4, 6, 30, tzinfo=UTC), "missing": 2,
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_a_language_has_every_template_and_no_other(locale: str) -> None:
    assert set(texts(locale)) == set(TEMPLATES)
    for template, text in texts(locale).items():
        assert set(text) == {"title", "body"}, template


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_a_text_asks_for_just_what_it_declares(locale: str, template: str) -> None:
    text = texts(locale)[template]
    asked = placeholders(text["title"]) | placeholders(text["body"])
    assert asked == TEMPLATES[template] <= VARIABLES
    assert text["body"].strip()
    assert len(text["title"]) <= 60


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_message_can_be_said(locale: str, template: str) -> None:
    title, body = say(template, locale, VOICE.values(locale, KNOWN, template))
    assert "{" not in title + body
    assert "None" not in title + body
    assert "48213074" in body


def test_times_are_told_as_local_clocks_show_them() -> None:
    assert VOICE.values("zh-CN", KNOWN, "finish-near")["until"] == "3月4日14:30"
    assert VOICE.values("en", KNOWN, "finish-near")["until"] == "14:30 on 4 Mar"


def test_the_first_known_wish_is_the_language() -> None:
    assert VOICE.language(None, "en") == "en"
    assert VOICE.language("xx", None) == "zh-CN"
    assert VOICE.language("en", "zh-CN") == "en"


def test_a_template_takes_plain_names_only() -> None:
    assert placeholders("{number} and {service}") == {"number", "service"}
    for text in ("{number.real}", "{number[0]}", "{number:>9}", "{number!r}", "{}"):
        with pytest.raises(ValueError, match="no plain name"):
            placeholders(text)
    with pytest.raises(KeyError):
        fill("{number}", {})

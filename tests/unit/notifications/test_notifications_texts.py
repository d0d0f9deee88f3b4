"""The words: every language says everything, with the values it declares and nothing else."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from notifications_service.domain.texts import TEMPLATES, VARIABLES, fill, placeholders
from notifications_service.handlers.voice import LOCALES, BadTexts, Voice, own_texts, texts

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
    title, body = VOICE.say("441702008205", template, locale, VOICE.values(locale, KNOWN, template))
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


def _own(folder: Path, code: str, file: str, content: str) -> None:
    (folder / code).mkdir(exist_ok=True)
    (folder / code / file).write_text(content, "utf-8")


def test_the_nearest_unit_says_it_in_its_own_words(tmp_path: Path) -> None:
    _own(tmp_path, "4417", "zh-CN.toml", '[request-accepted]\ntitle = "市 {number}"\nbody = "市里的话。"\n')
    _own(tmp_path, "441702008205", "zh-CN.toml", '[request-accepted]\ntitle = "村 {number}"\nbody = "村里的话。"\n')
    voice = Voice("zh-CN", ZoneInfo("Asia/Shanghai"), own=own_texts(tmp_path))
    values = {"number": "48213074", "service": "家电维修"}
    assert voice.say("441702008205", "request-accepted", "zh-CN", values)[0] == "村 48213074"
    assert voice.say("441702008206", "request-accepted", "zh-CN", values)[0] == "市 48213074"
    assert voice.say("330102008206", "request-accepted", "zh-CN", values)[0] not in ("市 48213074", "村 48213074")
    assert "市" not in voice.say("441702008206", "request-accepted", "en", values)[0]


@pytest.mark.parametrize(
    ("code", "file", "content", "said"),
    [
        ("village", "zh-CN.toml", "", "a right name"),
        ("4417", "fr.toml", "", "a right name"),
        ("44170", "en.toml", "", "a right name"),
        ("4417", "en.toml", "[", "not TOML"),
        ("4417", "en.toml", '[no-such]\ntitle = "a"\nbody = "b"', "no template"),
        ("4417", "en.toml", '[request-accepted]\ntitle = "a"', "needs `title` and `body`"),
        ("4417", "en.toml", '[request-accepted]\ntitle = " "\nbody = "b"', "is empty"),
        (
            "4417",
            "en.toml",
            '[request-accepted]\ntitle = "a {phone}"\nbody = "b"',
            "asks for phone; it can say",
        ),
        ("4417", "en.toml", '[request-accepted]\ntitle = "a {number.real}"\nbody = "b"', "no plain name"),
        ("4417", "en.toml", '[request-accepted]\ntitle = 3\nbody = "b"', "write a sentence"),
    ],
)
def test_texts_that_cannot_be_used_say_why(tmp_path: Path, code: str, file: str, content: str, said: str) -> None:
    _own(tmp_path, code, file, content)
    with pytest.raises(BadTexts) as refused:
        own_texts(tmp_path)
    assert said in str(refused.value)
    assert f"{code}/{file}" in str(refused.value)


def test_no_folder_is_no_texts_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    assert own_texts(None) == {}
    assert own_texts(tmp_path) == {}
    with pytest.raises(BadTexts, match="is no folder"):
        own_texts(tmp_path / "missing")

"""Which language a page speaks, and that texts are found where they are kept."""

import pytest

from lianhu_web.words import catalogues, language_of


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("en", "zh-CN", "en"),
        (None, "en-GB,zh;q=0.5", "en"),
        (None, "fr, zh-TW;q=0.8", "zh-CN"),
        (None, None, "zh-CN"),
        ("klingon", "", "zh-CN"),
    ],
)
def test_the_choice_counts_then_the_browser_then_the_place(
    asked: str | None, accepted: str | None, language: str
) -> None:
    assert language_of(asked, accepted, "zh-CN") == language


def test_shared_words_are_said_in_both_languages() -> None:
    words = catalogues("lianhu_web")
    assert words["zh-CN"].gettext("Sign in") == "登录"
    assert words["en"].gettext("Sign in") == "Sign in"
    assert words["zh-CN"].gettext("nobody says this") == "nobody says this"

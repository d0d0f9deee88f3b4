"""The check of catalogues finds what it is there for."""

from pathlib import Path

from babel.messages.catalog import Catalog

from lianhu_tools import words


def catalogue(**texts: str) -> Catalog:
    made = Catalog(locale=words.LOCALE)
    for text, chinese in texts.items():
        made.add(text, chinese)
    return made


def test_a_text_without_chinese_is_found() -> None:
    assert words.faults("x", {"Hello"}, catalogue(), set()) == ["x: no Chinese for 'Hello'"]


def test_what_every_page_shares_needs_no_second_chinese() -> None:
    assert words.faults("x", {"Hello"}, catalogue(), {"Hello"}) == []


def test_a_text_that_nobody_says_is_found() -> None:
    assert words.faults("x", set(), catalogue(Hello="你好"), set()) == ["x: nobody says 'Hello' any more"]


def test_other_values_in_the_chinese_are_found() -> None:
    text = "%(count)s left"
    assert words.faults("x", {text}, catalogue(**{text: "还剩 %(cuont)s"}), set()) == [
        f"x: other values in the Chinese of {text!r}"
    ]


def test_templates_and_code_are_read(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('{{ _("One") }}{% trans %}Two{% endtrans %}', "utf-8")
    (tmp_path / "room.py").write_text('N_("Three")\nvisitor.say("Four")\n', "utf-8")
    assert words.said(tmp_path) >= {"One", "Two", "Three", "Four"}


def test_an_update_keeps_translations_and_drops_the_rest() -> None:
    old = catalogue(One="一", Gone="没")
    new = words.brought_up_to_date({"One", "Two"}, old).decode()
    assert "一" in new
    assert "Two" in new
    assert "Gone" not in new

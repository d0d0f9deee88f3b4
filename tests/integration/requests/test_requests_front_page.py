"""The first page, and what holds for every page."""

import pytest

from support.browsing import Person
from support.requests_rig import Rig


async def test_emergency_numbers_come_first(rig: Rig) -> None:
    page = await Person(rig.client).get("/")
    assert page.status == 200
    assert page.html.index("tel:119") < page.html.index('href="/order"')


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "您需要什么"), ("en", "What do you need?")])
async def test_it_speaks_both_languages(rig: Rig, language: str, words: str) -> None:
    page = await Person(rig.client, language=language).get("/")
    assert words in page.text
    assert f'lang="{language}"' in page.html


async def test_a_choice_of_language_and_care_is_remembered(rig: Rig) -> None:
    person = Person(rig.client, language="zh-CN")
    await person.get("/", language="en")
    page = await person.get("/", care="1")
    assert 'class="care"' in page.html
    page = await person.get("/")
    assert "What do you need?" in page.text
    assert 'class="care"' in page.html


async def test_nothing_inline_and_nothing_from_outside(rig: Rig) -> None:
    page = await Person(rig.client).get("/")
    policy = page.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "style=" not in page.html
    assert "://" not in page.html.replace("http://www.w3.org", "")


async def test_what_is_not_there_is_a_page_too(rig: Rig) -> None:
    page = await Person(rig.client).get("/order/nothing-of-the-kind")
    assert page.status == 404
    assert "<h1>" in page.html


async def test_files_are_kept_under_their_checksum(rig: Rig) -> None:
    page = await Person(rig.client).get("/")
    address = page.html.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = await rig.client.get(address)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    again = await rig.client.get(address.split("?")[0])
    assert "immutable" not in again.headers["cache-control"]

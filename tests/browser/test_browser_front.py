"""The first page in a browser: sound at both widths and in both languages, light, and with care mode."""

import pytest
from playwright.async_api import Browser

from support.chromium import WIDTHS, looking


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_it_is_sound(chrome: Browser, base: str, width: str, language: str) -> None:
    async with looking(chrome, base, width, locale=language) as resident:
        await resident.open("/")
        await resident.sound()
        await resident.open("/?care=1")
        await resident.sound()


async def test_it_is_light(chrome: Browser, base: str) -> None:
    async with looking(chrome, base) as resident:
        await resident.open("/")
        files, size = await resident.weight()
        assert files <= 6
        assert size < 100 * 1024


async def test_a_page_that_is_not_there_says_so(chrome: Browser, base: str) -> None:
    async with looking(chrome, base) as resident:
        await resident.open("/order/nothing-of-the-kind")
        assert "这里没有内容" in await resident.text()
        await resident.sound()

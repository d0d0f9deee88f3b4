"""The page of all parts in a browser: sound in every part and state, at both widths, in both languages, and larger."""

import pytest
from playwright.async_api import Browser

from support.chromium import WIDTHS, looking
from support.settlement import Settlement
from support.system import System


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_part_is_sound(
    chrome: Browser, base: str, system: System, settlement: Settlement, width: str, language: str
) -> None:
    token = system.bearer("clerk", settlement.tenant)["Authorization"].removeprefix("Bearer ")
    async with looking(chrome, base, width, locale=language) as clerk:
        await clerk.be(token)
        for path in ("/desk/parts", "/desk/parts?care=1", "/desk/parts?done=yes&care=0"):
            await clerk.open(path)
            await clerk.sound()
        files, _ = await clerk.weight()
        assert files <= 6

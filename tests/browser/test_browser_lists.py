"""Lists in a browser: sent in, looked at while the work goes on, applied after a question, taken back."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from lianhu_web.visiting import session_cookie
from support.chromium import WIDTHS, Looker, looking
from support.settlement import Settlement
from support.system import System


async def as_admin(looker: Looker, system: System, at: str) -> None:
    """Signs in with a cookie, as the sign-in page would leave it."""
    token = system.bearer("admin", at)["Authorization"].removeprefix("Bearer ")
    cookie: Any = {
        "name": f"lianhu-{looker.base.rsplit(':', 1)[1]}-session",
        "value": session_cookie("invented-session", token),  # pragma: allowlist secret
        "url": looker.base,
    }
    await looker.context.add_cookies([cookie])


@pytest.mark.parametrize(("width", "language"), [("phone", "zh-CN"), ("desk", "en")])
async def test_a_list_is_looked_at_applied_and_taken_back(
    chrome: Browser, base: str, system: System, settlement: Settlement, tmp_path: Path, width: str, language: str
) -> None:
    assert width in WIDTHS
    english = language == "en"
    rows = [f"示例{place},{'12' if place % 33 == 0 else f'1390000{place:04}'},志愿者" for place in range(2000)]
    file = tmp_path / "people.csv"
    file.write_text("姓名,电话,角色\n" + "\n".join(rows), encoding="gb18030")
    async with looking(chrome, base, width, locale=language) as admin:
        await as_admin(admin, system, settlement.tenant)
        await admin.open("/desk/imports")
        await admin.sound()
        await admin.page.get_by_label("People" if english else "人员", exact=True).check()
        await admin.page.locator("input[type=file]").set_input_files(file)
        await admin.press("Check the list" if english else "核对名单")
        # Without a reload: the page looks again by itself until the work has ended.
        leave_out = admin.page.get_by_role("checkbox")
        await leave_out.wait_for()
        await admin.sound()
        await leave_out.check()
        await admin.page.locator("form[action$='/apply'] button").click()
        async with admin.page.expect_navigation(wait_until="load"):
            await admin.page.get_by_role("dialog").get_by_role("button").first.click()
        await expect(admin.page.locator("#now .state")).to_have_text("Applied" if english else "已写入", timeout=60_000)
        await admin.sound()
        await admin.open("/desk/exports")
        await admin.sound()
        async with admin.page.expect_download() as download:
            await admin.page.locator("a[download]").first.click()
        assert (await (await download.value).path()).stat().st_size > 0


async def test_without_scripts_the_page_is_loaded_again(
    chrome: Browser, base: str, system: System, settlement: Settlement, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("姓名\n示例甲\n", encoding="utf-8")
    async with looking(chrome, base, "desk", java_script_enabled=False) as admin:
        await as_admin(admin, system, settlement.tenant)
        await admin.open("/desk/imports")
        await admin.page.get_by_label("人员", exact=True).check()
        await admin.page.locator("input[type=file]").set_input_files(file)
        await admin.page.get_by_role("button", name="核对名单").click()
        apply = admin.page.locator("form[action$='/apply'] button")
        await apply.wait_for()
        await apply.click()
        await expect(admin.page.locator("#now .state")).to_have_text("已写入", timeout=20_000)

"""The administrator's and the town's pages in a browser: sound at both widths and in both languages."""

from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser

from support.chromium import Looker, looking
from support.conditions import eventually
from support.settlement import SERVICE, Settlement
from support.system import System

LOOKS = [("phone", "zh-CN"), ("desk", "en"), ("phone", "en"), ("desk", "zh-CN")]


async def be(looker: Looker, system: System, role: str, at: str) -> None:
    await looker.be(system.bearer(role, at, str(uuid4()))["Authorization"].removeprefix("Bearer "))


@pytest.mark.parametrize(("width", "language"), LOOKS)
async def test_every_page_of_the_administrator_is_sound(
    chrome: Browser, base: str, system: System, settlement: Settlement, width: str, language: str
) -> None:
    tenant = settlement.tenant
    async with looking(chrome, base, width, locale=language) as admin:
        await be(admin, system, "admin", tenant)
        for path in (
            "/desk/admin",
            f"/desk/admin/units/{tenant}",
            f"/desk/admin/units/{settlement.grid}",
            f"/desk/admin/catalogue/{tenant}",
            f"/desk/admin/people/{tenant}",
            "/desk/imports",
            "/desk/exports",
        ):
            await admin.open(path)
            await admin.sound()
            files, _ = await admin.weight()
            assert files <= 6, f"{path} asks for {files} files"
        await admin.open("/desk/admin?care=1")
        await admin.sound()
        # What is wrong is said in a way that everybody hears.
        await admin.open(f"/desk/admin/units/{tenant}")
        await admin.page.locator("input[name=name]").fill("")
        async with admin.page.expect_navigation(wait_until="load"):
            await admin.page.locator("main form[method=post] button[type=submit]").first.click()
        assert await admin.page.locator(".fault").count() > 0
        await admin.sound()


@pytest.mark.parametrize(("width", "language"), LOOKS)
async def test_every_page_of_the_town_is_sound(
    chrome: Browser, base: str, system: System, settlement: Settlement, width: str, language: str
) -> None:
    english = language == "en"
    requests, clerk = system.url("requests"), system.bearer("clerk", settlement.tenant, settlement.clerk)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        assignment = await settlement.offered(system, client)
        placed = await client.post(f"{requests}/v1/requests", json={**settlement.order(), "service": SERVICE})
        request = placed.json()["id"]
        for move, body in (
            ("accept", {"summary": "搬一个旧柜子", "route": "none"}),
            ("answer", {"text": "每周三上午办", "source": "办事指南"}),
        ):
            answer = await client.post(f"{requests}/v1/requests/{request}/{move}", json=body, headers=clerk)
            assert answer.status_code == 200, answer.text
    async with looking(chrome, base, width, locale=language) as town:
        await be(town, system, "supervisor", settlement.tenant)
        for path in ("/desk/town", "/desk/town/samples", f"/desk/{request}", "/board/supervised"):
            await town.open(path)
            await town.sound()
            files, _ = await town.weight()
            assert files <= 6, f"{path} asks for {files} files"
        await town.open(f"/board/{assignment}")
        await town.sound()
        await town.press("Give the order" if english else "下达")
        assert await town.page.locator(".fault").count() == 2
        await town.sound()
        await town.page.locator("textarea[name=order]").fill("周五前办完")
        await town.page.locator("input[name=until]").fill("2099-01-01T09:00")
        await town.press("Give the order" if english else "下达")
        await town.sound()
        await town.open("/board/supervised")
        assert ("There is still time" if english else "还在期限内") in await town.text()
        await town.sound()
        await town.open(f"/desk/{request}")

        async def drawn() -> bool:
            await town.open("/desk/town/samples")
            return await town.page.locator("form[action$='/contact']").count() == 1

        await eventually(drawn, timeout=20)
        async with town.page.expect_navigation(wait_until="load"):
            await town.page.locator("form[action$='/contact'] button").click()
        assert "19000000009" in await town.text()
        await town.sound()

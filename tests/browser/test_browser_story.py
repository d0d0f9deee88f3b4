"""One order's life through the pages by the right people: ordered, taken on, claimed, done without signal, graded."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from support.chromium import Looker, looking
from support.conditions import eventually
from support.settlement import SERVICE, Settlement
from support.system import System


def phone() -> str:
    return f"19{secrets.randbelow(10**9):09}"


async def with_phones(system: System, settlement: Settlement) -> dict[str, str]:
    """Phones for the village's clerk and one of its volunteers."""
    admin = system.bearer("admin", settlement.tenant)
    phones = {"clerk": phone(), "volunteer": phone()}
    people: list[dict[str, Any]] = [
        {
            "id": settlement.clerk, "tenant": settlement.tenant, "name": "测试村干部", "phone": phones["clerk"],
            "roles": [{"role": "clerk", "at": settlement.tenant}],
        },
        {
            "id": settlement.volunteers[0], "tenant": settlement.tenant, "name": "测试志愿者",
            "phone": phones["volunteer"], "roles": [{"role": "volunteer", "at": settlement.tenant}],
            "volunteer": {"grid": settlement.grid, "capacity": 100},
        },
    ]  # fmt: skip
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        url = f"{system.url('requests')}/v1/people/batch"
        answer = await client.post(url, json={"items": people}, headers=admin)
        assert answer.status_code == 200, answer.text
    return phones


async def order(resident: Looker, settlement: Settlement, number: str) -> tuple[str, str]:
    """Orders for a neighbour by the pages; the number and the tracking code of the slip."""
    await resident.open("/")
    await resident.sound()
    await resident.press("我要点单")
    await resident.page.locator("input[name=q]").fill(settlement.tenant)
    await resident.press("查找")
    await resident.sound()
    await resident.page.locator(f"a[href*='{settlement.tenant}']").first.click()
    await resident.page.wait_for_load_state("load")
    await resident.sound()
    await resident.page.locator(f"a[href*='/{SERVICE}']").first.click()
    await resident.page.wait_for_load_state("load")
    await resident.sound()
    await resident.page.locator("textarea[name=text]").fill("帮邻居老人搬一个旧柜子")
    await resident.page.locator("input[name=who][value=elderly]").check()
    await resident.page.locator("input[name=name]").fill("测试邻居")
    await resident.page.locator("input[name=phone]").fill(number)
    await resident.page.locator("input[name=address]").fill("示例路一号")
    await resident.press("下一步：核对")
    assert "必须" in await resident.text() or "勾选" in await resident.text()
    await resident.sound()
    await resident.page.locator("input[name=notice]").check()
    await resident.page.locator("input[name=sensitive]").check()
    await resident.press("下一步：核对")
    await resident.sound()
    await resident.press("对的，提交")
    await resident.sound()
    numbers = await resident.page.locator(".slip .number").all_inner_texts()
    return numbers[0], numbers[1]


async def follow(resident: Looker, settlement: Settlement, number: str, code: str) -> str:
    """What the order's page says to whoever has the slip."""
    await resident.open("/track")
    await resident.page.locator("input[name=number]").fill(number)
    await resident.page.locator("input[name=code]").fill(code)
    await resident.page.locator("input[name=village]").fill(settlement.tenant)
    await resident.press("查询")
    return await resident.text()


@pytest.mark.parametrize(("hand", "table"), [("phone", "desk"), ("desk", "phone")])
async def test_an_orders_life(  # noqa: PLR0915 - one life, told once
    chrome: Browser, base: str, system: System, settlement: Settlement, hand: str, table: str
) -> None:
    phones, number_of_resident = await with_phones(system, settlement), phone()
    async with looking(chrome, base, hand) as resident:
        number, code = await order(resident, settlement, number_of_resident)
        assert "已点单" in await follow(resident, settlement, number, code) or "新单" in await resident.text()
        await resident.sound()

        async with looking(chrome, base, table) as clerk:
            await clerk.sign_in(phones["clerk"], "/desk")
            assert number in await clerk.text()
            await clerk.sound()
            await clerk.page.get_by_role("link", name=number).click()
            await clerk.page.wait_for_load_state("load")
            await clerk.sound()
            form = clerk.page.locator("form[action$='/accept']")
            await form.locator("textarea[name=summary]").fill("搬一个旧柜子")
            async with clerk.page.expect_navigation(wait_until="load"):
                await form.locator("button[type=submit]").click()
            assert "已派单" in await clerk.text()
            await clerk.sound()

        async with looking(chrome, base, hand) as volunteer:
            await volunteer.sign_in(phones["volunteer"], "/tasks")

            async def offered() -> bool:
                await volunteer.open("/tasks")
                assert "搬一个旧柜子" in await volunteer.text()
                return True

            await eventually(offered, timeout=60)
            await volunteer.sound()
            async with volunteer.page.expect_navigation(wait_until="load"):
                await volunteer.page.get_by_role("button", name="我领单").first.click()
            await volunteer.page.wait_for_url("**/tasks/**done=claim**")

            async def reached() -> bool:
                await volunteer.page.reload(wait_until="load")
                assert number_of_resident in await volunteer.text()
                return True

            await eventually(reached, timeout=60)
            await volunteer.sound()
            digits = await volunteer.page.locator(".number").first.inner_text()
            seen = await follow(resident, settlement, number, code)
            assert digits in seen  # both see the same four digits
            await resident.sound()
            await without_signal(volunteer)

        async def completed() -> bool:
            assert "请" in await follow(resident, settlement, number, code)
            assert await resident.page.locator("form[action='/track/code']").count() == 1
            assert "完成（待确认）" in await resident.text()
            return True

        await eventually(completed, timeout=60)
        await resident.press("获取验证码")
        codes = await resident.context.new_page()
        await codes.goto(base + "/sign-in/codes")
        one_time = await codes.locator("tr", has_text=number_of_resident).first.locator(".number").inner_text()
        await codes.close()
        form = resident.page.locator("form[action='/track/act']", has=resident.page.locator("input[value=confirm]"))
        await form.locator("input[name=one_time]").fill(one_time)
        await form.locator("input[name=solved][value=yes]").check()
        await form.locator("input[name=grade][value='5']").check()
        await resident.sound()
        async with resident.page.expect_navigation(wait_until="load"):
            await form.locator("button[type=submit]").click()
        assert "已办结" in await resident.text()
        await resident.sound()


async def without_signal(volunteer: Looker) -> None:
    """Checks in, out and reports it done with no signal; all of it is sent when there is."""
    await volunteer.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await volunteer.page.reload(wait_until="load")  # the page is kept now
    await volunteer.context.set_offline(True)
    await volunteer.page.get_by_role("button", name="签到：我到了").click()
    kept = volunteer.page.locator("[data-kept]")
    await expect(kept).to_contain_text("签到")
    form = volunteer.page.locator("form[data-act=complete]")
    await form.locator("textarea[name=result]").fill("柜子搬好了")
    await form.locator("input[name=minutes]").fill("40")
    await form.locator("button[type=submit]").click()
    await expect(kept).to_contain_text("填报完成")
    await volunteer.page.reload(wait_until="load")  # a closed and opened page still knows, without signal
    await expect(volunteer.page.locator("[data-kept]")).to_contain_text("填报完成")
    volunteer.complaints.clear()  # the browser notes each call that did not go out
    await volunteer.context.set_offline(False)
    await volunteer.page.evaluate("dispatchEvent(new Event('online'))")
    await expect(volunteer.page.locator("[data-kept]")).to_be_hidden(timeout=20_000)
    await asyncio.sleep(0)
    volunteer.complaints.clear()
    await volunteer.open("/tasks/record")
    assert "搬一个旧柜子" in await volunteer.text()
    await volunteer.sound()


ROLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("clerk", "village", ("/desk", "/desk/new", "/calls", "/inbox", "/preferences", "/reports", "/reports/bulletin")),
    ("supervisor", "town", ("/desk/town", "/reports", "/reports/reconciliation", "/reports/figures/now.open")),
    ("grid_leader", "grid", ("/board", "/board/today", "/calls")),
    ("volunteer", "village", ("/tasks", "/tasks/record", "/inbox")),
    ("resident", "", ("/track/mine", "/sign-in/devices", "/inbox")),
)


@pytest.mark.parametrize(("role", "where", "pages"), ROLES)
@pytest.mark.parametrize(
    ("width", "language"), [("phone", "zh-CN"), ("desk", "en"), ("phone", "en"), ("desk", "zh-CN")]
)
async def test_every_page_is_sound(
    chrome: Browser, base: str, system: System, settlement: Settlement, role: str, where: str, pages: tuple[str, ...],
    width: str, language: str,
) -> None:  # fmt: skip
    at = {"village": settlement.tenant, "town": settlement.tenant[:9], "grid": settlement.grid, "": ""}[where]
    person = {"clerk": settlement.clerk, "volunteer": settlement.volunteers[1]}.get(role)
    async with looking(chrome, base, width, locale=language) as looker:
        await looker.be(system.bearer(role, at, person)["Authorization"].removeprefix("Bearer "))
        for path in pages:
            await looker.open(path)
            await looker.sound()
            files, _ = await looker.weight()
            assert files <= 6, f"{path} asks for {files} files"
        await looker.open(f"{pages[0]}?care=1")
        await looker.sound()


async def test_ordering_by_keyboard_alone(chrome: Browser, base: str, settlement: Settlement) -> None:
    async with looking(chrome, base, "desk") as resident:
        await resident.open(f"/order/{settlement.tenant}/{SERVICE}")
        keyboard = resident.page.keyboard

        async def to(name: str) -> None:
            for _ in range(60):
                await keyboard.press("Tab")
                if (
                    await resident.page.evaluate("document.activeElement?.name || document.activeElement?.value")
                    == name
                ):
                    return
            raise AssertionError(f"{name} is not reached by Tab")

        for name, words in (("text", "灯不亮"), ("name", "测试住户"), ("phone", "19000000001")):
            await to(name)
            await keyboard.type(words)
        await to("notice")
        await keyboard.press("Space")
        await to("stage")
        async with resident.page.expect_navigation(wait_until="load"):
            await keyboard.press("Enter")
        await to("stage")
        async with resident.page.expect_navigation(wait_until="load"):
            await keyboard.press("Enter")
        assert "点单成功" in await resident.text()


async def test_a_draft_is_kept_when_the_page_is_lost(chrome: Browser, base: str, settlement: Settlement) -> None:
    async with looking(chrome, base) as resident:
        await resident.open(f"/order/{settlement.tenant}/{SERVICE}")
        await resident.page.locator("textarea[name=text]").fill("灯不亮")
        await expect(resident.page.locator("[data-draft-note]")).to_be_visible()
        await resident.open("/")
        await resident.open(f"/order/{settlement.tenant}/{SERVICE}")
        await expect(resident.page.locator("textarea[name=text]")).to_have_value("灯不亮")


async def test_residents_pages_are_light(chrome: Browser, base: str, settlement: Settlement) -> None:
    for path in (
        "/",
        "/order",
        f"/order/services?tenant={settlement.tenant}",
        f"/order/{settlement.tenant}/{SERVICE}",
        "/track",
    ):
        async with looking(chrome, base) as resident:
            await resident.open(path)
            files, size = await resident.weight()
            assert files <= 6, path
            assert size < 100 * 1024, f"{path}: {size} bytes"


async def test_the_order_goes_without_scripts(chrome: Browser, base: str, settlement: Settlement) -> None:
    async with looking(chrome, base, "phone", java_script_enabled=False) as resident:
        await resident.open(f"/order/{settlement.tenant}/{SERVICE}")
        for name, words in (("name", "测试住户"), ("phone", "19000000002")):
            await resident.page.locator(f"input[name={name}]").fill(words)
        await resident.page.locator("textarea[name=text]").fill("灯不亮")
        await resident.page.locator("input[name=notice]").check()
        await resident.press("下一步：核对")
        await resident.press("对的，提交")
        assert "点单成功" in await resident.text()

"""A photo's way through the pages: with the slip, on the desk, at the volunteer's, with the report; without signal."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from support.chromium import looking
from support.conditions import eventually
from support.pictures import photo
from support.settlement import SERVICE, Settlement
from support.system import System


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """A photo as a phone has it: 12 million points, with where it was taken."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo((4000, 3000)))
    return file


async def placed(chrome: Browser, base: str, settlement: Settlement, camera: Path, width: str, scripts: bool) -> str:
    """Orders and adds a photo from the slip; the order's number."""
    async with looking(chrome, base, width, java_script_enabled=scripts) as resident:
        await resident.open(f"/order/{settlement.tenant}/{SERVICE}")
        await resident.page.locator("textarea[name=text]").fill("楼道的灯不亮")
        await resident.page.locator("input[name=name]").fill("测试住户")
        await resident.page.locator("input[name=phone]").fill("19000000021")
        await resident.page.locator("input[name=notice]").check()
        await resident.press("下一步：核对")
        await resident.press("对的，提交")
        number = (await resident.page.locator(".slip .number").all_inner_texts())[0]
        if scripts:
            await resident.sound()
        await resident.page.locator("input[name=photo]").set_input_files(camera)
        resident.asked.clear()
        await resident.press("添加照片")
        assert "照片 1：要办的事" in await resident.text()
        assert await resident.page.locator("img").count() == 0
        if scripts:
            files, size = await resident.weight()
            assert files <= 6
            assert size < 100 * 1024
            await resident.sound()
        return number


async def test_a_photo_goes_without_scripts(chrome: Browser, base: str, settlement: Settlement, camera: Path) -> None:
    await placed(chrome, base, settlement, camera, "phone", scripts=False)


@pytest.mark.parametrize(("hand", "table"), [("phone", "desk"), ("desk", "phone")])
async def test_the_way_of_a_photo(  # noqa: PLR0915 - one way, told once
    chrome: Browser, base: str, system: System, settlement: Settlement, camera: Path, hand: str, table: str
) -> None:
    number = await placed(chrome, base, settlement, camera, hand, scripts=True)
    async with httpx.AsyncClient(base_url=system.url("requests"), trust_env=False, timeout=30) as client:
        clerk = system.bearer("clerk", settlement.tenant, settlement.clerk)
        listed = await client.get("/v1/requests", params={"number": number}, headers=clerk)
        request = listed.json()["items"][0]["id"]
        accept = {"summary": "楼道的灯不亮", "grid": settlement.grid}
        assert (await client.post(f"/v1/requests/{request}/accept", json=accept, headers=clerk)).is_success

    async with looking(chrome, base, hand) as volunteer:
        person = system.bearer("volunteer", settlement.tenant, settlement.volunteers[0])
        await volunteer.be(person["Authorization"].removeprefix("Bearer "))

        async def offered() -> bool:
            await volunteer.open("/tasks")
            assert "楼道的灯不亮" in await volunteer.text()
            return True

        await eventually(offered, timeout=60)
        async with volunteer.page.expect_navigation(wait_until="load"):
            await volunteer.page.get_by_role("button", name="我领单").first.click()
        await volunteer.page.wait_for_url("**/tasks/**done=claim**")

        async def photo_named() -> bool:
            await volunteer.page.reload(wait_until="load")
            assert "照片 1：要办的事" in await volunteer.text()
            return True

        await eventually(photo_named, timeout=60)
        await volunteer.sound()
        address = await volunteer.page.locator("a[href^='/order/photos/']").get_attribute("href")
        look = await volunteer.context.new_page()
        answer = await look.goto(f"{base}{address}")
        assert answer is not None
        assert answer.headers["content-type"] == "image/jpeg"
        await look.close()

        form = volunteer.page.locator("form[data-act=complete]")
        await volunteer.context.set_offline(True)
        await expect(form.get_by_text("手机上不保存照片")).to_be_visible()
        await volunteer.sound()
        await volunteer.context.set_offline(False)
        volunteer.complaints.clear()
        await form.locator("input[name=photo]").set_input_files(
            {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(9 * 1024 * 1024)}
        )
        await expect(form.get_by_role("alert")).to_contain_text("8 MB")  # before it is sent for nothing
        await form.locator("textarea[name=result]").fill("换了灯泡")
        await form.locator("input[name=minutes]").fill("20")
        await form.locator("input[name=photo]").set_input_files(
            {"name": "none.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"}
        )
        async with volunteer.page.expect_navigation(wait_until="load"):
            await form.locator("button[type=submit]").click()
        assert "这不是能读取的照片" in await volunteer.text()
        volunteer.complaints.clear()
        await volunteer.sound()
        await form.locator("input[name=photo]").set_input_files(camera)
        async with volunteer.page.expect_navigation(wait_until="load", url=re.compile(r"/tasks\?done=complete")):
            await form.locator("button[type=submit]").click()
        kept = await volunteer.page.evaluate(
            "caches.open('lianhu-tasks').then((pages) => pages.keys()).then((keys) => keys.map((key) => key.url))"
        )
        assert not [url for url in kept if "photos" in url]
        await volunteer.open("/tasks/record")
        await volunteer.page.get_by_role("link", name="楼道的灯不亮").click()
        await volunteer.page.wait_for_load_state("load")
        assert await volunteer.page.locator("form[action$='/photo']").count() == 1
        await volunteer.sound()

    async with looking(chrome, base, table) as desk:
        await desk.be(clerk["Authorization"].removeprefix("Bearer "))

        async def done() -> bool:
            await desk.open(f"/desk/{request}")
            assert "完成（待确认）" in await desk.text()
            return True

        await eventually(done, timeout=60)
        assert await desk.page.locator("#photos img").count() == 2
        assert "照片 2：办好的样子" in await desk.text()
        files, _ = await desk.weight()
        assert files <= 6
        await desk.sound()
        async with httpx.AsyncClient(base_url=system.url("requests"), trust_env=False, timeout=30) as client:
            steps = await client.get(f"/v1/requests/{request}/timeline", headers=clerk)
            assert [step["step"] for step in steps.json()["steps"]].count("photo-added") == 2

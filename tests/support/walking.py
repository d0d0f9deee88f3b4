"""People of a village walking through the pages: what they fill in, press and see."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.async_api import Browser, Locator

from support.chromium import Looker, looking
from support.conditions import eventually
from support.settlement import SERVICE, Settlement
from support.system import System


@dataclass
class Slip:
    """What a resident holds in hand: the number, the tracking code, the phone that they gave."""

    number: str
    code: str
    phone: str
    id: str = ""


@dataclass
class Walk:
    """A village with its people, and the width of everybody's screen."""

    chrome: Browser
    base: str
    system: System
    settlement: Settlement
    width: str
    open: list[Any] = field(default_factory=list)

    async def person(self, role: str, at: str = "", person: str | None = None) -> Looker:
        """Somebody signed in, with a screen of their own; `at` is the village's code where nothing else is said."""
        looker = await self.resident()
        token = self.system.bearer(role, at or self.settlement.tenant, person)["Authorization"]
        await looker.be(token.removeprefix("Bearer "))
        return looker

    async def resident(self) -> Looker:
        """Somebody with a phone, not signed in."""
        made = looking(self.chrome, self.base, self.width)
        looker = await made.__aenter__()
        self.open.append(made)
        return looker

    async def close(self) -> None:
        """Everybody puts their phone away."""
        for made in reversed(self.open):
            await made.__aexit__(None, None, None)

    async def clerk(self) -> Looker:
        """The village's clerk."""
        return await self.person("clerk", person=self.settlement.clerk)

    async def town(self) -> Looker:
        """A supervisor of the town."""
        return await self.person("supervisor", self.settlement.tenant[:9])

    async def order(self, resident: Looker, words: str, *, reach: bool = False, **fields: str) -> Slip:
        """Orders by the pages, with a phone or through the steward; `fields` are further ones of the form."""
        number = f"19{secrets.randbelow(10**9):09}"
        await resident.open(f"/order/{self.settlement.tenant}/{SERVICE}")
        form = resident.page.locator("form[data-draft]")
        given = {"text": words, "name": "测试住户", **({"reach": "通过小管家"} if reach else {"phone": number})}
        await fill(form, {**given, "notice": "yes", **fields})
        await resident.press("下一步：核对")
        await resident.press("对的，提交")
        await resident.sound()
        number_of, code = await resident.page.locator(".slip .number").all_inner_texts()
        return Slip(number_of, code, number)

    async def look(self, resident: Looker, slip: Slip) -> str:
        """Where the order stands, what was said and what happens next, as the slip shows it now."""
        await resident.open("/track")
        form = resident.page.locator("form", has=resident.page.locator("input[name=village]"))
        await fill(form, {"number": slip.number, "code": slip.code, "village": self.settlement.tenant})
        await resident.press("查询")
        return await resident.page.locator("#where").inner_text()

    async def sees(self, resident: Looker, slip: Slip, words: str) -> None:
        """Waits until the slip's page says so."""

        async def said() -> bool:
            text = await self.look(resident, slip)
            assert words in text, text
            return True

        await eventually(said, timeout=60)
        await resident.sound()

    async def say(self, resident: Looker, slip: Slip, act: str, **fields: str) -> None:
        """The resident's word: with a code to the phone of the order, or signed in where one was sent just now."""
        await self.look(resident, slip)
        await resident.press("获取验证码")
        mine = resident.page.locator("form", has=resident.page.locator(f"input[name=act][value={act}]"))
        if await mine.locator("[name=one_time]").count():
            await submit(resident, mine, {"one_time": await self._code(resident, slip.phone), **fields})
            return
        await resident.sign_in(slip.phone, f"/track/{slip.id}")
        await submit(resident, mine, fields)

    async def _code(self, resident: Looker, phone: str) -> str:
        codes = await resident.context.new_page()
        await codes.goto(self.base + "/sign-in/codes")
        code = await codes.locator("tr", has_text=phone).first.locator(".number").inner_text()
        await codes.close()
        return code

    async def call_noted(self, clerk: Looker, words: str) -> Slip:
        """Takes a call at the desk, for the village's grid; the resident is told number and code."""
        phone = f"19{secrets.randbelow(10**9):09}"
        await clerk.open("/desk/new")
        form = clerk.page.locator("form[data-draft]")
        given = {"text": words, "name": "测试来电", "phone": phone, "grid": self.settlement.grid}
        await submit(clerk, form, given)
        found = re.search(r"编号 ?(\d{8}).*?查询码 ?(\w{6})", await clerk.text(), re.DOTALL)
        assert found, await clerk.text()
        return Slip(found[1], found[2], phone)

    async def at(self, looker: Looker, slip: Slip) -> None:
        """Opens the request on the desk."""
        if not slip.id:
            answer = await self.call("GET", f"/v1/requests?tenant={self.settlement.tenant}&number={slip.number}")
            slip.id = answer["items"][0]["id"]
        await looker.open(f"/desk/{slip.id}")
        await looker.sound()

    async def move(self, looker: Looker, slip: Slip, move: str, **fields: str) -> str:
        """Makes a move of the desk by its form; what the page says then."""
        await self.at(looker, slip)
        form = looker.page.locator(f"form[action='/desk/{slip.id}/{move}']").last
        await submit(looker, form, fields)
        return await looker.text()

    async def claimed(self, volunteer: Looker, words: str, button: str = "我领单") -> None:
        """Waits for the offer, and takes it."""

        async def offered() -> bool:
            await volunteer.open("/tasks")
            assert words in await volunteer.text()
            return True

        await eventually(offered, timeout=60)
        await volunteer.sound()
        async with volunteer.page.expect_navigation(wait_until="load"):
            await volunteer.page.get_by_role("button", name=button).first.click()
        await volunteer.page.wait_for_url("**/tasks/**done=**")

    async def done(self, volunteer: Looker, result: str = "办好了") -> None:
        """Reports the work that is open on the volunteer's page as done."""
        form = volunteer.page.locator("form[data-act=complete]")
        await form.locator("textarea[name=result]").fill(result)
        await form.locator("input[name=minutes]").fill("30")
        async with volunteer.page.expect_navigation(wait_until="load"):
            await form.locator("button[type=submit]").click()

    async def call(self, method: str, path: str, body: Any = None, role: str = "clerk", at: str = "") -> Any:
        """What is there, or was made ready, outside of the pages."""
        headers = self.system.bearer(role, at or self.settlement.tenant, self.settlement.clerk if not at else None)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.request(method, self.system.url("requests") + path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()


async def fill(form: Locator, fields: dict[str, str]) -> None:
    """Fills fields by their names, whatever kind they are."""
    for name, value in fields.items():
        found = form.locator(f"[name='{name}']")
        kind = await found.first.evaluate("field => field.type")
        if kind == "radio":
            found = form.locator(f"[name='{name}'][value='{value}']")
        inside = form.page.locator(f"[name='{name}']")
        for fold in await form.locator("details:not([open])", has=inside).all():
            await fold.locator("> summary").click()
        if kind in ("radio", "checkbox"):
            await found.first.check()
        elif kind == "select-one":
            await found.first.select_option(value)
        else:
            await found.first.fill(value)


async def submit(looker: Looker, form: Locator, fields: dict[str, str]) -> None:
    """Unfolds, fills and sends a form, answers its question with yes, and waits for the page that follows."""
    fold = looker.page.locator("details:not([open])", has=form)
    if await fold.count():
        await fold.first.locator("> summary").click()
    await fill(form, fields)
    asks = await form.get_attribute("data-ask")
    async with looker.page.expect_navigation(wait_until="load"):
        await form.locator("button[type=submit]").last.click()
        if asks:
            await looker.page.get_by_role("button", name="确定", exact=True).click()
    assert not await looker.page.locator(".fault").count(), await looker.text()
    await looker.sound()

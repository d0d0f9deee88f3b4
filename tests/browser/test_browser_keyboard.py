"""The desk and the board by keyboard alone: a call is taken, accepted and dispatched, and somebody is asked by name."""

from collections.abc import Sequence
from uuid import uuid4

from playwright.async_api import Browser

from support.chromium import Looker, looking
from support.conditions import eventually
from support.settlement import Settlement
from support.system import System

MOST = 80  # stops of Tab that a form may be away


class Hands:
    """Somebody without a mouse: Tab and Shift+Tab, Space, Enter, arrows, and the keys that the pages name."""

    def __init__(self, looker: Looker) -> None:
        self.looker = looker
        self.keyboard = looker.page.keyboard

    async def to(self, selector: str) -> None:
        """Goes on by Tab until what fits the selector has the focus, and sees that the focus shows."""
        for _ in range(MOST):
            if await self.looker.page.evaluate("wanted => document.activeElement?.matches(wanted)", selector):
                break
            await self.keyboard.press("Tab")
        else:
            raise AssertionError(f"{selector} is not reached by Tab")
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert await self.looker.page.evaluate(ring) != "none", f"{selector}: nobody sees that it has the focus"

    async def write(self, selector: str, words: str) -> None:
        """Goes to a field and types."""
        await self.to(selector)
        await self.keyboard.type(words)

    async def choose(self, selector: str, value: str) -> None:
        """Goes to a list and moves down to a value."""
        await self.to(selector)
        for _ in range(MOST):
            if await self.looker.page.evaluate("document.activeElement.value") == value:
                return
            await self.keyboard.press("ArrowDown")
        raise AssertionError(f"{selector} has no {value}")

    async def press(self, *keys: str) -> None:
        """Presses what leads to another page, and waits for it."""
        async with self.looker.page.expect_navigation(wait_until="load"):
            for key in keys:
                await self.keyboard.press(key)


def token(system: System, role: str, at: str, person: str) -> str:
    """The token of somebody with a role."""
    return system.bearer(role, at, person)["Authorization"].removeprefix("Bearer ")


async def keys_named(looker: Looker) -> Sequence[str]:
    """The keys that stand on the page."""
    return await looker.page.locator("kbd").all_inner_texts()


async def test_a_call_is_taken_and_sent_out_by_keyboard_alone(
    chrome: Browser, base: str, system: System, settlement: Settlement
) -> None:
    async with looking(chrome, base, "desk") as clerk:
        await clerk.be(token(system, "clerk", settlement.tenant, settlement.clerk))
        await clerk.open("/desk")
        hands = Hands(clerk)
        assert "Alt+N" in await keys_named(clerk)
        await hands.press("Alt+n")
        assert "Alt+K" in await keys_named(clerk)
        await hands.write("textarea[name=text]", "帮邻居老人搬一个旧柜子")
        await hands.write("input[name=name]", "测试邻居")
        await hands.write("input[name=phone]", "19000000021")
        await hands.to("input[name=accept]")
        await clerk.page.keyboard.press("Space")
        await hands.press("Alt+k")
        assert "Alt+O" in await keys_named(clerk), await clerk.text()
        await hands.press("Alt+o")
        form = "form[action$='/accept']"
        await hands.write(f"{form} textarea[name=summary]", "")
        await clerk.page.keyboard.press("Control+a")
        await clerk.page.keyboard.type("搬一个旧柜子")
        await hands.choose(f"{form} select[name=route]", "none")
        await hands.to(f"{form} button[type=submit]")
        await hands.press("Enter")
        assert "已受理" in await clerk.text()
        form = "form[action$='/dispatch']"
        await hands.choose(f"{form} select[name=route]", "volunteers")
        await hands.choose(f"{form} select[name=grid]", settlement.grid)
        await hands.to(f"{form} button[type=submit]")
        await hands.press("Enter")
        assert "已派单" in await clerk.text()
        await hands.press("Alt+b")
        assert clerk.page.url.endswith("/desk")
        assert not clerk.complaints
    await asked_by_name(chrome, base, system, settlement)


async def asked_by_name(chrome: Browser, base: str, system: System, settlement: Settlement) -> None:
    """The grid's leader finds it on the board and asks somebody."""
    async with looking(chrome, base, "desk") as leader:
        await leader.be(token(system, "grid_leader", settlement.grid, str(uuid4())))

        async def there() -> bool:
            await leader.open("/board")
            assert "搬一个旧柜子" in await leader.text()
            return True

        await eventually(there, timeout=60)
        hands = Hands(leader)
        form = "form[action$='/assign']"
        person = settlement.volunteers[3]
        await hands.choose(f"{form} select[name=person]", person)
        await hands.to(f"{form} button[type=submit]")
        await hands.press("Enter")
        assert "点名" in await leader.text()
        await hands.to(".card h3 a")
        await hands.press("Enter")
        await leader.sound()
        await hands.press("Alt+b")
        await hands.press("Alt+p")
        assert leader.page.url.endswith("/board/today")
        assert not leader.complaints


async def test_a_question_before_what_stays_is_answered_by_keyboard(
    chrome: Browser, base: str, system: System, settlement: Settlement
) -> None:
    async with looking(chrome, base, "desk") as clerk:
        await clerk.be(token(system, "clerk", settlement.tenant, settlement.clerk))
        await clerk.open("/desk/new")
        hands = Hands(clerk)
        await hands.write("textarea[name=text]", "灯不亮")
        await hands.write("input[name=name]", "测试邻居")
        await hands.write("input[name=phone]", "19000000022")
        await hands.to("input[name=accept]")
        await clerk.page.keyboard.press("Space")
        await hands.press("Alt+k")
        assert "Alt+O" in await keys_named(clerk), await clerk.text()
        await hands.press("Alt+o")
        await hands.to("details:has(form[action$='/reject']) > summary")
        await clerk.page.keyboard.press("Enter")
        form = "form[action$='/reject']"
        await hands.write(f"{form} textarea[name=reason]", "不归村里管")
        await hands.to(f"{form} button[type=submit]")
        await clerk.page.keyboard.press("Enter")
        dialog = clerk.page.get_by_role("dialog")
        await dialog.wait_for()
        await clerk.sound()
        await clerk.page.keyboard.press("Escape")  # thought better of it
        await dialog.wait_for(state="detached")
        await hands.to(f"{form} button[type=submit]")
        await clerk.page.keyboard.press("Enter")
        await dialog.wait_for()
        await hands.press("Shift+Tab", "Enter")
        assert await clerk.page.locator("h1 .state.s-rejected").count() == 1
        assert not clerk.complaints

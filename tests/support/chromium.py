"""A real browser in front of the pages: both widths, what it complains of, and what axe finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from lianhu_tools.browser import chromium
from lianhu_web.visiting import session_cookie

AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
# The widths of the issue: an old phone, and a desk.
WIDTHS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
    "desk": {"viewport": {"width": 1280, "height": 800}},
}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = """async (rules) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: rules } });
  return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}"""
PATIENCE = 20_000  # milliseconds that a page may take on a busy machine


@asynccontextmanager
async def browser() -> AsyncIterator[Browser | None]:
    """The system's Chromium; None where there is none."""
    path, _ = chromium()
    if path is None:
        yield None
        return
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield started
        await started.close()


@dataclass
class Looker:
    """Somebody at a screen. `complaints` are what the browser said: errors, refused by policy, missing files."""

    context: BrowserContext
    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    async def be(self, token: str) -> None:
        """Is signed in with a token, as the sign-in page would leave it."""
        cookie: Any = {
            "name": f"lianhu-{self.base.rsplit(':', 1)[1]}-session",
            "value": session_cookie("invented-session", token),  # pragma: allowlist secret
            "url": self.base,
        }
        await self.context.add_cookies([cookie])

    async def sign_in(self, phone: str, onward: str) -> None:
        """Signs in by the pages: the phone, the code that the local system shows, and on to where one wanted to go."""
        await self.open(f"/sign-in?next={onward}")
        await self.page.locator("input[name=phone]").fill(phone)
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.locator("main button[type=submit]").click()
        await self.sound()
        codes = await self.context.new_page()
        await codes.goto(self.base + "/sign-in/codes")
        code = await codes.locator("tr", has_text=phone).first.locator(".number").inner_text()
        await codes.close()
        await self.page.locator("input[name=code]").fill(code)
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.locator("main button[type=submit]").click()

    async def open(self, path: str) -> None:
        """Opens a page and counts what it asks for."""
        self.asked.clear()
        answer = await self.page.goto(self.base + path, wait_until="load")
        assert answer is not None
        assert answer.status < 500, f"{path}: {answer.status}"

    async def press(self, words: str) -> None:
        """Presses the button or follows the link that says so, and waits for the page that follows."""
        found = self.page.get_by_role("button", name=words, exact=True).or_(
            self.page.get_by_role("link", name=words, exact=True)
        )
        async with self.page.expect_navigation(wait_until="load"):
            await found.first.click()

    async def text(self) -> str:
        """What stands on the page."""
        return await self.page.locator("main").inner_text()

    async def sound(self) -> None:
        """The page has no accessibility violation, nothing beyond its width, and the browser no complaint."""
        await self.page.evaluate(AXE.read_text("utf-8"))
        violations = await self.page.evaluate(_RUN, _RULES)
        where = self.page.url.removeprefix(self.base)
        assert not violations, f"{where}: {violations}"
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{where} is {wide} px too wide"
        assert not self.complaints, f"{where}: {self.complaints}"

    async def weight(self) -> tuple[int, int]:
        """How many files the page that is open asked for, and how many bytes came over the wire."""
        size = 0
        for request in self.asked:
            if request.resource_type == "eventsource":  # goes on for as long as one looks
                continue
            sizes = await request.sizes()
            size += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        return len(self.asked), size


@asynccontextmanager
async def looking(browser: Browser, base: str, width: str = "phone", **more: Any) -> AsyncIterator[Looker]:
    """Somebody new at a screen of a width: no cookies, Chinese unless `locale` says otherwise."""
    context = await browser.new_context(**{"locale": "zh-CN", **WIDTHS[width], **more})
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    looker = Looker(context, page, base)

    def heard(said: ConsoleMessage) -> None:
        # A page that answers 404 or 422 is a page; the browser notes its status, and that is no complaint.
        own = said.text.startswith("Failed to load resource") and "/static/" not in said.location["url"]
        if said.type == "error" and not own:
            looker.complaints.append(said.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: looker.complaints.append(str(error)))
    page.on("request", lambda request: looker.asked.append(request))  # noqa: PLW0108 - Playwright marks the function
    try:
        yield looker
    finally:
        await context.close()

"""First use: how many clicks, fields and pages five tasks take, counted in the browser; docs/first-use.md tells them.

The script does not think: what it shows is how long the way is, not how long somebody looks for it.
"""

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser

from support.chromium import Looker
from support.conditions import eventually
from support.settlement import Settlement
from support.system import System
from support.walking import Walk, fill

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "first-use.md"
# Kept over pages of one origin: what somebody clicked, which fields they changed, which pages they saw.
_COUNT = """
(() => {
  const add = (what) => localStorage.setItem(what, 1 + Number(localStorage.getItem(what) ?? 0));
  add("pages");
  addEventListener("click", (event) => { if (event.detail > 0) add("clicks"); }, true);
  addEventListener("change", () => add("fields"), true);
})();
"""


@dataclass(frozen=True)
class Way:
    """What a task took."""

    clicks: int
    fields: int
    pages: int
    seconds: float


async def counted(looker: Looker, began: float) -> Way:
    """What was counted so far."""
    clicks, fields, pages = await looker.page.evaluate(
        "['clicks', 'fields', 'pages'].map((what) => Number(localStorage.getItem(what)))"
    )
    return Way(clicks, fields, pages, time.monotonic() - began)


async def start(looker: Looker, path: str) -> float:
    """Opens the first page with everything at nought."""
    await looker.context.add_init_script(_COUNT)
    await looker.open(path)
    await looker.page.evaluate("['clicks', 'fields', 'pages'].forEach((what) => localStorage.removeItem(what))")
    return time.monotonic()


def promised(task: str) -> int:
    """The clicks that the document says, so that it does not grow old."""
    found = re.search(rf"^\| {re.escape(task)} \| (\d+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert found, f"docs/first-use.md does not tell of {task!r}"
    return int(found[1])


def told(task: str, way: Way) -> None:
    """Prints a line for the document, and holds it against what the document says."""
    print(f"| {task} | {way.clicks} | {way.fields} | {way.pages} | {way.seconds:.1f} |")
    assert way.clicks <= promised(task), f"{task} takes more clicks than docs/first-use.md says"


@pytest.fixture
async def walk(chrome: Browser, base: str, system: System, settlement: Settlement) -> Walk:
    """A village, everybody on a phone."""
    return Walk(chrome, base, system, settlement, "phone")


async def test_order_help_for_my_neighbour(walk: Walk) -> None:
    resident = await walk.resident()
    began = await start(resident, "/")
    await resident.press("我要点单")
    await resident.page.locator("input[name=q]").fill(walk.settlement.tenant)
    await resident.press("查找")
    await resident.page.locator(f"a[href*='{walk.settlement.tenant}']").first.click()
    await resident.page.wait_for_load_state("load")
    await resident.page.locator("a[href*='/neighbourly-help']").first.click()
    await resident.page.wait_for_load_state("load")
    await fill(
        resident.page.locator("form[data-draft]"),
        {"text": "帮邻居老人搬柜子", "who": "elderly", "name": "测试邻居", "phone": f"19{secrets.randbelow(10**9):09}",
         "notice": "yes", "sensitive": "yes"},
    )  # fmt: skip
    await resident.press("下一步：核对")
    await resident.press("对的，提交")
    assert "点单成功" in await resident.text()
    told("Order help for my neighbour", await counted(resident, began))
    await walk.close()


async def test_take_on_a_call_at_the_desk(walk: Walk) -> None:
    clerk = await walk.clerk()
    began = await start(clerk, "/desk")
    await clerk.open("/desk/new")
    form = clerk.page.locator("form", has=clerk.page.locator("textarea[name=text]"))
    await fill(form, {"name": "测试来电", "phone": f"19{secrets.randbelow(10**9):09}", "text": "水管漏水"})
    async with clerk.page.expect_navigation(wait_until="load"):
        await form.locator("button[type=submit]").first.click()
    assert "已登记" in await clerk.text()
    told("Take on a call at the desk", await counted(clerk, began))
    await walk.close()


async def test_claim_and_finish_a_task(walk: Walk) -> None:
    clerk, resident = await walk.clerk(), await walk.resident()
    slip = await walk.order(resident, "搬一个旧柜子")
    await walk.move(clerk, slip, "accept", summary="搬一个旧柜子", route="volunteers", grid=walk.settlement.grid)
    volunteer = await walk.person("volunteer", person=walk.settlement.volunteers[0])

    async def offered() -> bool:
        await volunteer.open("/tasks")
        assert "搬一个旧柜子" in await volunteer.text()
        return True

    await eventually(offered, timeout=60)
    began = await start(volunteer, "/tasks")
    await walk.claimed(volunteer, "搬一个旧柜子")
    await walk.done(volunteer)
    told("Claim and finish a task", await counted(volunteer, began))
    await walk.close()


async def test_what_is_late_in_my_town(walk: Walk) -> None:
    town = await walk.town()
    began = await start(town, "/desk/town")
    assert "未办结" in await town.page.locator("body").inner_text()
    await town.page.locator("a[href^='/reports']").first.click()
    await town.page.wait_for_load_state("load")
    await town.page.locator("a[href*='/reports/figures/now.overdue']").first.click()
    await town.page.wait_for_load_state("load")
    told("What is late in my town", await counted(town, began))
    await walk.close()


async def test_this_months_bulletin(walk: Walk) -> None:
    clerk = await walk.clerk()
    began = await start(clerk, "/reports")
    await clerk.page.locator("a[href^='/reports/bulletin']").first.click()
    await clerk.page.wait_for_load_state("load")
    assert walk.settlement.tenant in clerk.page.url or "月" in await clerk.text()
    told("This month's bulletin", await counted(clerk, began))
    await walk.close()

"""The demo's stories through the pages, by the right people, at both widths; each ends where the resident looks."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser

from support.conditions import eventually
from support.settlement import Settlement
from support.system import System
from support.walking import Walk, submit


@pytest.fixture(params=["phone", "desk"])
async def walk(
    request: pytest.FixtureRequest, chrome: Browser, base: str, system: System, settlement: Settlement
) -> AsyncIterator[Walk]:
    """A village of the test's own, at one width."""
    made = Walk(chrome, base, system, settlement, request.param)
    yield made
    await made.close()


async def test_asked_for_what_is_missing_and_answered_at_once(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "想办医保报销，不知道要带什么")
    await walk.move(clerk, slip, "ask", missing="身份证复印件\n住院发票")
    await walk.sees(resident, slip, "住院发票")
    await walk.say(resident, slip, "reply", reason="都带来了，交给窗口了")
    await walk.move(clerk, slip, "accept", summary="医保报销代办", route="none")
    await walk.move(clerk, slip, "answer", text="已经交到镇里，十个工作日到账", source="医保经办规程")
    await walk.sees(resident, slip, "十个工作日到账")
    await walk.say(resident, slip, "confirm", solved="yes", grade="5")
    await walk.sees(resident, slip, "已办结")


async def test_referred_bounced_and_done_by_the_agency(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "商业街乱停车")
    await walk.move(clerk, slip, "accept", summary="商业街停车", route="none")
    await walk.move(clerk, slip, "refer", agency="交警大队", reference="2026-17")
    await walk.move(clerk, slip, "agency-reply", text="不归我们管", outcome="bounced")
    await walk.move(clerk, slip, "refer", agency="城管局", reference="2026-18")
    await walk.move(clerk, slip, "agency-reply", text="已划线", outcome="done")
    await walk.sees(resident, slip, "已划线")
    await walk.say(resident, slip, "confirm", solved="partly", grade="4")
    await walk.sees(resident, slip, "已办结")


async def test_the_same_matter_twice_is_one(walk: Walk) -> None:
    first, second, clerk = await walk.resident(), await walk.resident(), await walk.clerk()
    leader = await walk.call_noted(clerk, "川海花园有人高空抛物")
    follower = await walk.call_noted(clerk, "川海花园高空抛物，太危险")
    await walk.at(clerk, leader)
    await walk.at(clerk, follower)
    into = clerk.page.locator(
        f"form[action='/desk/{follower.id}/merge']", has=clerk.page.locator(f"[value='{leader.id}']")
    )
    await submit(clerk, into, {})
    await walk.sees(second, follower, "合并")
    await walk.move(clerk, leader, "report-up", reason="需要镇里协调物业")
    town = await walk.town()
    await town.open("/desk/town")
    await town.sound()
    await walk.move(town, leader, "answer", text="物业已装监控并巡查", source="镇综治办")
    await walk.sees(first, leader, "已装监控")


async def test_nobody_claims_so_the_leader_asks_by_name(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "帮忙抬一台洗衣机")
    await walk.move(clerk, slip, "accept", summary="抬一台洗衣机", route="volunteers", grid=walk.settlement.grid)
    leader = await walk.person("grid_leader", walk.settlement.grid)

    async def on_the_board() -> bool:
        await leader.open("/board")
        assert "抬一台洗衣机" in await leader.text()
        return True

    await eventually(on_the_board, timeout=60)
    await leader.sound()
    asked = walk.settlement.volunteers[3]
    await submit(leader, leader.page.locator("form[data-assign]").first, {"person": asked})
    volunteer = await walk.person("volunteer", person=asked)
    await walk.claimed(volunteer, "抬一台洗衣机")
    await walk.done(volunteer)
    await walk.sees(resident, slip, "完成（待确认）")
    await walk.say(resident, slip, "confirm", solved="yes", grade="4")
    await walk.sees(resident, slip, "已办结")


async def test_graded_two_it_is_done_again_by_somebody_else(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "门锁坏了")
    await walk.move(clerk, slip, "accept", summary="修门锁", route="volunteers", grid=walk.settlement.grid)
    first = await walk.person("volunteer", person=walk.settlement.volunteers[0])
    await walk.claimed(first, "修门锁")
    await walk.done(first)
    await walk.sees(resident, slip, "完成（待确认）")
    await walk.say(resident, slip, "confirm", solved="no", grade="2")
    await walk.sees(resident, slip, "已派单")
    second = await walk.person("volunteer", person=walk.settlement.volunteers[1])
    await walk.claimed(second, "修门锁")
    await walk.done(second, "换了新锁芯")
    await walk.sees(resident, slip, "完成（待确认）")
    await walk.say(resident, slip, "confirm", solved="yes", grade="5")
    await walk.sees(resident, slip, "已办结")


async def test_refused_and_taken_on_after_review(walk: Walk) -> None:
    resident, clerk, town = await walk.resident(), await walk.clerk(), await walk.town()
    slip = await walk.order(resident, "路灯不亮")
    await walk.move(clerk, slip, "reject", reason="不在服务范围")
    await walk.sees(resident, slip, "不在服务范围")
    await walk.move(town, slip, "review", outcome="overturned", reason="属于村里的公共设施", summary="修路灯")
    await walk.move(clerk, slip, "dispatch", route="volunteers", grid=walk.settlement.grid)
    await walk.sees(resident, slip, "已派单")


async def test_given_back_and_withdrawn(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "浇花")
    await walk.move(clerk, slip, "accept", summary="帮忙浇花", route="volunteers", grid=walk.settlement.grid)
    volunteer = await walk.person("volunteer", person=walk.settlement.volunteers[2])
    await walk.claimed(volunteer, "帮忙浇花")
    form = volunteer.page.locator("form[data-act=release]")
    fold = volunteer.page.locator("details:not([open])", has=form)
    if await fold.count():
        await fold.first.locator("> summary").click()
    await form.locator("[name=reason]").fill("临时有事")
    async with volunteer.page.expect_navigation(wait_until="load"):
        await form.locator("button[type=submit]").click()
        if await form.get_attribute("data-ask"):
            await volunteer.page.get_by_role("button", name="确定", exact=True).click()
    await walk.sees(resident, slip, "已派单")
    await walk.say(resident, slip, "withdraw", reason="家里人回来了")
    await walk.sees(resident, slip, "已撤单")


async def test_nobody_answers_and_somebody_calls_again(walk: Walk) -> None:
    resident, clerk = await walk.resident(), await walk.clerk()
    slip = await walk.order(resident, "换灯泡", reach=True)
    await walk.move(clerk, slip, "accept", summary="换灯泡", route="none")
    await walk.move(clerk, slip, "answer", text="灯泡在窗口领", source="便民服务")

    async def on_the_list() -> bool:
        await clerk.open("/calls")
        assert slip.number in await clerk.text()
        return True

    await eventually(on_the_list, timeout=60)
    await clerk.sound()
    for outcome in ("无人接听", "无人接听"):
        row = clerk.page.locator("li.sheet", has_text=slip.number).first
        async with clerk.page.expect_navigation(wait_until="load"):
            await row.get_by_role("button", name=outcome).click()
        await clerk.sound()
    assert slip.number not in await clerk.text()
    await walk.sees(resident, slip, "完成（待确认）")


async def test_a_childs_order_needs_the_guardian(walk: Walk) -> None:
    resident = await walk.resident()
    await resident.open(f"/order/{walk.settlement.tenant}/neighbourly-help")
    slip = await walk.order(
        resident, "辅导作业", who="child", served_name="测试儿童", guardian_name="测试监护人",
        guardian_phone="19000000055", guardian="yes", sensitive="yes",
    )  # fmt: skip
    clerk = await walk.clerk()
    await walk.move(clerk, slip, "accept", summary="辅导一次作业", route="none")
    await walk.sees(resident, slip, "已受理")


async def test_it_waits_takes_longer_and_goes_on(walk: Walk) -> None:
    resident, clerk, town = await walk.resident(), await walk.clerk(), await walk.town()
    slip = await walk.order(resident, "修水渠")
    await walk.move(clerk, slip, "accept", summary="修一段水渠", route="none")
    later = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT08:00}"
    await walk.move(clerk, slip, "suspend", until=later, reason="等枯水期")
    await walk.move(town, slip, "suspend", reason="同意", approve="yes")
    await walk.at(clerk, slip)
    assert "暂停计时至" in await clerk.text()
    await walk.move(clerk, slip, "resume")
    await walk.move(clerk, slip, "extend", limit="finish", due_at=later, reason="材料没到")
    await walk.move(town, slip, "extend", limit="finish", reason="同意", approve="yes")
    await walk.sees(resident, slip, "已受理")


async def test_what_is_about_staff_is_with_the_town_and_not_with_the_village(walk: Walk) -> None:
    resident, clerk, town = await walk.resident(), await walk.clerk(), await walk.town()
    slip = await walk.order(resident, "窗口人员态度不好", about="staff")
    await walk.sees(resident, slip, "镇")
    await clerk.open("/desk")
    assert slip.number not in await clerk.text()

    async def with_town() -> bool:
        await town.open("/desk/town?shown=with-town")
        assert slip.number in await town.page.locator("body").inner_text()
        return True

    await eventually(with_town, timeout=60)
    await town.sound()
    town_code = walk.settlement.tenant[:9]
    found = await walk.call("GET", f"/v1/requests?number={slip.number}", role="supervisor", at=town_code)
    slip.id = found["items"][0]["id"]
    await clerk.open(f"/desk/{slip.id}")
    assert slip.number not in await clerk.page.locator("body").inner_text()
    await walk.move(town, slip, "answer", text="已批评教育，向您道歉", source="镇纪检")
    await walk.sees(resident, slip, "向您道歉")

"""席井村: who has no phone, what an agency does, what several report."""

from lianhu_tools.demo.calls import Missed, until
from lianhu_tools.demo.stage import Order, Stage, actor
from lianhu_tools.seed import invented


async def haircut_at_home(stage: Stage) -> None:
    """A steward orders for a woman of 82 without a phone; somebody knocks; a third person calls back."""
    people, say = stage.people, stage.told.say
    linking, home = people.linking[0], people.households_of(people.linking[0])[0]
    doer = people.volunteers_of(stage.village.grids[0])[1]
    name = invented.name(902)
    order = await stage.order(
        people.steward,
        "haircut",
        "八十二岁，走不动了，头发长了没法去理。",
        contact={"name": name},
        served={"kind": "elderly", "name": name},
        reach="没有电话，请红色小管家上门转告",
        household=str(home.id),
        answers={"bedridden": False},
    )
    say("红色小管家替八十二岁的老人点单：上门理发", "a steward orders a haircut for a woman of 82", order.number)
    await stage.move(order, "accept", people.clerk, summary="为高龄老人上门理发")
    assignment = await stage.offered(order, linking)
    await stage.work(assignment, "decline", linking, reason="我不会理发。")
    assignment = await stage.offered(order, doer)
    say("中心户这次去不了，推送到网格", "the linking household passes, so the grid is asked at once")
    await stage.work(assignment, "claim", doer)
    knock = await stage.call_due(order, "visit")
    if knock["caller"] != str(linking.id):
        raise Missed("the knock at the door is not the linking household's")
    await stage.called(knock, linking, "reached")
    say("志愿者领单；她没有电话，中心户上门转告", "claimed; she has no phone, so the linking household knocks")
    await stage.finish(order, assignment, doer, "理好了。")
    refusal = await stage.refused(order, "confirm", people.clerk, 403, solved="yes", grade=5, by="callback")
    say("受理的人自己回访：被拒绝", f"the clerk who accepted it may not record the call back ({refusal.problem})")
    call = await stage.call_due(order, "confirm")
    await stage.called(call, people.second_clerk, "reached")
    await stage.confirm(order, people.second_clerk, "yes", 5, by="callback")
    await stage.stands(order, "closed_confirmed")
    say("第三人回访：已解决，5 分", "a third person calls back: solved, 5")
    stage.ends(order, "closed_confirmed")


async def parking(stage: Stage) -> None:
    """Referred to the town's traffic agency with a reference; answered, passed on, confirmed. A second stays open."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[0]
    resident, other = people.residents[0], people.residents[1]
    order = await stage.order(resident, "parking", "商业街两边停满了车，轮椅过不去。", grid=grid, public=True)
    await refer(stage, order, "商业街路边停车堵住通道", "JT-2026-0117")
    say("商业街乱停车：转办镇交通管理站", "parking on the shopping street: referred, with a reference", order.number)
    await stage.move(order, "agency-reply", people.clerk, text="已划线，装了隔离墩。", outcome="done")
    await stage.stands(order, "completed")
    await stage.heard(order, resident, {"confirm"})
    say("交通站答复，村里转告本人", "the agency answers, the village passes it on")
    await stage.confirm(order, resident, "yes", 4)
    await stage.stands(order, "closed_confirmed")
    say("居民确认：4 分", "the resident confirms: 4")
    stage.ends(order, "closed_confirmed")
    second = await stage.order(other, "parking", "学校门口早上也堵。", grid=grid, public=True)
    await refer(stage, second, "学校门口早高峰停车拥堵", "JT-2026-0118")
    say("第二件转办，等交通站答复", "a second referral stays open", second.number)
    stage.ends(second, "referred")


async def refer(stage: Stage, order: Order, summary: str, reference: str) -> None:
    """Accepts and refers."""
    await stage.move(order, "accept", stage.people.clerk, summary=summary, route="none")
    await stage.move(order, "refer", stage.people.clerk, agency="镇交通管理站", reference=reference)
    await stage.stands(order, "referred")


async def thrown_from_windows(stage: Stage) -> None:
    """Reported three times, merged, three people told: 3 requests, 1 matter."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[1]
    first_one, second_one = people.residents[2], people.residents[3]
    before = await counted(stage)
    orders = [
        await stage.order(first_one, "falling-objects", "川海花园三号楼有人往下扔瓶子。", grid=grid),
        await stage.order(second_one, "falling-objects", "川海花园楼上扔垃圾，差点砸到人。", grid=grid),
        await stage.order(
            people.steward,
            "falling-objects",
            "川海花园又扔东西了。",
            grid=grid,
            contact={"name": invented.name(903), "phone": invented.phone(9003)},
        ),
    ]
    leader, *followers = orders
    say("川海花园高空抛物：三个人先后反映", "things thrown from windows: reported three times", leader.number)
    seen = await duplicates(stage, followers[0])
    if str(leader.id) not in seen:
        raise Missed("the clerk is not shown the earlier report of the same service and grid")
    for follower in followers:
        await stage.move(follower, "merge", people.clerk, into=str(leader.id))
        await stage.stands(follower, "merged")
        stage.ends(follower, "merged")
    await stage.heard(leader, first_one, {"merged"})
    await stage.heard(followers[0], second_one, {"merged"})
    call = await stage.call_due(followers[1], "merged")
    await stage.called(call, people.second_clerk, "reached")
    say("并成一件，三个人都告知（一位打电话）", "merged into one; all three are told, one of them by phone")
    worker = people.workers[1]
    await stage.move(
        leader, "accept", people.clerk, summary="高空抛物，装摄像头并上门提醒", route="staff", staff=str(worker.id)
    )
    assignment = await stage.assignment(leader, "claimed")
    await stage.finish(leader, assignment, worker, "装了朝上的摄像头，逐户提醒。")
    await stage.heard(followers[0], second_one, {"result"})
    result = await stage.call_due(followers[1], "result")
    await stage.called(result, people.second_clerk, "reached")
    await stage.confirm(leader, first_one, "yes", 5)
    await stage.stands(leader, "closed_confirmed")
    stage.ends(leader, "closed_confirmed")
    expected = {"submitted": before["submitted"] + 3, "matters": before["matters"] + 1}

    async def tallied() -> bool:
        return await counted(stage) == expected

    await until(tallied, what="3 more requests and 1 more matter in the tallies")
    say("办好了，三个人都告知结果；统计：3 单 1 件", "done, and all three hear of it: 3 requests, 1 matter")


async def duplicates(stage: Stage, order: Order) -> set[str]:
    """The requests that the clerk is shown as perhaps the same."""
    path = f"requests/v1/requests/{order.id}/duplicates"
    shown = await stage.gateway.get(path, actor(stage.people.clerk))
    return {one["id"] for one in shown["items"]}


async def counted(stage: Stage) -> dict[str, int]:
    """Requests and matters of the service in the village's tallies."""
    tallies = await stage.gateway.get(
        "reporting/v1/tallies", actor(stage.people.clerk), org=stage.village.code, by="service"
    )
    row: dict[str, int] = next((row for row in tallies["rows"] if row["key"] == "falling-objects"), {})
    return {"submitted": row.get("submitted", 0), "matters": row.get("matters", 0)}

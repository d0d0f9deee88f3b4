"""对岸村: the plain flow, rework, answers and refusals, giving back, and silence that closes nothing as satisfied."""

import asyncio
from typing import Any

from lianhu_tools.demo.calls import Missed, until
from lianhu_tools.demo.stage import Stage, actor
from lianhu_tools.seed import catalogue, invented


async def leaking_tap(stage: Stage) -> None:
    """A neighbour orders; the linking household is offered it first, claims, does it; solved, 5."""
    people, say = stage.people, stage.told.say
    linking, neighbour, resident = people.linking[0], people.residents[0], people.residents[1]
    order = await stage.order(
        neighbour,
        "home-repair",
        "隔壁家厨房水龙头一直漏，老人自己弄不了。",
        contact={"name": resident.name, "phone": resident.phone, "relation": "neighbour"},
        household=str(people.households_of(linking)[0].id),
        answers={"where": "water"},
    )
    say("邻居替人点单：厨房水龙头漏水", "a neighbour orders: a tap leaks", order.number)
    await stage.move(order, "accept", people.clerk, summary="厨房水龙头漏水，要换垫圈")
    say("村里受理，派到网格", "the village accepts and dispatches it")
    assignment = await stage.offered(order, linking)
    others = [person for person in people.volunteers_of(stage.village.grids[0]) if person != linking]
    early = await stage.gateway.get("dispatch/v1/assignments", actor(others[0]), mine="offered", request=order.id)
    still = await stage.offered(order, linking)
    if early["items"] and still["wave"] == 1:
        raise Missed("the grid was offered it in the linking household's wave")
    say(f"先推送给党员中心户：{assignment['why']}", "offered to the linking household first, and it says why")
    await stage.work(assignment, "claim", linking)
    contact = await contact_of(stage, order, linking)
    if contact["phone"] != resident.phone:
        raise Missed("the contact details that opened with the claim are not the resident's")
    say("领单，联系方式随之打开", "claimed; the contact details open with the claim")
    await stage.finish(order, assignment, linking, "换了垫圈，不漏了。")
    closed = await stage.gateway.send("GET", f"requests/v1/requests/{order.id}/contact", actor(linking))
    if closed.status != 403:
        raise Missed(f"contact details are still open after completion: {closed.status}")
    say("签到、完成，联系方式随之关闭", "checked in and done; the contact details close with it")
    await stage.heard(order, resident, {"confirm"})
    await stage.confirm(order, resident, "yes", 5)
    await stage.stands(order, "closed_confirmed")
    say("居民确认：已解决，5 分", "the resident confirms: solved, 5")
    stage.ends(order, "closed_confirmed")


async def contact_of(stage: Stage, order: Any, person: Any) -> Any:
    """The contact details once they are open for a holder."""

    async def look() -> Any:
        answer = await stage.gateway.send("GET", f"requests/v1/requests/{order.id}/contact", actor(person))
        return answer.body if answer.status == 200 else None

    return await until(look, what=f"contact details of {order.number} open for the holder")


async def graded_two(stage: Stage) -> None:
    """Graded 2, not solved; reworked by another; solved, 4; both grades in the report."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[1]
    resident, first, second = people.residents[2], *people.volunteers_of(grid)[1:3]
    order = await stage.order(resident, "phone-help", "想学视频通话，跟外地的孩子说说话。", grid=grid)
    await stage.move(order, "accept", people.clerk, summary="教老人用手机视频通话", grid=grid)
    await stage.do_it(order, first, "教了一遍。")
    say("点单、受理、领单、完成", "ordered, accepted, claimed, done", order.number)
    await stage.confirm(order, resident, "no", 2)
    again = await stage.assignment(order, "offered", round=2)
    say("评 2 分、没解决：自动重办", "graded 2, not solved: it is done again by itself")
    offered = await stage.offered(order, second)
    if offered["id"] != again["id"]:
        raise Missed("the second round was not offered")
    same = await stage.gateway.get("dispatch/v1/assignments", actor(first), mine="offered", request=order.id)
    if same["items"]:
        raise Missed("rework was offered to who did it before")
    await stage.do_it(order, second, "慢慢教，写在纸上，自己会打了。", round=2)
    say("换一位志愿者重办", "another volunteer does it; the first is not asked again")
    await stage.confirm(order, resident, "yes", 4)
    await stage.stands(order, "closed_confirmed")
    await stage.step(order, "requests", "confirmed", times=2)
    grades = [step["grade"] for step in await stage.journey(order) if step["step"] == "confirmed"]
    if grades != [2, 4]:
        raise Missed(f"the report should hold the grades 2 and 4, and holds {grades}")
    say("已解决，4 分；报表里两次评分都在：2、4", "solved, 4; the report holds both grades: 2 and 4")
    stage.ends(order, "closed_confirmed")


async def answered_and_rejected(stage: Stage) -> None:
    """A question answered at once with its source; another order rejected with a reason."""
    people, say = stage.people, stage.told.say
    asker, other = people.residents[3], people.residents[4]
    question = await stage.order(asker, "consultation", "七十岁以上的老人坐公交要不要钱？")
    await stage.move(question, "accept", people.clerk, summary="询问老人乘公交的优待", route="none")
    await stage.move(question, "answer", people.clerk, text="六十五岁以上凭证件免费。", source="市老年人优待办法第九条")
    await stage.stands(question, "completed")
    await stage.heard(question, asker, {"confirm"})
    say("政策咨询：当场答复，注明依据", "a question is answered at once, with its source", question.number)
    await stage.confirm(question, asker, "yes", 5)
    await stage.stands(question, "closed_confirmed")
    say("居民确认：5 分", "the resident confirms: 5")
    wish = await stage.order(other, "neighbourly-help", "帮我把邻居的树砍了，挡着我家光。")
    await stage.move(wish, "reject", people.clerk, reason="树属于邻居，村里不能替人砍，可以申请调解。")
    await stage.stands(wish, "rejected")
    await stage.heard(wish, other, {"result"})
    say("另一单不予受理，理由告知本人", "another is rejected, and the resident is told why", wish.number)
    stage.ends(question, "closed_confirmed")
    stage.ends(wish, "rejected")


async def given_back(stage: Stage) -> None:
    """A volunteer gives it back, another claims; and one withdrawn while a claim is in flight."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[2]
    resident, (first, second, third) = people.residents[5], people.volunteers_of(grid)[1:4]
    order = await stage.order(resident, "shopping", "脚扭了，想请人代买一周的菜。", grid=grid)
    await stage.move(order, "accept", people.clerk, summary="脚伤，代买一周的菜", grid=grid)
    assignment = await stage.offered(order, first)
    await stage.work(assignment, "claim", first)
    await stage.stands(order, "claimed")
    await stage.work(assignment, "release", first, reason="家里临时有事。")
    await stage.assignment(order, "offered")
    await stage.stands(order, "dispatched")
    say("领单后交回，重新推送", "claimed, given back, offered again", order.number)
    await stage.do_it(order, second, "菜买好送到了。")
    await stage.confirm(order, resident, "yes", 5)
    await stage.stands(order, "closed_confirmed")
    say("另一位领单、完成，5 分", "another claims and does it; 5")
    stage.ends(order, "closed_confirmed")

    dropped = await stage.order(resident, "shopping", "再帮我取个快递。", grid=grid)
    await stage.move(dropped, "accept", people.clerk, summary="代取一件快递", grid=grid)
    assignment = await stage.offered(dropped, third)
    claim, _ = await asyncio.gather(
        stage.try_work(assignment, "claim", third),
        stage.move(dropped, "withdraw", resident, reason="女儿回来了，不用了。"),
    )
    if claim.status not in (200, 409):
        raise Missed(f"a claim that crosses a withdrawal was answered {claim.status}")
    await stage.assignment(dropped, "cancelled")
    await stage.stands(dropped, "withdrawn")
    say("领单还在路上，居民撤单：以撤单为准", "withdrawn while a claim is in flight: withdrawn it is", dropped.number)
    if claim.status == 200:
        await stage.heard(dropped, third, {"cancelled"})
        say("志愿者那边取消并告知本人", "the assignment is cancelled, the volunteer told")
    else:
        say("撤单先到，领单落空", "the withdrawal came first, the claim finds nothing")
    stage.ends(dropped, "withdrawn")


async def nobody_answers(stage: Stage) -> None:
    """Nobody answers, two calls fail, it closes unconfirmed and is not counted as satisfied."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[3]
    doer = people.volunteers_of(grid)[1]
    before = await graded(stage)
    order = await stage.order(
        people.workers[0],
        catalogue.QUICK,
        "门口那盏灯不亮，晚上看不见路。",
        contact={"name": invented.name(901), "phone": invented.phone(9001)},
        grid=grid,
    )
    await stage.move(order, "accept", people.clerk, summary="门口的灯不亮", grid=grid)
    await stage.do_it(order, doer, "换了灯泡。")
    say("代人点单，灯修好了；他没有账号，要打电话", "done; there is no account, so somebody calls", order.number)
    for _ in range(2):
        call = await stage.call_due(order, "confirm")
        await stage.called(call, people.second_clerk, "no_answer")
    say("回访两次，都没人接", "two calls, nobody answers")
    await stage.stands(order, "closed_unconfirmed", seconds=60)
    await stage.step(order, "requests", "closed")
    if await graded(stage) != before:
        raise Missed("an order without an answer changed the grades of its service")
    say("到期办结（未确认），不计入满意", "closed unconfirmed, and not counted as satisfied")
    stage.ends(order, "closed_unconfirmed")


async def graded(stage: Stage) -> dict[str, int]:
    """The first grades and answers of the service that closes quickly, as the village's tallies have them."""
    tallies = await stage.gateway.get(
        "reporting/v1/tallies", actor(stage.people.clerk), org=stage.village.code, by="service"
    )
    row = next((row for row in tallies["rows"] if row["key"] == catalogue.QUICK), None)
    if row is None:
        return {"graded": 0, "solved": 0}
    grades = sum(number for grade, number in row["first_grades"].items() if grade in "12345")
    return {"graded": grades, "solved": sum(row["solved"][answer] for answer in ("yes", "partly", "no"))}

"""满达社区: nobody claims, the circle widens, and nobody is made to volunteer."""

from lianhu_tools.demo.calls import Missed
from lianhu_tools.demo.stage import Stage


async def nobody_claims(stage: Stage) -> None:
    """The waves widen; a volunteer asked by name passes freely; the 网格员 does it."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[0]
    resident, worker, leader = people.residents[0], people.workers[0], people.leaders[0]
    asked = people.volunteers_of(grid)[2]
    order = await stage.order(
        resident,
        "neighbourly-help",
        "煤气罐没了，扛不动。",
        household=str(people.households_of(people.linking[0])[0].id),
    )
    await stage.move(order, "accept", people.clerk, summary="帮老人换一罐煤气")
    say("点单、受理", "ordered and accepted", order.number)
    await stage.step(order, "dispatch", "escalated")
    offers = [step for step in await stage.journey(order) if step["step"] == "offered"]
    circles = [offer["audience"] for offer in offers]
    if list(dict.fromkeys(circles)) != ["linking_household", "grid", "village"]:
        raise Missed(f"the waves should widen from linking household to grid to village, and were {circles}")
    say(
        "没人领：中心户 → 网格 → 全村，再告诉网格长", "nobody claims: linking household, grid, village, then the leader"
    )
    assignment = await stage.assignment(order, "offered")
    await stage.heard(order, leader, {"limit"})
    named = await stage.work(assignment, "assign", leader, person=str(asked.id))
    passed = await stage.work(assignment, "decline", asked)
    if (named["state"], passed["state"]) != ("assigned", "offered"):
        raise Missed(f"asked by name it was {named['state']}, and after passing {passed['state']}")
    await stage.heard(order, asked, {"assigned"})
    say("网格长点名一位志愿者，他说这次去不了：不问理由", "a volunteer asked by name passes, without cost or reasons")
    await stage.work(assignment, "assign", leader, person=str(worker.id))
    held = await stage.assignment(order, "claimed")
    if held["held_by"] != [str(worker.id)]:
        raise Missed("the grid worker does not hold it")
    await stage.finish(order, held, worker, "换好了，试了火。")
    await stage.confirm(order, resident, "yes", 5)
    await stage.stands(order, "closed_confirmed")
    say("网格员去办好，5 分", "the grid worker does it; 5")
    stage.ends(order, "closed_confirmed")

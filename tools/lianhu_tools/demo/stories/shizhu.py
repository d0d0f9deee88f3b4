"""石柱村: official business done by staff, and a child's lesson with its safeguards."""

from datetime import UTC, datetime, timedelta

from lianhu_tools.demo.calls import Missed
from lianhu_tools.demo.stage import Stage, actor
from lianhu_tools.seed import invented


async def insurance_errand(stage: Stage) -> None:
    """Asked once for a missing paper, replied, done by the staff member who was ordered."""
    people, say = stage.people, stage.told.say
    resident, worker = people.residents[0], people.workers[0]
    order = await stage.order(
        resident, "medical-insurance", "住院的钱想报销，不知道怎么弄。", answers={"matter": "claim"}
    )
    say("医保报销代办", "medical insurance: a claim to hand in", order.number)
    await stage.move(order, "ask", people.clerk, missing=["住院发票原件"])
    await stage.stands(order, "awaiting_resident")
    await stage.heard(order, resident, {"ask"})
    await stage.move(order, "reply", resident, text=invented.words("发票找到了，放在村委会。"))
    await stage.stands(order, "submitted")
    say("一次性告知缺一张发票，居民补上", "asked once for a missing paper, and it is brought")
    await stage.move(order, "accept", people.clerk, summary="代办住院费用报销", route="staff", staff=str(worker.id))
    assignment = await stage.assignment(order, "claimed")
    if assignment["held_by"] != [str(worker.id)]:
        raise Missed("the errand is not held by the member of staff who was ordered")
    await stage.heard(order, worker, {"assigned"})
    say("指派村工作人员代办", "a member of staff is ordered to do it")
    await stage.finish(order, assignment, worker, "材料交到镇医保窗口，回执拿回。")
    await stage.confirm(order, resident, "yes", 5)
    await stage.stands(order, "closed_confirmed")
    say("办成，居民确认：5 分", "done; the resident confirms: 5")
    stage.ends(order, "closed_confirmed")


async def childs_lesson(stage: Stage) -> None:
    """Without consent refused, with it two checked volunteers; one alone cannot check in; the guardian is told."""
    people, say, grid = stage.people, stage.told.say, stage.village.grids[1]
    everyone = people.volunteers_of(grid)
    checked = [person for person in everyone if person.checked_until]
    unchecked = [person for person in everyone if not person.checked_until]
    body = {
        "tenant": stage.village.code,
        "service": "lesson",
        "text": invented.words("孙子的数学跟不上，爸妈在外打工。"),
        "contact": {"name": invented.name(904), "relation": "grandmother"},
        "reach": "奶奶在家，上门说",
        "served": {"kind": "child", "name": invented.name(905)},
        "grid": grid,
    }
    refusal = await stage.gateway.refused(422, "requests/v1/requests", actor(people.workers[1]), **body)
    say("留守儿童课业辅导：没有监护人同意，不收", f"a child's lesson without consent is refused ({refusal.problem})")
    consent = {
        "name": invented.name(906),
        "phone": invented.phone(9006),
        "at": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
    }
    order = await stage.order(
        people.workers[1],
        "lesson",
        "孙子的数学跟不上，爸妈在外打工。",
        contact={"name": invented.name(904), "relation": "grandmother"},
        reach="奶奶在家，上门说",
        served={"kind": "child", "name": invented.name(905), "guardian_consent": consent},
        grid=grid,
    )
    say("补上监护人同意，收下", "with the guardian's consent it is taken", order.number)
    await stage.move(order, "accept", people.clerk, summary="小学生数学辅导，须两人同去", grid=grid)
    one, two = checked[0], checked[1]
    assignment = await stage.offered(order, one)
    if assignment["places"] != 2:
        raise Missed(f"a visit to a child needs two places, and has {assignment['places']}")
    shown = await stage.gateway.get("dispatch/v1/assignments", actor(unchecked[-1]), mine="offered", request=order.id)
    if shown["items"]:
        raise Missed("a visit to a child was offered to somebody without a check")
    await stage.work(assignment, "claim", one)
    alone = await stage.try_work(assignment, "check-in", one)
    if alone.status != 409:
        raise Missed(f"one alone could check in at a child's: {alone.status}")
    say(
        "只推送给有核查记录的人；一个人不能签到",
        f"only checked volunteers are asked; one alone cannot check in ({alone.problem})",
    )
    call = await stage.call_due(order, "guardian", audience="guardian")
    await stage.called(call, people.second_clerk, "reached")
    say("打电话告知监护人", "the guardian named in the consent is called")
    await stage.offered(order, two)
    await stage.work(assignment, "claim", two)
    await stage.stands(order, "claimed")
    await stage.work(assignment, "check-in", one)
    await stage.work(assignment, "check-in", two)
    await stage.stands(order, "in_progress")
    for person in (one, two):
        await stage.work(assignment, "complete", person, result=invented.words("讲了分数。"), minutes=60)
    await stage.stands(order, "completed")
    say("两人同去，两人完成", "two go, and two complete it")
    last = await stage.call_due(order, "confirm", audience="guardian")
    await stage.called(last, people.second_clerk, "reached")
    await stage.confirm(order, people.second_clerk, "yes", 5, by="callback")
    await stage.stands(order, "closed_confirmed")
    say("回访监护人：5 分", "the guardian is called back: 5")
    stage.ends(order, "closed_confirmed")

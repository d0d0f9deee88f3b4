"""How each ending of story 12 comes about: what is done with an order after it was placed."""

from collections.abc import Awaitable, Callable

from lianhu_tools.demo.calls import Missed
from lianhu_tools.demo.course import PATIENCE, Course
from lianhu_tools.demo.crowd import Part
from lianhu_tools.seed import invented

FINALS = {
    "confirmed": "closed_confirmed",
    "called_back": "closed_confirmed",
    "answered": "closed_confirmed",
    "staff": "closed_confirmed",
    "reworked": "closed_confirmed",
    "agency": "closed_confirmed",
    "released": "closed_confirmed",
    "replied": "closed_confirmed",
    "partly": "closed_confirmed",
    "silent": "closed_unconfirmed",
    "completed": "completed",
    "answered_open": "completed",
    "rejected": "rejected",
    "withdrawn": "withdrawn",
    "merged": "merged",
    "referred": "referred",
    "asked": "awaiting_resident",
    "submitted": "submitted",
    "returned": "accepted",
    "bounced": "accepted",
    "accepted": "accepted",
    "offered": "dispatched",
    "claimed": "claimed",
    "in_progress": "in_progress",
}


async def confirmed(course: Course) -> None:
    """Done by a volunteer and graded."""
    await course.accept()
    await course.done()
    await course.graded()


async def called_back(course: Course) -> None:
    """Done, and somebody else calls back."""
    await course.accept()
    await course.done()
    await course.call("reached")
    await course.stage.confirm(
        course.order, course.people.second_clerk, "yes", max(course.part.grade, 3), by="callback"
    )


async def answered_open(course: Course) -> None:
    """Answered, not confirmed yet."""
    await course.accept(route="none")
    await course.stage.move(
        course.order, "answer", course.people.clerk, text="按现行规定办理，材料清单已发。", source="县政务服务事项清单"
    )


async def answered(course: Course) -> None:
    """Answered and confirmed."""
    await answered_open(course)
    await course.graded()


async def staff(course: Course) -> None:
    """Done by a member of staff who was ordered."""
    worker = course.people.workers[course.part.number % 2]
    await course.accept(route="staff", staff=str(worker.id))
    assignment = await course.stage.assignment(course.order, "claimed", seconds=PATIENCE)
    await course.stage.work(assignment, "complete", worker, result=invented.words("办妥了。"), minutes=40)
    await course.stage.stands(course.order, "completed", seconds=PATIENCE)
    await course.graded()


async def completed(course: Course) -> None:
    """Done; the resident has not said anything yet."""
    await course.accept()
    await course.done()


async def rejected(course: Course) -> None:
    """Refused with a reason."""
    await course.stage.move(course.order, "reject", course.people.clerk, reason="不在服务范围内，已说明去处。")


async def withdrawn(course: Course) -> None:
    """Taken back: before it was accepted, or while it is offered."""
    if course.part.number % 2:
        await course.accept()
        await course.stage.assignment(course.order, "offered", seconds=PATIENCE)
    await course.stage.move(course.order, "withdraw", course.resident, reason="家里人办了。")
    if course.part.number % 2:
        await course.stage.assignment(course.order, "cancelled", seconds=PATIENCE)


async def merged(course: Course) -> None:
    """Follows another one that asks the same."""
    follows = course.part.follows
    if follows is None:
        raise Missed(f"{course.order.number} has nothing to follow")
    into = course.placed[follows]
    await course.stage.move(course.order, "merge", course.people.clerk, into=str(into.id))


async def reworked(course: Course) -> None:
    """Graded low, done again by another, graded well."""
    await course.accept()
    first = await course.done()
    await course.graded("no" if course.part.number % 2 else "partly", 1 + course.part.number % 2)
    await course.done(2, but=first)
    await course.graded("yes", 4)


async def referred(course: Course) -> None:
    """With an agency that has not answered yet."""
    await course.refer()


async def agency(course: Course) -> None:
    """Done by an agency, passed on, confirmed."""
    await course.refer()
    await course.stage.move(course.order, "agency-reply", course.people.clerk, text="已现场处理。", outcome="done")
    await course.graded()


async def bounced(course: Course) -> None:
    """Sent back by an agency: the village has it again."""
    await course.refer()
    await course.stage.move(
        course.order, "agency-reply", course.people.clerk, text="不属本单位职责。", outcome="bounced"
    )


async def released(course: Course) -> None:
    """Given back by who claimed it first, done by another."""
    await course.accept()
    assignment, person = await course.take()
    await course.stage.work(assignment, "release", person, reason="临时走不开。")
    await course.done(but=person)
    await course.graded()


async def asked(course: Course) -> None:
    """Something is missing, and has not been brought yet."""
    await course.stage.move(course.order, "ask", course.people.clerk, missing=["身份证复印件", "房屋照片"])


async def replied(course: Course) -> None:
    """Something was missing and was brought; then done and graded."""
    await asked(course)
    await course.stage.move(course.order, "reply", course.resident, text=invented.words("都带来了。"))
    await confirmed(course)


async def partly(course: Course) -> None:
    """Done and graded 3: partly solved."""
    await course.accept()
    await course.done()
    await course.graded("partly", 3)


async def submitted(_course: Course) -> None:
    """Nobody has looked at it yet."""


async def returned(course: Course) -> None:
    """The grid gives it back to the village."""
    await course.accept()
    assignment = await course.stage.assignment(course.order, "offered", seconds=PATIENCE)
    leader = next(leader for leader in course.people.leaders if leader.grid == course.part.grid)
    await course.stage.work(assignment, "return", leader, reason="网格里没人会，请村里另想办法。")


async def accepted(course: Course) -> None:
    """Taken on; nobody is sent yet."""
    await course.accept(route="none")


async def offered(course: Course) -> None:
    """Offered; nobody has claimed it yet."""
    await course.accept()
    await course.stage.assignment(course.order, "offered", seconds=PATIENCE)


async def claimed(course: Course) -> None:
    """Held by a volunteer who has not begun."""
    await course.accept()
    await course.take()


async def in_progress(course: Course) -> None:
    """Somebody is there."""
    await course.accept()
    assignment, person = await course.take()
    await course.stage.work(assignment, "check-in", person)


async def silent(course: Course) -> None:
    """Done; two calls reach nobody, and the time to confirm runs out."""
    await course.accept()
    await course.done()
    await course.call("no_answer")
    await course.call("no_answer")


ENDINGS: dict[str, Callable[[Course], Awaitable[None]]] = {
    happens.__name__: happens
    for happens in (
        confirmed, called_back, answered, answered_open, staff, completed, rejected, withdrawn, merged, reworked,
        referred, agency, bounced, released, asked, replied, partly, submitted, returned, accepted, offered, claimed,
        in_progress, silent,
    )
}  # fmt: skip


def mark(part: Part) -> str:
    """What a part is called when it did not come to its ending."""
    return f"{part.village.name} {part.wish.service} → {part.ending}"


async def run(course: Course) -> None:
    """Brings an order to its ending, and reads back where it stands."""
    final = FINALS[course.part.ending]
    await ENDINGS[course.part.ending](course)
    if course.order.seen != final:
        await course.stage.stands(course.order, final, seconds=PATIENCE)
    course.stage.ends(course.order, final)

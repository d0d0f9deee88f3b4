"""How each ending of story 12 comes about: what is done with an order after it was placed."""

from collections.abc import Awaitable, Callable
from typing import Any

from lianhu_tools.demo.calls import Missed, until
from lianhu_tools.demo.crowd import Part
from lianhu_tools.demo.stage import Order, Stage, actor
from lianhu_tools.seed import invented
from lianhu_tools.seed.people import Person

BY_CALL = ("called_back", "silent")  # these have no account: somebody calls
NOT_CALLED_EVERY = 12  # one in so many is not rung up, so that some limits are missed
_STORIES_OWN = 4  # the first volunteers of a grid are the stories'

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


async def place(stage: Stage, part: Part) -> Order:
    """Places an order: by the resident, or by the steward for who has no account; soon the clerk rings them up."""
    details: dict[str, Any] = {"answers": dict(part.wish.answers), "name": stage.told.name}
    if part.at_home:
        homes = stage.people.households_of(linking(stage, part))
        details["household"] = str(homes[part.number % len(homes)].id)
    else:
        details["grid"] = part.grid
    if part.ending in BY_CALL:
        number = 100 + part.number % 800
        contact = {"name": invented.name(number), "phone": invented.phone(9000 + number)}
        order = await stage.order(stage.people.steward, part.wish.service, part.wish.text, contact=contact, **details)
    else:
        who = stage.people.residents[part.resident]
        order = await stage.order(who, part.wish.service, part.wish.text, **details)
    if part.number % NOT_CALLED_EVERY:
        await stage.move(order, "contacted", stage.people.clerk, how="phone")
    return order


def linking(stage: Stage, part: Part) -> Person:
    """The linking household's volunteer of a part's grid."""
    return stage.people.volunteers_of(part.grid)[0]


class Course:
    """One order of the crowd on its way to its ending."""

    def __init__(self, stage: Stage, part: Part, order: Order, placed: dict[int, Order]) -> None:
        self.stage, self.part, self.order, self.placed = stage, part, order, placed
        self.people = stage.people
        self.resident = stage.people.residents[part.resident]
        others = stage.people.volunteers_of(part.grid)[_STORIES_OWN:]
        turn = part.number % len(others)
        fitting = [*others[turn:], *others[:turn]]
        skill = part.wish.skill
        self.willing = fitting if skill is None else [one for one in stage.people.volunteers if skill in one.skills]
        if part.at_home:
            self.willing = [linking(stage, part), *self.willing]

    async def run(self) -> None:
        """Brings the order to its ending, and reads it back."""
        await ENDINGS[self.part.ending](self)
        final = FINALS[self.part.ending]
        if self.order.seen != final:
            await self.stage.stands(self.order, final, seconds=60)
        self.stage.ends(self.order, final)

    # ---- what endings are made of

    async def accept(self, **details: Any) -> None:
        """The clerk takes it on."""
        await self.stage.move(self.order, "accept", self.people.clerk, summary=self.part.wish.summary, **details)

    async def take(self, round: int = 1, but: Person | None = None) -> tuple[Any, Person]:
        """Somebody who was offered it claims; who holds too much already leaves it to the next."""

        async def look() -> tuple[Any, Person] | None:
            assignment = await self.stage.assignment(self.order, "offered", round=round, seconds=60)
            for person in self.willing:
                if person == but:
                    continue
                answer = await self.stage.try_work(assignment, "claim", person)
                if answer.status == 200:
                    return answer.body, person
                if answer.status not in (404, 409):
                    raise Missed(f"a claim of {self.order.number} was answered {answer.status}: {answer.body}")
            return None

        return await until(look, what=f"somebody takes {self.order.number}", seconds=60)

    async def done(self, round: int = 1, but: Person | None = None) -> Person:
        """Claimed and done; whoever did it."""
        assignment, person = await self.take(round, but)
        if self.part.number % 3:
            await self.stage.work(assignment, "check-in", person)
        await self.stage.work(
            assignment, "complete", person, result=invented.words("办好了。"), minutes=20 + self.part.number % 50
        )
        await self.stage.stands(self.order, "completed", "closed_unconfirmed", seconds=60)
        return person

    async def graded(self, solved: str = "yes", grade: int | None = None) -> None:
        """The resident's word."""
        await self.stage.confirm(self.order, self.resident, solved, grade or self.part.grade)

    async def call(self, outcome: str) -> None:
        """The second clerk calls to ask whether it is solved."""
        due = await self.stage.call_due(self.order, "confirm", seconds=60)
        await self.stage.called(due, self.people.second_clerk, outcome)

    async def refer(self) -> None:
        """To an agency."""
        await self.accept(route="none")
        reference = f"ZB-{self.part.number:04}"
        await self.stage.move(self.order, "refer", self.people.clerk, agency="镇综合执法办", reference=reference)


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
    assignment = await course.stage.assignment(course.order, "claimed", seconds=60)
    await course.stage.work(assignment, "complete", worker, result=invented.words("办妥了。"), minutes=40)
    await course.stage.stands(course.order, "completed", seconds=60)
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
        await course.stage.assignment(course.order, "offered", seconds=60)
    await course.stage.move(course.order, "withdraw", course.resident, reason="家里人办了。")
    if course.part.number % 2:
        await course.stage.assignment(course.order, "cancelled", seconds=60)


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
    assignment = await course.stage.assignment(course.order, "offered", seconds=60)
    leader = next(leader for leader in course.people.leaders if leader.grid == course.part.grid)
    await course.stage.work(assignment, "return", leader, reason="网格里没人会，请村里另想办法。")


async def accepted(course: Course) -> None:
    """Taken on; nobody is sent yet."""
    await course.accept(route="none")


async def offered(course: Course) -> None:
    """Offered; nobody has claimed it yet."""
    await course.accept()
    await course.stage.assignment(course.order, "offered", seconds=60)


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


__all__ = ["ENDINGS", "FINALS", "Course", "actor", "mark", "place"]

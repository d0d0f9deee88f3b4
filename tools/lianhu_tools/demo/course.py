"""One order of story 12: how it is placed, and what its ending is made of."""

from typing import Any

from lianhu_tools.demo.calls import Missed, until
from lianhu_tools.demo.crowd import Part
from lianhu_tools.demo.stage import Order, Stage
from lianhu_tools.seed import invented
from lianhu_tools.seed.people import Person

PATIENCE = 120.0  # seconds that a step may take while 300 orders are on their way
BY_CALL = ("called_back", "silent")  # these have no account: somebody calls
NOT_CALLED_EVERY = 12  # one in so many is not rung up, so that some limits are missed
_STORIES_OWN = 4  # the first volunteers of a grid are the stories'


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

    async def accept(self, **details: Any) -> None:
        """The clerk takes it on."""
        await self.stage.move(self.order, "accept", self.people.clerk, summary=self.part.wish.summary, **details)

    async def take(self, round: int = 1, but: Person | None = None) -> tuple[Any, Person]:
        """Somebody who was offered it claims; who holds too much already leaves it to the next."""

        async def look() -> tuple[Any, Person] | None:
            assignment = await self.stage.assignment(self.order, "offered", round=round, seconds=PATIENCE)
            for person in self.willing:
                if person == but:
                    continue
                answer = await self.stage.try_work(assignment, "claim", person)
                if answer.status == 200:
                    return answer.body, person
                if answer.status not in (404, 409):
                    raise Missed(f"a claim of {self.order.number} was answered {answer.status}: {answer.body}")
            return None

        return await until(look, what=f"somebody takes {self.order.number}", seconds=PATIENCE)

    async def done(self, round: int = 1, but: Person | None = None) -> Person:
        """Claimed and done; whoever did it."""
        assignment, person = await self.take(round, but)
        if self.part.number % 3:
            await self.stage.work(assignment, "check-in", person)
        await self.stage.work(
            assignment, "complete", person, result=invented.words("办好了。"), minutes=20 + self.part.number % 50
        )
        await self.stage.stands(self.order, "completed", "closed_unconfirmed", seconds=PATIENCE)
        return person

    async def graded(self, solved: str = "yes", grade: int | None = None) -> None:
        """The resident's word."""
        await self.stage.confirm(self.order, self.resident, solved, grade or self.part.grade)

    async def call(self, outcome: str) -> None:
        """The second clerk calls to ask whether it is solved."""
        due = await self.stage.call_due(self.order, "confirm", seconds=PATIENCE)
        await self.stage.called(due, self.people.second_clerk, outcome)

    async def refer(self) -> None:
        """To an agency."""
        await self.accept(route="none")
        reference = f"ZB-{self.part.number:04}"
        await self.stage.move(self.order, "refer", self.people.clerk, agency="镇综合执法办", reference=reference)

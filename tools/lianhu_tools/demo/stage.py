"""What the people of a story do: orders, desk, volunteers, calls. Everything that is done is read back."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lianhu_tools.demo.calls import Actor, Answer, Gateway, Missed, until
from lianhu_tools.demo.telling import Told
from lianhu_tools.seed import invented
from lianhu_tools.seed.people import Person, Roster, roster
from lianhu_tools.seed.places import Village

NOTICE = "2026-01"
PATIENCE = 45.0  # seconds that a step of a story may take on a busy machine


@dataclass
class Order:
    """A request of a story; `final` is where the story leaves it."""

    id: UUID
    number: str
    tenant: str
    service: str
    tracking_code: str
    story: str
    final: frozenset[str] = frozenset()
    seen: str = "submitted"  # as the last answer to a move said


def actor(person: Person) -> Actor:
    """A person as a caller."""
    return Actor(person.id, person.roles)


@dataclass
class Stage:
    """The village of a story, its people, and what they can do. Methods raise Missed where something did not happen."""

    gateway: Gateway
    told: Told
    village: Village
    people: Roster
    orders: list[Order] = field(default_factory=list)
    every: float = 0.12  # seconds between two looks; longer where many look at the same time
    first: float = 0.0  # seconds before the first look

    # ---- orders

    async def order(
        self, who: Person | None, service: str, text: str, *, name: str | None = None, **details: Any
    ) -> Order:
        """Places an order in the village and reads it back; `details` are further fields of the call."""
        body = {"tenant": self.village.code, "service": service, "text": invented.words(text), "notice": NOTICE}
        placed = await self.gateway.post("requests/v1/requests", actor(who) if who else None, **body, **details)
        order = Order(
            UUID(placed["id"]),
            placed["number"],
            self.village.code,
            service,
            placed["tracking_code"],
            name or self.told.name,
        )
        self.orders.append(order)
        if placed["status"] != "submitted":
            raise Missed(f"order {order.number} stands at {placed['status']}, not at submitted")
        return order

    async def move(self, order: Order, move: str, who: Person, /, **body: Any) -> Any:
        """A move of the desk or the resident, as accept or confirm."""
        answer = await self.gateway.post(f"requests/v1/requests/{order.id}/{move}", actor(who), **body)
        order.seen = answer["status"]
        return answer

    async def refused(self, order: Order, move: str, who: Person, status: int, /, **body: Any) -> Answer:
        """A move that must be refused with this status."""
        return await self.gateway.refused(status, f"requests/v1/requests/{order.id}/{move}", actor(who), **body)

    async def read(self, order: Order, who: Person | None = None) -> Any:
        """The request as the clerk, or somebody else, sees it."""
        return await self.gateway.get(f"requests/v1/requests/{order.id}", actor(who or self.people.clerk))

    async def stands(self, order: Order, *statuses: str, seconds: float = PATIENCE) -> str:
        """Waits until the request stands at one of these, and says at which."""
        seen: list[str] = []

        async def look() -> str | None:
            seen[:] = [(await self.read(order))["status"]]
            return seen[0] if seen[0] in statuses else None

        self.told.note(f"waiting until {order.number} is {' or '.join(statuses)}")
        try:
            return await until(
                look,
                what=f"{order.number} {' or '.join(statuses)}",
                seconds=seconds,
                every=self.every,
                first=self.first,
            )
        except Missed as missed:
            raise Missed(f"{missed}; it stands at {seen[0] if seen else '?'}") from None

    def ends(self, order: Order, *statuses: str) -> None:
        """Says where the story leaves a request, to be read back at the very end."""
        order.final = frozenset(statuses)

    async def confirm(self, order: Order, who: Person, solved: str, grade: int, by: str = "resident") -> None:
        """The resident's word, or a call back's, read back."""
        await self.move(order, "confirm", who, solved=solved, grade=grade, by=by)

    # ---- dispatch

    async def assignment(self, order: Order, *states: str, round: int = 1, seconds: float = PATIENCE) -> Any:
        """Waits until the request's assignment of a round stands at one of these states."""
        seen: list[str] = ["no assignment"]

        async def look() -> Any:
            page = await self.gateway.get(
                "dispatch/v1/assignments", actor(self.people.clerk), request=order.id, tenant=self.village.code
            )
            for item in page["items"]:
                if item.get("round", 1) == round:
                    seen[:] = [item["state"]]
                    return item if item["state"] in states else None
            return None

        what = f"assignment of {order.number} {' or '.join(states)}"
        self.told.note(f"waiting for the {what}")
        try:
            return await until(look, what=what, seconds=seconds, every=self.every, first=self.first)
        except Missed as missed:
            raise Missed(f"{missed}; it stands at {seen[0]}") from None

    async def offered(self, order: Order, person: Person, seconds: float = PATIENCE) -> Any:
        """Waits until it is offered to a person, and gives the assignment as they see it, with the reason."""

        async def look() -> Any:
            page = await self.gateway.get("dispatch/v1/assignments", actor(person), mine="offered", request=order.id)
            return next(iter(page["items"]), None)

        self.told.note(f"waiting until {order.number} is offered to {masked(person)}")
        return await until(
            look,
            what=f"{order.number} offered to {masked(person)}",
            seconds=seconds,
            every=self.every,
            first=self.first,
        )

    async def work(self, assignment: Any, move: str, who: Person, /, **body: Any) -> Any:
        """A move of a volunteer or leader, as claim or complete."""
        return await self.gateway.post(f"dispatch/v1/assignments/{assignment['id']}/{move}", actor(who), **body)

    async def try_work(self, assignment: Any, move: str, who: Person, /, **body: Any) -> Answer:
        """The same where it may be refused."""
        path = f"dispatch/v1/assignments/{assignment['id']}/{move}"
        return await self.gateway.send("POST", path, actor(who), body)

    async def do_it(self, order: Order, person: Person, result: str, *, round: int = 1) -> None:
        """Claims what is offered, goes there, reports it done; read back until requests knows."""
        assignment = await self.offered(order, person)
        await self.work(assignment, "claim", person)
        await self.finish(order, assignment, person, result)

    async def finish(self, order: Order, assignment: Any, person: Person, result: str) -> None:
        """Checks in, reports it done, and waits until requests knows."""
        await self.work(assignment, "check-in", person)
        await self.work(assignment, "complete", person, result=invented.words(result), minutes=30)
        await self.stands(order, "completed", "closed_unconfirmed")

    # ---- notifications

    async def call_due(
        self, order: Order, purpose: str, *, audience: str | None = None, seconds: float = PATIENCE
    ) -> Any:
        """Waits for a call or knock of the call list."""

        async def look() -> Any:
            page = await self.gateway.get(
                "notifications/v1/calls",
                actor(self.people.second_clerk),
                tenant=self.village.code,
                request=order.id,
                state="due",
            )
            fitting = (
                call for call in page["items"]
                if call["purpose"] == purpose and audience in (None, call["audience"])
            )  # fmt: skip
            return next(fitting, None)

        self.told.note(f"waiting for the call list ({purpose})")
        return await until(
            look, what=f"a call about {order.number} ({purpose}) on the call list", seconds=seconds, every=self.every
        )

    async def called(self, call: Any, who: Person, outcome: str) -> Any:
        """Records what came of a call or knock."""
        return await self.gateway.post(f"notifications/v1/calls/{call['id']}", actor(who), outcome=outcome)

    async def heard(
        self, order: Order, person: Person, purposes: Collection[str] = (), seconds: float = PATIENCE
    ) -> Any:
        """Waits until a message about the request is in somebody's inbox."""

        async def look() -> Any:
            page = await self.gateway.get("notifications/v1/inbox", actor(person), limit=200)
            about = (item for item in page["items"] if item["request_id"] == str(order.id))
            return next((item for item in about if not purposes or item["purpose"] in purposes), None)

        self.told.note(f"waiting until {masked(person)} hears of {order.number}")
        return await until(
            look, what=f"{masked(person)} told of {order.number}", seconds=seconds, every=self.every, first=self.first
        )

    # ---- reporting

    async def journey(self, order: Order) -> list[dict[str, Any]]:
        """The request's steps across the services, told by reporting from the events alone."""
        path = f"reporting/v1/requests/{order.id}/timeline"
        steps: list[dict[str, Any]] = (await self.gateway.get(path, actor(self.people.clerk)))["steps"]
        return steps

    async def step(self, order: Order, service: str, step: str, *, times: int = 1, seconds: float = PATIENCE) -> None:
        """Waits until reporting's timeline has a step so many times."""

        async def look() -> bool:
            answer = await self.gateway.send(
                "GET", f"reporting/v1/requests/{order.id}/timeline", actor(self.people.clerk)
            )
            steps: list[dict[str, Any]] = answer.body["steps"] if answer.status == 200 else []
            found = [one for one in steps if (one["service"], one["step"]) == (service, step)]
            return len(found) >= times

        self.told.note(f"waiting until reporting has {service} {step}")
        await until(
            look,
            what=f"{service} {step} in the timeline of {order.number}",
            seconds=seconds,
            every=self.every,
            first=self.first,
        )


def masked(person: Person) -> str:
    """A name as others may see it."""
    return f"{person.name[0]}*"


def stage_of(gateway: Gateway, told: Told, village: Village) -> Stage:
    """The stage of a story in a village."""
    return Stage(gateway, told, village, roster(village))

"""A village's life, by seed: orders are placed, taken on, withdrawn, answered, claimed by several at once, done,
graded, opened again. It goes on until it is told to stop; what was told stands in its clients."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from chaos.clients import Clients, Silence
from chaos.evidence import Told
from support.settlement import Settlement
from support.system import System

OFFER_PATIENCE = 60.0
PAUSE, SHORT_PAUSE = 0.25, 0.5


class Workload:
    """Clients at work in one village."""

    def __init__(self, system: System, place: Settlement, seed: str, pause: float = PAUSE, clients: int = 4) -> None:
        self.clients = Clients(system)
        self.place = place
        self.accepted = 0
        self.began = datetime.now(UTC) - timedelta(seconds=5)
        self._system = system
        self._seed = seed
        self._number = clients
        self._pause = pause
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._tokens: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}
        self._caller_back = str(uuid4())

    def start(self) -> None:
        """Begins."""
        self._tasks = [asyncio.create_task(self._live(number)) for number in range(self._number)]

    async def stop(self, seconds: float = 60) -> None:
        """Begins no more orders, and lets those under way come to their ends; raises what a client could not bear."""
        self._stop.set()
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        await self.clients.close()

    async def placed(self, number: int, seconds: float = 120) -> None:
        """Waits until so many orders are placed in all."""
        deadline = time.monotonic() + seconds
        while self.accepted < number:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {self.accepted} of {number} orders within {seconds:.0f} s")
            await asyncio.sleep(0.05)

    async def order(self, base: str | None = None) -> str | None:
        """Places one order; its id. Keys are no part of the seed: the same seed is played again on the same system."""
        placed = await self.clients.place(self.place.order(), str(uuid4()), base)
        self.accepted += placed is not None
        return placed

    async def routed(self) -> None:
        """Places one order and sends it to the volunteers."""
        request = await self.order()
        if request is not None:
            body = {"summary": "搬一个旧柜子", "grid": self.place.grid}
            await self._ask("accept", request, body, self.place.clerk)

    async def _live(self, number: int) -> None:
        dice = random.Random(f"{self._seed} {number}")
        while not self._stop.is_set():
            try:
                request = await self.order()
                if request is not None:
                    await self._story(dice, request)
            except Silence:
                continue
            await asyncio.sleep(self._pause * dice.random() * 2)

    def bearer(self, role: str, person: str) -> dict[str, str]:
        """A token that is good for a while."""
        until, headers = self._tokens.get((role, person), (0.0, {}))
        if time.monotonic() > until:
            headers = self._system.bearer(role, self.place.tenant, person)
            self._tokens[role, person] = (time.monotonic() + 600, headers)
        return headers

    async def _ask(
        self, what: str, request: str, body: dict[str, Any] | None, person: str, role: str = "clerk"
    ) -> bool:
        path = f"requests/v1/requests/{request}/{what}"
        return await self.clients.move(what, path, self.bearer(role, person), body, Told(what, request))

    async def _story(self, dice: random.Random, request: str) -> None:
        clerk = self.place.clerk
        turn = dice.random()
        if turn < 0.15:
            return
        if turn < 0.25:
            await self._ask("withdraw", request, {"reason": "不用了"}, clerk)
            return
        to_volunteers = dice.random() < 0.7
        body = {"summary": "搬一个旧柜子", "grid": self.place.grid, "places": dice.choice([1, 1, 2])}
        await self._ask("accept", request, body if to_volunteers else {"summary": "问一件事", "route": "none"}, clerk)
        if not to_volunteers:
            await self._ask("answer", request, {"text": "可以办", "source": "办事指南"}, clerk)
            await self._end(dice, request)
            return
        if dice.random() < 0.1:
            await self._ask("withdraw", request, {"reason": "不用了"}, clerk)
            return
        assignment = await self._offered(dice, request)
        if assignment is not None:
            await self._work(dice, request, assignment)

    async def _offered(self, dice: random.Random, request: str) -> str | None:
        person = dice.choice(self.place.volunteers)
        deadline = time.monotonic() + OFFER_PATIENCE
        while time.monotonic() < deadline and not self._stop.is_set():
            answer = await self.clients.send(
                "GET", "dispatch/v1/assignments", self.bearer("volunteer", person), mine="offered", request=request
            )
            if answer.status == 200 and answer.body["items"]:
                return str(answer.body["items"][0]["id"])
            await asyncio.sleep(0.3)
        return None

    async def _work(self, dice: random.Random, request: str, assignment: str) -> None:
        people = dice.sample(self.place.volunteers, dice.choice([2, 3, 4]))
        won = await asyncio.gather(*(self._do("claim", request, assignment, person, None) for person in people))
        holders = [person for person, win in zip(people, won, strict=True) if win]
        if dice.random() < 0.08:
            await self._ask("withdraw", request, {"reason": "不用了"}, self.place.clerk)
        done = False
        for person in holders:
            if dice.random() < 0.15:
                await self._do("release", request, assignment, person, {"reason": "临时有事"})
                continue
            if dice.random() < 0.5:
                await self._do("check-in", request, assignment, person, None)
            report = {"result": "搬好了", "minutes": 20, "served_person_times": 1}
            done = await self._do("complete", request, assignment, person, report) or done
        if done:
            await self._end(dice, request)

    async def _do(self, what: str, request: str, assignment: str, person: str, body: dict[str, Any] | None) -> bool:
        return await self.clients.move(
            what,
            f"dispatch/v1/assignments/{assignment}/{what}",
            self.bearer("volunteer", person),
            body,
            Told(what, request, person, assignment),
            legal=(404,),  # not offered to this one, or not yet
        )

    async def _end(self, dice: random.Random, request: str) -> None:
        """The resident is called back, or opens it again; a completion that has not arrived yet is asked for again."""
        grade = dice.choice([5, 5, 4, 2])
        if dice.random() < 0.2:
            await self._once_completed(lambda: self._ask("reopen", request, {"reason": "又坏了"}, self.place.clerk))
            return
        word = {"solved": "yes" if grade > 2 else "no", "grade": grade, "by": "callback"}
        await self._once_completed(lambda: self._ask("confirm", request, word, self._caller_back))

    async def _once_completed(self, ask: Callable[[], Awaitable[bool]]) -> None:
        for _ in range(12):
            if await ask() or self._stop.is_set():
                return
            await asyncio.sleep(0.5)

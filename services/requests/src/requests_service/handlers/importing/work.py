"""A piece of work on an import: which, whose, how far; where it ends it is still ours, or nothing of it is kept."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.imports import ENDS, RUNNING
from requests_service.domain.rolls import Draft
from requests_service.handlers.importing.households import Households
from requests_service.handlers.importing.people import People
from requests_service.handlers.importing.registers import Register, as_json
from requests_service.handlers.importing.units import Units

CHUNK = 1000
_FINISH = text(
    """
    UPDATE imports SET state = :state, done = :total, total = :total, problem = NULL, obstacles = '[]',
        applied_at = CASE WHEN :state = 'applied' THEN clock_timestamp() ELSE applied_at END,
        undone_at = CASE WHEN :state = 'undone' THEN clock_timestamp() END
    WHERE id = :id AND attempt = :attempt AND state = :running
    """
)
_GIVE_UP = text(
    """
    UPDATE imports SET state = :state, problem = CAST(:problem AS jsonb), obstacles = CAST(:obstacles AS jsonb)
    WHERE id = :id AND attempt = :attempt AND state = :running
    """
)
_BEAT = text(
    """
    UPDATE imports SET done = :done, total = :total, beat_at = clock_timestamp()
    WHERE id = :id AND attempt = :attempt AND state = :running
    """
)


class Superseded(Exception):
    """The work was taken for dead and given up meanwhile: nothing of it is kept."""


class MovedOn(Exception):
    """Something that the list changes was changed since it was checked."""


class InTheWay(Exception):
    """An import cannot be taken back; carries what stands in the way, line by line."""

    def __init__(self, obstacles: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(obstacles)} in the way")
        self.obstacles = obstacles


@dataclass
class Work:
    """One step (`check`, `apply`, `undo`) of one import; `done` of `total` lines are through."""

    id: UUID
    kind: str
    at: str
    by: UUID
    attempt: UUID
    step: str
    done: int = 0
    total: int = 0

    def register(self, drafts: list[Draft] | None = None) -> Register:
        """What knows the records of this kind of list."""
        if self.kind in ("units", "groups"):
            return Units({draft.key for draft in drafts or () if not draft.faults})
        return People(self.at) if self.kind == "people" else Households(links=self.kind == "linking")

    def _values(self) -> dict[str, Any]:
        return {"id": self.id, "attempt": self.attempt, "running": RUNNING[self.step]}

    async def beat(self, session: AsyncSession) -> None:
        """Says how far it is, and that it lives; in a transaction of its own."""
        await session.execute(_BEAT, {**self._values(), "done": self.done, "total": self.total})

    async def finish(self, session: AsyncSession) -> None:
        """Ends well, in the transaction of the work itself; Superseded where it is no longer ours to end."""
        ended = await session.execute(_FINISH, {**self._values(), "state": ENDS[self.step][0], "total": self.total})
        if ended.rowcount != 1:  # type: ignore[attr-defined]
            raise Superseded

    async def give_up(
        self, session: AsyncSession, problem: dict[str, Any] | None, obstacles: list[dict[str, Any]] | None = None
    ) -> None:
        """Ends with nothing kept."""
        values = {"problem": as_json(problem), "obstacles": as_json(obstacles or []), "state": ENDS[self.step][1]}
        await session.execute(_GIVE_UP, {**self._values(), **values})

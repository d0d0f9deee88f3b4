"""Parked events as operators see them, and decide on them: `/v1/parked` of every service, and `make parked`."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.parking import Parked
from lianhu_kit.verdicts import TAKE_TURNS, parked_of

Verdict = Literal["retry", "drop"]
# Parked and undecided; decided, and the worker has not come to it; passed by; taken back into its key's order.
State = Literal["parked", "decided", "dropped", "retried"]

_DECIDED = "decided.verdict, decided.reason AS why, decided.decided_by, decided.decided_at"
_NEWEST = text(
    f"""
    SELECT parked.id, parked.topic, parked.key, parked.sequence, parked.type, parked.tenant, parked.reason,
           parked.parked_at, {_DECIDED}
    FROM parked LEFT JOIN parked_decisions AS decided ON decided.parked_id = parked.id
    WHERE (CAST(:before AS bigint) IS NULL OR parked.id < :before)
      AND (CAST(:topic AS text) IS NULL OR parked.topic = :topic) AND (CAST(:key AS text) IS NULL OR parked.key = :key)
    ORDER BY parked.id DESC LIMIT :limit
    """
)
_KEPT = ", ".join(each.name for each in fields(Parked))
_ONE = text(
    f"""
    SELECT kept.*, {_DECIDED}
    FROM (SELECT id, generation, parked_at, reason, false AS dropped, {_KEPT} FROM parked WHERE id = :id
          UNION ALL
          SELECT parked_id, generation, parked_at, reason, true, {_KEPT} FROM dropped WHERE parked_id = :id) AS kept
    LEFT JOIN parked_decisions AS decided ON decided.parked_id = kept.id
    """
)
_DECISION = text(
    f"""
    SELECT parked_id AS id, generation, topic, key, sequence, type, tenant, parked_because AS reason, parked_at,
           event_id, {_DECIDED}
    FROM parked_decisions AS decided WHERE parked_id = :id
    """
)
_DECIDE = text(
    """
    INSERT INTO parked_decisions (parked_id, verdict, reason, decided_by, generation, place, topic, key, sequence,
                                  event_id, type, tenant, parked_because, parked_at)
    SELECT id, :verdict, :reason, :by, generation, place, topic, key, sequence, event_id, type, tenant, reason,
           parked_at
    FROM parked WHERE id = :id
    ON CONFLICT (parked_id) DO NOTHING
    RETURNING parked_id
    """
)


@dataclass(frozen=True)
class Decision:
    """What was decided, why, by whom (a person's id, or `local operator`) and when."""

    verdict: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Shown:
    """A parked event: where it belongs, why it was parked, and what was decided on it."""

    id: int
    topic: str
    key: str
    sequence: int | None
    type: str | None
    tenant: str
    reason: str
    parked_at: datetime
    state: State
    decision: Decision | None


@dataclass(frozen=True)
class Whole:
    """A parked event with its content; None where it went back into its key's order."""

    shown: Shown
    generation: int
    event_id: str | None
    content: Parked | None


class AlreadyDecided(Exception):
    """Somebody decided before, and otherwise."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"decided: {decision.verdict}")
        self.decision = decision


async def newest(
    session: AsyncSession,
    *,
    before: int | None = None,
    topic: str | None = None,
    key: str | None = None,
    limit: int = 100,
) -> list[Shown]:
    """Parked events that nobody passed by or took back yet, in the scope of the transaction, newest first."""
    found = await session.execute(_NEWEST, {"before": before, "topic": topic, "key": key, "limit": limit})
    return [_shown(row, "parked" if row.verdict is None else "decided") for row in found]


async def whole(session: AsyncSession, parked_id: int) -> Whole | None:
    """Everything that is known of an event that is or was parked; None where no such is in the scope."""
    row = (await session.execute(_ONE, {"id": parked_id})).one_or_none()
    if row is not None:
        state: State = "dropped" if row.dropped else "parked" if row.verdict is None else "decided"
        return Whole(_shown(row, state), row.generation, row.event_id, parked_of(row))
    row = (await session.execute(_DECISION, {"id": parked_id})).one_or_none()
    return None if row is None else Whole(_shown(row, "retried"), row.generation, row.event_id, None)


async def decide(session: AsyncSession, parked_id: int, verdict: Verdict, reason: str, by: str) -> Whole | None:
    """Records what is to become of a parked event; the worker carries it out within seconds.

    The same decision of the same person again changes nothing. AlreadyDecided where there is another; None where no
    such event is parked in the scope. Nobody can take a decision back: what fails again is parked anew.
    """
    await session.execute(TAKE_TURNS)
    await session.execute(_DECIDE, {"id": parked_id, "verdict": verdict, "reason": reason, "by": by})
    found = await whole(session, parked_id)
    if found is None or found.shown.decision is None:
        return None
    made = found.shown.decision
    if (made.verdict, made.reason, made.by) != (verdict, reason, by):
        raise AlreadyDecided(made)
    return found


def _shown(row: Any, state: State) -> Shown:
    decision = None if row.verdict is None else Decision(row.verdict, row.why, row.decided_by, row.decided_at)
    return Shown(
        row.id, row.topic, row.key, row.sequence, row.type, row.tenant, row.reason, row.parked_at, state, decision
    )

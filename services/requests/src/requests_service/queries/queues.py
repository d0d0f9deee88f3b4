"""The desk's queues: how many wait where, and which. Only what is not over is read, by its partial index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.ranges import under
from requests_service.domain.statuses import OPEN, Status
from requests_service.tables import Request

UNFINISHED = tuple(sorted({*OPEN, Status.COMPLETED}))
QUEUES: dict[str, tuple[Status, ...]] = {
    "new": (Status.SUBMITTED,),
    "asked": (Status.AWAITING_RESIDENT,),
    "to-dispatch": (Status.ACCEPTED,),
    "out": (Status.DISPATCHED, Status.CLAIMED, Status.IN_PROGRESS),
    "referred": (Status.REFERRED,),
    "town": (Status.WITH_TOWN,),
    "call-back": (Status.COMPLETED,),
}
LATE = "late"
SHOWN = 100


@dataclass(frozen=True)
class Queue:
    """One queue: how many wait in it."""

    name: str
    count: int


async def counts(session: AsyncSession, at: str, now: datetime) -> list[Queue]:
    """Every queue under a unit, with how many wait in it; `late` are those of all queues whose limit has passed."""
    rows = await session.exec(
        select(Request.status, func.count(), func.count().filter(_late(now)))
        .where(_unfinished(at))
        .group_by(Request.status)
    )
    found = {status: (count, late) for status, count, late in rows}
    queues = [Queue(name, sum(found.get(each, (0, 0))[0] for each in statuses)) for name, statuses in QUEUES.items()]
    return [*queues, Queue(LATE, sum(late for _, late in found.values()))]


async def waiting(session: AsyncSession, at: str, queue: str, now: datetime) -> list[Request]:
    """Who waits in a queue, the longest waiting first; one more than is shown where there are more."""
    query = select(Request).where(_unfinished(at))
    wanted = _late(now) if queue == LATE else col(Request.status).in_(QUEUES[queue])
    query = query.where(wanted)
    return list(await session.exec(query.order_by(col(Request.submitted_at)).limit(SHOWN + 1)))


async def not_ended(session: AsyncSession, at: str, statuses: Sequence[Status] = UNFINISHED) -> list[Request]:
    """What has not ended under a unit, of all its villages, the soonest due first."""
    query = (
        select(Request)
        .where(_unfinished(at), col(Request.status).in_(statuses))
        .order_by(col(Request.finish_due).nulls_last(), col(Request.id))
        .limit(SHOWN + 1)
    )
    return list(await session.exec(query))


async def to_decide(session: AsyncSession, at: str) -> list[Request]:
    """What villages asked the next level for: a clock to stand still, a longer limit."""
    query = (
        select(Request)
        .where(_unfinished(at), col(Request.asked).is_not(None))
        .order_by(col(Request.submitted_at))
        .limit(SHOWN + 1)
    )
    return list(await session.exec(query))


async def refused(session: AsyncSession, at: str) -> list[Request]:
    """The newest refusals under a unit, which the town can look at again."""
    query = (
        select(Request)
        .where(under(col(Request.tenant), at), Request.status == Status.REJECTED)
        .order_by(col(Request.id).desc())
        .limit(SHOWN + 1)
    )
    return list(await session.exec(query))


def _unfinished(at: str) -> ColumnElement[bool]:
    place = under(col(Request.tenant), at[:12])
    if len(at) > 12:
        place = and_(place, under(col(Request.grid), at))
    return and_(place, col(Request.status).in_(UNFINISHED))


def _late(now: datetime) -> ColumnElement[bool]:
    """Red: somebody should have spoken with the resident, or it should have been done."""
    return and_(
        col(Request.status) != Status.COMPLETED,
        col(Request.suspended_until).is_(None),
        or_(
            col(Request.finish_due) < now,
            and_(col(Request.contacted_at).is_(None), col(Request.contact_due) < now),
        ),
    )

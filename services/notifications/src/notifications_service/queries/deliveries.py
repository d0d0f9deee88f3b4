"""Deliveries in reach: the call list, and what was told to whom about a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import false, func, text
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from lianhu_kit import ranges
from lianhu_kit.divisions import VILLAGE, village_of
from lianhu_kit.ranges import under
from notifications_service.tables import Delivery, RequestCopy

_BROUGHT = text("SELECT * FROM brought_to_me(CAST(:before AS uuid), :at_most)")


@dataclass(frozen=True)
class Reach:
    """Which deliveries may be seen: those under a code, and for a linking person their own calls only.

    Who has their role above the village (`from_above`) also sees those of requests that the village does not see.
    """

    code: str
    caller: UUID | None = None
    from_above: bool = False

    @property
    def place(self) -> tuple[Mapped[str], Mapped[UUID], str]:
        """What the order of a list is made of."""
        return col(Delivery.tenant), col(Delivery.id), village_of(self.code)

    def limit(self, found: SelectOfScalar[Delivery]) -> SelectOfScalar[Delivery]:
        """The query within this reach; a grid's role sees what is placed in the grid."""
        if len(self.code) != VILLAGE:
            column = col(Delivery.grid) if len(self.code) > VILLAGE else col(Delivery.tenant)
            found = found.where(under(column, self.code))
        if not self.from_above:
            # Looked up row by row: as a join it would read all requests to find a page of deliveries.
            unseen = select(RequestCopy.unseen).where(col(RequestCopy.id) == col(Delivery.request_id))
            found = found.where(func.coalesce(unseen.scalar_subquery(), false()).is_(false()))
        return found if self.caller is None else found.where(col(Delivery.caller) == self.caller)


async def calls(
    session: AsyncSession, reach: Reach, *, state: str | None, request: UUID | None, after: UUID | None, limit: int
) -> Sequence[Delivery]:
    """Calls to make or made, oldest first: who has waited longest is called first."""
    found = reach.limit(select(Delivery).where(col(Delivery.channel) == "call"))
    if state is not None:
        found = found.where(col(Delivery.state) == state)
    if request is not None:
        found = found.where(col(Delivery.request_id) == request)
    if after is not None:
        found = found.where(ranges.after(*reach.place, after))
    return (await session.exec(found.order_by(*ranges.oldest_first(*reach.place)).limit(limit))).all()


async def call(session: AsyncSession, reach: Reach, identifier: UUID) -> Delivery | None:
    """One call in reach, without a lock; None where there is none."""
    found = select(Delivery).where(col(Delivery.id) == identifier, col(Delivery.channel) == "call")
    return (await session.exec(reach.limit(found))).one_or_none()


async def earlier_tries(session: AsyncSession, shown: Sequence[Delivery]) -> dict[UUID, list[Delivery]]:
    """For each of these calls the tries before it, for the same purpose with the same recipient, oldest first."""
    requests = {one.request_id for one in shown if one.request_id is not None}
    if not requests:
        return {}
    found = select(Delivery).where(
        col(Delivery.request_id).in_(requests), col(Delivery.channel) == "call", col(Delivery.outcome).is_not(None)
    )
    made = (await session.exec(found.order_by(col(Delivery.id)))).all()
    return {
        one.id: [
            other
            for other in made
            if (other.recipient, other.purpose) == (one.recipient, one.purpose) and other.id < one.id
        ]
        for one in shown
    }


async def newest(
    session: AsyncSession, reach: Reach, *, request: UUID | None, state: str | None, before: UUID | None, limit: int
) -> Sequence[Delivery]:
    """Deliveries in reach, newest first."""
    found = reach.limit(select(Delivery))
    if request is not None:
        found = found.where(col(Delivery.request_id) == request)
    if state is not None:
        found = found.where(col(Delivery.state) == state)
    if before is not None:
        found = found.where(ranges.before(*reach.place, before))
    return (await session.exec(found.order_by(*ranges.newest_first(*reach.place)).limit(limit))).all()


async def brought_to_me(session: AsyncSession, *, before: UUID | None, limit: int) -> Sequence[Delivery]:
    """What left the house for the person whom the session has entered, newest first, of every village."""
    rows = select(Delivery).from_statement(_BROUGHT)
    return (await session.execute(rows, {"before": before, "at_most": limit})).scalars().all()

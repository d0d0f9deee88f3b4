"""A request's story: every step with who took it, masked."""

from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.masking import mask_name
from requests_service.domain.undoing import Made
from requests_service.tables import Holder, Person, Step


async def own_steps(session: AsyncSession, request_id: UUID) -> list[Made]:
    """The steps that this service made, in the order in which they were written."""
    rows = await session.exec(
        select(Step.step, Step.at, Step.by)
        .where(Step.request_id == request_id, Step.service == "requests")
        .order_by(col(Step.position))
    )
    return [Made(step, at, by) for step, at, by in rows]


async def timeline(session: AsyncSession, request_id: UUID) -> list[dict[str, Any]]:
    """The steps in the order in which they happened: `service`, `step`, `at`, and `by` where somebody is known."""
    rows = list(
        await session.exec(select(Step).where(Step.request_id == request_id).order_by(col(Step.at), col(Step.position)))
    )
    people = {row.by for row in rows if row.by}
    names: dict[UUID | None, str] = {}
    if people:
        held = await session.exec(select(Holder.person, Holder.name).where(Holder.request_id == request_id))
        names = {person: name for person, name in held if name}
        known = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
        names |= {person: mask_name(name) for person, name in known}
    return [
        {"service": row.service, "step": row.step, "at": row.at, **({"by": names[row.by]} if row.by in names else {})}
        for row in rows
    ]

"""Following dispatch: who holds a request, and where that puts it. Only the current round moves the status."""

from uuid import UUID

from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import Poison
from requests_service.domain.statuses import Status, follow
from requests_service.events.consumed import ByPerson, DispatchClaimed, DispatchCompleted, DispatchEvent, HolderState
from requests_service.handlers.case import Case
from requests_service.handlers.ending import complete
from requests_service.tables import Holder


async def routed_or_told(session: AsyncSession, event: ReceivedEvent, data: DispatchEvent) -> None:
    """A step that concerns nobody's hold: routed, offered, assigned, escalated, supervised, checked in or out."""
    case = await _case(session, data)
    await _follow(case, event, data, getattr(data, "person", None))


async def claimed(session: AsyncSession, event: ReceivedEvent, data: DispatchClaimed) -> None:
    """Somebody holds it: the contact details open for them."""
    case = await _case(session, data)
    await session.merge(
        Holder(
            request_id=case.request.id,
            round=data.round,
            person=data.person,
            tenant=case.request.tenant,
            name=data.name,
            state="held",
            since=event.time,
        )
    )
    await _follow(case, event, data, data.person)


async def released(session: AsyncSession, event: ReceivedEvent, data: ByPerson) -> None:
    """Somebody gave it back."""
    case = await _case(session, data)
    await _set_holder(case, data.round, "released", data.person)
    await _follow(case, event, data, data.person)


async def completed(session: AsyncSession, event: ReceivedEvent, data: DispatchCompleted) -> None:
    """Somebody reports it done. Work really done is kept, whatever became of the request meanwhile."""
    case = await _case(session, data)
    await _set_holder(case, data.round, "completed", data.person)
    await _follow(case, event, data, data.person, evidence=data.evidence)


async def returned(session: AsyncSession, event: ReceivedEvent, data: DispatchEvent) -> None:
    """The grid gave it back to the village."""
    case = await _case(session, data)
    await _set_holder(case, data.round, "returned")
    await _follow(case, event, data, data.by)


async def cancelled(session: AsyncSession, event: ReceivedEvent, data: DispatchEvent) -> None:
    """Dispatch ended it after the request was withdrawn, merged or referred; the status is ours already."""
    case = await _case(session, data)
    await _set_holder(case, data.round, "cancelled")
    await _follow(case, event, data, data.by)


async def _case(session: AsyncSession, data: DispatchEvent) -> Case:
    case = await Case.lock(session, data.request_id)
    if case is None:
        raise Poison("dispatch tells of a request that this village does not have")
    return case


async def _set_holder(case: Case, round: int, state: HolderState, person: UUID | None = None) -> None:
    """Changes one holder's state; everybody's who still holds it where no person is given."""
    query = update(Holder).where(
        col(Holder.request_id) == case.request.id, col(Holder.round) == round, col(Holder.state) == "held"
    )
    if person is not None:
        query = query.where(col(Holder.person) == person)
    await case.session.exec(query.values(state=state))


async def _follow(
    case: Case, event: ReceivedEvent, data: DispatchEvent, person: UUID | None, evidence: str = "word"
) -> None:
    """Keeps the step and moves the status, once."""
    step = event.type.removeprefix("lianhu.dispatch.").rpartition(".v")[0]
    case.note("dispatch", step, event.time, person or data.by)
    status = follow(case.status, data.state, current=data.round == case.request.round)
    if status != case.status:
        case.stand(status)
        if status == Status.COMPLETED:
            await complete(case, via="dispatch", evidence=evidence, round=data.round)
    await case.save()

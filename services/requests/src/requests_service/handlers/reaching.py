"""What came of telling the resident: tries to have it confirmed are counted, a call that reached is a contact."""

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import Poison
from requests_service.domain.statuses import Status
from requests_service.events.consumed import DeliveryEvent, DeliveryFailed, DeliverySent
from requests_service.handlers.case import Case
from requests_service.handlers.contacting import first_contact

RESIDENTS_SIDE = frozenset({"resident", "reporter", "guardian"})


def concerns(data: DeliveryEvent) -> bool:
    """Whether a delivery moves anything here: a call to the resident's side, or the question whether it is solved.

    A message to the phone about what stands in the inbox is no further try.
    """
    return (
        data.request_id is not None
        and data.audience in RESIDENTS_SIDE
        and (data.channel == "call" or (data.channel == "inbox" and data.purpose == "confirm"))
    )


def locks(data: DeliveryEvent) -> str:
    """Which request is locked: the topic's key is the delivery."""
    return str(data.request_id)


async def sent(session: AsyncSession, event: ReceivedEvent, data: DeliverySent) -> None:
    """It reached the inbox, which is a try; or somebody was reached by call, which is a contact as well."""
    case = await _case(session, data)
    _count_try(case, data)
    if data.channel == "call":
        case.by = data.by
        await first_contact(case, how="phone", at=event.time)
    await case.save()


async def failed(session: AsyncSession, _event: ReceivedEvent, data: DeliveryFailed) -> None:
    """A call reached nobody: it was a try."""
    case = await _case(session, data)
    if data.channel == "call":
        _count_try(case, data)
        await case.save()


async def _case(session: AsyncSession, data: DeliveryEvent) -> Case:
    case = await Case.lock(session, data.request_id) if data.request_id else None
    if case is None:
        raise Poison("a delivery tells of a request that this village does not have")
    return case


def _count_try(case: Case, data: DeliveryEvent) -> None:
    # The one who ordered for somebody else is told too, but it is the resident who is asked.
    if data.purpose == "confirm" and data.audience != "reporter" and case.status == Status.COMPLETED:
        case.request.tries += 1

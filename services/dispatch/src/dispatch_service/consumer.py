"""{event type: handler}: what dispatch does with the events of others."""

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.events import consumed
from dispatch_service.handlers import directory, ending, moving_limits, opening
from dispatch_service.settings import Settings
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import Handle, Subscription

TOPICS = {"lianhu.requests.v1": False, "lianhu.directory.v1": True}


def subscriptions(settings: Settings) -> dict[str, Subscription]:
    """What is read of each event type, and what it sets in motion. Nothing follows a reopening until a new dispatch."""

    async def requested(session: AsyncSession, event: ReceivedEvent, data: consumed.DispatchRequested) -> None:
        await opening.open_assignment(session, settings, event, data)

    async def resumed(session: AsyncSession, _event: ReceivedEvent, data: consumed.LimitsResumed) -> None:
        await moving_limits.move_limits(session, data)

    async def extended(session: AsyncSession, _event: ReceivedEvent, data: consumed.LimitExtended) -> None:
        await moving_limits.move_limits(session, data)

    async def unit(session: AsyncSession, _event: ReceivedEvent, data: consumed.OrgUnitUpserted) -> None:
        await directory.keep_unit(session, data)

    async def household(session: AsyncSession, _event: ReceivedEvent, data: consumed.HouseholdUpserted) -> None:
        await directory.keep_household(session, data)

    async def volunteer(session: AsyncSession, _event: ReceivedEvent, data: consumed.VolunteerUpserted) -> None:
        await directory.keep_volunteer(session, data)

    async def deleted(session: AsyncSession, event: ReceivedEvent, _data: consumed.Deleted) -> None:
        await directory.forget(session, event)

    return {
        "lianhu.request.dispatch-requested.v1": Subscription(consumed.DispatchRequested, requested),
        "lianhu.request.withdrawn.v1": Subscription(consumed.RequestEnded, _ended("withdrawn")),
        "lianhu.request.merged.v1": Subscription(consumed.RequestEnded, _ended("merged")),
        "lianhu.request.referred.v1": Subscription(consumed.RequestEnded, _ended("referred")),
        "lianhu.request.answered.v1": Subscription(consumed.RequestEnded, _ended("answered")),
        "lianhu.request.reported-up.v1": Subscription(consumed.RequestEnded, _ended("reported-up")),
        "lianhu.request.resumed.v1": Subscription(consumed.LimitsResumed, resumed),
        "lianhu.request.extended.v1": Subscription(consumed.LimitExtended, extended),
        "lianhu.org-unit.upserted.v1": Subscription(consumed.OrgUnitUpserted, unit),
        "lianhu.household.upserted.v1": Subscription(consumed.HouseholdUpserted, household),
        "lianhu.volunteer.upserted.v1": Subscription(consumed.VolunteerUpserted, volunteer),
        "deleted:lianhu.directory.v1": Subscription(consumed.Deleted, deleted),
    }


def _ended(reason: ending.Reason) -> Handle:
    async def handle(session: AsyncSession, _event: ReceivedEvent, data: consumed.RequestEnded) -> None:
        await ending.end_request(session, data, reason)

    return handle

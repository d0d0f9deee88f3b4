"""The door for events: what is read, and what happens with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import Subscription
from notifications_service.events import directory, dispatch, requests
from notifications_service.handlers import directory as directory_copies
from notifications_service.handlers.hear import hear_of_dispatch, hear_of_request
from notifications_service.handlers.voice import Voice

# topic → whether it is compacted
TOPICS = {"lianhu.requests.v1": False, "lianhu.dispatch.v1": False, "lianhu.directory.v1": True}

REQUESTS: dict[str, type[requests.RequestEvent]] = {
    "submitted": requests.Submitted,
    "asked": requests.Asked,
    "replied": requests.RequestEvent,
    "accepted": requests.Weighed,
    "rejected": requests.RequestEvent,
    "reviewed": requests.Reviewed,
    "dispatch-requested": requests.Weighed,
    "answered": requests.RequestEvent,
    "referred": requests.RequestEvent,
    "agency-replied": requests.AgencyReplied,
    "reported-up": requests.RequestEvent,
    "sent-back": requests.RequestEvent,
    "merged": requests.Merged,
    "split": requests.RequestEvent,
    "transferred": requests.RequestEvent,
    "withdrawn": requests.RequestEvent,
    "suspended": requests.Suspended,
    "resumed": requests.RequestEvent,
    "extended": requests.Limit,
    "limit-near": requests.Limit,
    "limit-passed": requests.Limit,
    "completed": requests.Completed,
    "confirmed": requests.RequestEvent,
    "reopened": requests.RequestEvent,
    "closed": requests.Closed,
}
DISPATCH: dict[str, type[dispatch.DispatchEvent]] = {
    "offered": dispatch.Offered,
    "assigned": dispatch.Assigned,
    "claimed": dispatch.Claimed,
    "released": dispatch.DispatchEvent,
    "returned": dispatch.DispatchEvent,
    "escalated": dispatch.Escalated,
    "reminded": dispatch.Reminded,
    "supervised": dispatch.Supervised,
    "cancelled": dispatch.Cancelled,
}
DIRECTORY = {
    "lianhu.org-unit.upserted.v1": Subscription(directory.OrgUnitUpserted, directory_copies.unit),
    "lianhu.service.upserted.v1": Subscription(directory.ServiceUpserted, directory_copies.service),
    "lianhu.volunteer.upserted.v1": Subscription(directory.VolunteerUpserted, directory_copies.person),
    "lianhu.household.upserted.v1": Subscription(directory.HouseholdUpserted, directory_copies.household),
    "deleted:lianhu.directory.v1": Subscription(directory.Deleted, directory_copies.deleted),
}

Hear = Callable[[AsyncSession, Voice, ReceivedEvent, Any], Awaitable[None]]


def subscriptions(
    voice: Voice, of_request: Hear = hear_of_request, of_dispatch: Hear = hear_of_dispatch
) -> dict[str, Subscription]:
    """Full event type → the fields that are read of it, and its handler. A rebuild hears in another way."""

    def heard(model: type[BaseModel], hear: Hear) -> Subscription:
        async def handle(session: AsyncSession, event: ReceivedEvent, data: Any) -> None:
            await hear(session, voice, event, data)

        return Subscription(model, handle)

    return {
        **{f"lianhu.request.{name}.v1": heard(model, of_request) for name, model in REQUESTS.items()},
        **{f"lianhu.dispatch.{name}.v1": heard(model, of_dispatch) for name, model in DISPATCH.items()},
        **DIRECTORY,
    }

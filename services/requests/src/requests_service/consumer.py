"""The door for events: which are read, and what is done with each."""

from functools import partial

from lianhu_kit.inbound import Subscription
from requests_service.events import consumed as events
from requests_service.handlers import following, reaching

TOPICS = {events.DISPATCH: False, events.NOTIFICATIONS: False}  # neither is compacted

_delivery = partial(Subscription, concerns=reaching.concerns, locks=reaching.locks)

SUBSCRIPTIONS = {
    "lianhu.dispatch.routed.v1": Subscription(events.DispatchEvent, following.routed_or_told),
    "lianhu.dispatch.offered.v1": Subscription(events.DispatchEvent, following.routed_or_told),
    "lianhu.dispatch.assigned.v1": Subscription(events.ByPerson, following.routed_or_told),
    "lianhu.dispatch.claimed.v1": Subscription(events.DispatchClaimed, following.claimed),
    "lianhu.dispatch.released.v1": Subscription(events.ByPerson, following.released),
    "lianhu.dispatch.checked-in.v1": Subscription(events.ByPerson, following.routed_or_told),
    "lianhu.dispatch.checked-out.v1": Subscription(events.ByPerson, following.routed_or_told),
    "lianhu.dispatch.completed.v1": Subscription(events.DispatchCompleted, following.completed),
    "lianhu.dispatch.returned.v1": Subscription(events.DispatchEvent, following.returned),
    "lianhu.dispatch.escalated.v1": Subscription(events.DispatchEvent, following.routed_or_told),
    "lianhu.dispatch.supervised.v1": Subscription(events.DispatchEvent, following.routed_or_told),
    "lianhu.dispatch.cancelled.v1": Subscription(events.DispatchEvent, following.cancelled),
    "lianhu.notification.sent.v1": _delivery(events.DeliverySent, reaching.sent),
    "lianhu.notification.failed.v1": _delivery(events.DeliveryFailed, reaching.failed),
}

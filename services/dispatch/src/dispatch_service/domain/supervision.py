"""How a written order stands: still time, over its deadline, done in time or late, ended otherwise.

Source: product.md, 督办: a written order with a deadline; responsibility stays where it is.
"""

from datetime import datetime
from enum import StrEnum

from dispatch_service.domain.states import OPEN, State


class Standing(StrEnum):
    """What has become of a written order."""

    RUNNING = "running"
    OVERDUE = "overdue"
    DONE_IN_TIME = "done-in-time"
    DONE_LATE = "done-late"
    ENDED = "ended"


def standing(state: State, *, until: datetime, ended_at: datetime | None, now: datetime) -> Standing:
    """How an order with a deadline stands; what was given back or called off has ended without being done."""
    if state in OPEN:
        return Standing.OVERDUE if now > until else Standing.RUNNING
    if state is not State.COMPLETED:
        return Standing.ENDED
    return Standing.DONE_LATE if ended_at is not None and ended_at > until else Standing.DONE_IN_TIME

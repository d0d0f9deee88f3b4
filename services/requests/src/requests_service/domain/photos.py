"""Photos of an order: who adds one and what it shows, who takes one away, how long they are kept."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from requests_service.domain.statuses import OPEN, WITH_DISPATCH, Status

# Of each purpose, so that nobody's photos keep the others' out.
MOST = 3
# Days after the end, where the village says nothing else (`photos_kept_days`).
KEPT_DAYS = 90
# A village that shortens the time waits no longer than this until it holds for photos that are there.
LOOKED_AT_EVERY = timedelta(days=7)
TAKES_PHOTOS = OPEN | {Status.COMPLETED}


class Purpose(StrEnum):
    """What a photo shows: what the order is about, or that the work is done."""

    ORDER = "order"
    COMPLETION = "completion"


class OrderEnded(Exception):
    """The order has ended; no photo is added any more."""


class PhotosFull(Exception):
    """There are three photos already. Take one away first."""


class NotYours(Exception):
    """Photos are added by the resident, the desk and whoever holds the work."""


def purpose(role: str, status: Status, *, own: bool, held: str | None) -> Purpose:
    """What a photo of somebody's shows; `held` is how they hold the current round, as dispatch said, if they do.

    Whoever completed the work may still add a photo until the order ends: the one that could not be sent with the
    report. Raises OrderEnded, NotYours.
    """
    if status not in TAKES_PHOTOS:
        raise OrderEnded
    if (held == "held" and status in WITH_DISPATCH) or held == "completed":
        return Purpose.COMPLETION
    if role == "clerk" or own:
        return Purpose.ORDER
    raise NotYours


def removes(role: str, photo: Purpose, *, own: bool, by_them: bool) -> bool:
    """Whether somebody may take a photo away: their own, those of their own order, at the desk any."""
    return role == "clerk" or by_them or (own and photo is Purpose.ORDER)


def over_at(closed_at: datetime | None, settings: dict[str, Any]) -> datetime | None:
    """When the photos of an order are over; None while it has not ended."""
    return closed_at + timedelta(days=int(settings.get("photos_kept_days", KEPT_DAYS))) if closed_at else None

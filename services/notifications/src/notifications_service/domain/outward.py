"""What leaves the house: who has an inbox is told by phone or mail too, as they chose and when it is not quiet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifications_service.domain.choices import KIND_OF, Channel, Choices, Pace, pace_of
from notifications_service.domain.notices import INBOX, Notice

TRIES = 6
# Waits after a try that certainly brought nothing: 1, 5, 15, 60 and 240 minutes.
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))


class Carried(StrEnum):
    """What came of handing a message over."""

    SENT = "sent"
    REFUSED = "refused"  # for good: the address takes nothing
    LATER = "later"  # certainly not taken, it may be tried again
    UNKNOWN = "unknown"  # it may have arrived: never sent a second time


@dataclass(frozen=True)
class Outward:
    """A notice that leaves the house, and at which pace."""

    notice: Notice
    pace: Pace


def outward(plan: Collection[Notice], choices: Mapping[UUID, Choices], channels: Collection[Channel]) -> list[Outward]:
    """For everything that goes into somebody's inbox what goes to their phone and by mail as well."""
    found = []
    for notice in plan:
        if notice.channel != INBOX or notice.state != "sent" or notice.person is None:
            continue
        for channel in sorted(channels):
            pace = pace_of(choices.get(notice.person, {}), channel, KIND_OF[notice.purpose])
            if pace is not Pace.OFF:
                recipient = recipient_of(channel, notice.person)
                found.append(Outward(replace(notice, channel=channel, state="due", recipient=recipient), pace))
    return found


def recipient_of(channel: str, person: UUID) -> str:
    """What makes it the same recipient: told once by each channel."""
    return f"{channel}:{person}"


def next_try(tries: int, moment: datetime) -> datetime | None:
    """When to try again after the `tries`-th try (1, 2, …) brought nothing; None after the last one."""
    return None if tries >= TRIES else moment + _WAITS[tries - 1]

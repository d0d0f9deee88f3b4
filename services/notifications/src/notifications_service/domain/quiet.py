"""Quiet hours: when nothing is brought to anybody, urgent matters excepted, and when the morning's message goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from notifications_service.domain.choices import Pace

MORNING = time(7, 0)


@dataclass(frozen=True)
class Quiet:
    """From a local time until another one, mostly over midnight."""

    begins: time
    ends: time

    def covers(self, moment: time) -> bool:
        """Whether a local time lies in it; its end does not."""
        if self.begins <= self.ends:
            return self.begins <= moment < self.ends
        return moment >= self.begins or moment < self.ends


USUAL = Quiet(time(22, 0), MORNING)


def quiet_of(setting: Sequence[str] | None) -> Quiet | None:
    """A unit's setting `quiet_hours`: `["22:00", "07:00"]`, or `[]` for none; 22:00 to 07:00 where nothing is set."""
    if setting is None:
        return USUAL
    if not setting:
        return None
    begins, ends = (time.fromisoformat(one) for one in setting)
    return Quiet(begins, ends)


def send_at(moment: datetime, zone: tzinfo, quiet: Quiet | None, pace: Pace, *, urgent: bool) -> datetime:
    """When something that came at `moment` (aware) is brought: now, after the quiet hours, or the next morning."""
    if urgent:
        return moment
    local = moment.astimezone(zone)
    ends = quiet.ends if quiet else MORNING
    if pace is not Pace.MORNING and not (quiet and quiet.covers(local.time())):
        return moment
    morning = datetime.combine(local.date(), ends, zone)
    return morning if morning > local else datetime.combine(local.date() + timedelta(days=1), ends, zone)

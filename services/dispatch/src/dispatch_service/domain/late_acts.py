"""Acts that come later than they happened, from phones without signal and with clocks of their own."""

from datetime import datetime, timedelta

OLDEST = timedelta(hours=72)


class TooOld(Exception):
    """This happened over 72 hours ago. Tell your grid leader; they can note it."""


def true_time(at: datetime, *, sent_at: datetime, now: datetime) -> datetime:
    """When something really happened: the phone's clock is corrected by how far it was off when it sent the act.

    Never in the future. Raises TooOld for what is over 72 hours ago.
    """
    # How long ago by the phone's own clock: the moment itself may lie beyond all calendars where that clock is wild.
    ago = max(sent_at - at, timedelta())
    if ago > OLDEST:
        raise TooOld
    return now - ago

"""Samples to call back (回访抽样): which of a month's completed requests the town calls; nobody can choose.

Source: product.md: the town supervisor calls back samples; the contact details of these alone are open to it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

SHARE = 0.05  # of a month's completed requests; at least one of each village that completed any
DRAWS = 65_536  # a draw is one of so many numbers


@dataclass(frozen=True)
class Month:
    """A month of the local calendar."""

    begins: datetime
    ends: datetime

    @property
    def name(self) -> str:
        """As it stands in addresses: 2026-03."""
        return f"{self.begins:%Y-%m}"


def month_at(moment: datetime, zone: tzinfo) -> Month:
    """The local month in which a moment lies."""
    begins = moment.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(begins.year * 12 + begins.month, 12)
    return Month(begins, begins.replace(year=year, month=month + 1))


def open_months(now: datetime, zone: tzinfo) -> tuple[Month, Month]:
    """The months whose samples are called back: this one, and the one before, for what was done on its last days."""
    this = month_at(now, zone)
    return this, month_at(this.begins - timedelta(days=1), zone)


def draw_key(key: bytes, month: Month) -> str:
    """The key of a month's draw: without it nobody can work out beforehand what will be drawn (HMAC, RFC 2104)."""
    return hmac.digest(key, f"sample/{month.name}".encode(), hashlib.sha256).hex()

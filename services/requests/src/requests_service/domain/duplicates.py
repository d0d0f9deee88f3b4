"""What may be the same matter twice: the same household and service, or the same service and grid within a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from requests_service.domain.statuses import OPEN, Status

WITHIN = timedelta(days=1)
# A duplicate follows something that is still going to be told about.
LEADERS = OPEN | {Status.COMPLETED}


@dataclass(frozen=True)
class Matter:
    """What the comparison looks at."""

    service: str
    household: object | None
    grid: str | None
    submitted_at: datetime


def may_be_the_same(one: Matter, other: Matter) -> bool:
    """Whether a clerk should be shown the one beside the other. Symmetric; an unknown place equals none."""
    if one.service != other.service:
        return False
    if one.household is not None and one.household == other.household:
        return True
    close = abs(one.submitted_at - other.submitted_at) <= WITHIN
    return one.grid is not None and one.grid == other.grid and close

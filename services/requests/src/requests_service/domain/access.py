"""Who sees what of a request. Contact details by right only, and the rights end with the work."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from requests_service.domain.statuses import WITH_DISPATCH, Status

READS_TEXT = frozenset({"clerk", "branch_secretary", "grid_leader", "grid_worker", "resident", "volunteer"})


class Contact(StrEnum):
    """The answer to: may they see the contact details?"""

    YES = "yes"
    NOT_YET = "not-yet"  # the claim may be on its way here
    OVER = "over"  # the work has ended, and the right with it
    NO = "no"  # their role does not give it
    UNKNOWN = "unknown"  # not theirs: as if it were not there


@dataclass(frozen=True)
class Seen:
    """A request as the rules on contact details look at it, and who asks."""

    status: Status
    holds: bool
    held: bool
    own: bool
    first_grade: int | None
    last_grade: int | None
    sampled: bool = False


def contact(role: str, seen: Seen) -> Contact:
    """Whether a role opens the contact details of a request."""
    if role == "clerk" or (role == "resident" and seen.own):
        return Contact.YES
    working = seen.status in WITH_DISPATCH
    if role in {"volunteer", "grid_worker"}:
        if seen.holds and working:
            return Contact.YES
        if seen.holds or seen.held:
            return Contact.OVER
        if role == "grid_worker" and seen.own:
            return Contact.YES
        return Contact.NOT_YET if seen.status == Status.DISPATCHED else Contact.UNKNOWN
    if role in {"grid_leader", "branch_secretary"}:
        return Contact.YES if working else Contact.NO
    if role == "supervisor":
        graded = {seen.first_grade, seen.last_grade}
        return Contact.YES if seen.sampled or seen.status == Status.WITH_TOWN or graded & {1, 2} else Contact.NO
    return Contact.NO


def within(at: str, *, tenant: str, grid: str | None) -> bool:
    """Whether a role given at a code reaches a request of a village and grid: a grid's role reaches its grid only."""
    return tenant.startswith(at) if len(at) <= len(tenant) else grid is not None and grid.startswith(at)


def strongest(roles: Collection[str], order: Collection[str]) -> str | None:
    """The first of `order` that is among the roles."""
    return next((role for role in order if role in roles), None)

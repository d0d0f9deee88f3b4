"""Who works for a village, and who of them can be ordered: nobody is made to volunteer (志愿服务条例, art. 25)."""

from collections.abc import Collection

STAFF_ROLES = frozenset({"grid_worker", "grid_leader", "branch_secretary", "clerk"})
WORKING_ROLES = STAFF_ROLES | {"volunteer", "supervisor"}


def works(roles: Collection[str]) -> bool:
    """Whether somebody with these roles has to be known to dispatch and notifications."""
    return not WORKING_ROLES.isdisjoint(roles)


def can_be_ordered(roles: Collection[str]) -> bool:
    """Whether somebody with these roles is staff."""
    return not STAFF_ROLES.isdisjoint(roles)

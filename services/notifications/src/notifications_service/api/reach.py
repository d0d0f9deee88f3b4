"""What the routes of this service share: who has an inbox, how far a caller sees, where a page begins."""

from uuid import UUID

from lianhu_kit.access import Access
from lianhu_kit.divisions import VILLAGE, covers
from lianhu_kit.problems import NotFound
from notifications_service.queries.deliveries import Reach

# Everyone who is told anything; machines (integrator, service) are not.
PEOPLE = (
    "resident", "volunteer", "grid_worker", "grid_leader", "branch_secretary", "clerk", "supervisor", "operator",
    "admin",
)  # fmt: skip


def reaches(access: Access, tenant: str | None = None) -> list[Reach]:
    """What the caller may see, widest first: under each of their grants, narrowed to `tenant` where one is named.

    A volunteer's grant reaches their own calls only. NotFound where no grant touches the tenant.
    """
    found = []
    for grant in sorted(access.grants, key=lambda grant: (grant.role == "volunteer", len(grant.at))):
        caller = access.person if grant.role == "volunteer" else None
        from_above = len(grant.at) < VILLAGE
        if tenant is None or covers(tenant, grant.at):
            found.append(Reach(grant.at, caller, from_above))
        elif covers(grant.at, tenant):
            found.append(Reach(tenant, caller, from_above))
    if not found:
        raise NotFound()
    return found


def person_of(access: Access) -> UUID:
    """The caller's person; routes that ask for it permit no anonymous calls."""
    if access.person is None:
        raise NotFound()
    return access.person

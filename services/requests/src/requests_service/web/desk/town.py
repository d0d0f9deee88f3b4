"""The town's pages: what has not ended, what was reported up, what waits for its decision."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.domain.statuses import Status
from requests_service.queries.queues import SHOWN, not_ended, refused, to_decide
from requests_service.queries.units import labels_at, units_under

router = APIRouter(include_in_schema=False)
Supervisor = Annotated[Visitor, needs("supervisor")]
LISTS = {
    "not-ended": N_("Not ended"), "with-town": N_("Reported up"), "to-decide": N_("To decide"),
    "refused": N_("Refusals"),
}  # fmt: skip


@router.get("/desk/town")
async def town(
    request: Request, visitor: Supervisor, session: Session, shown: Annotated[str, Query(max_length=20)] = "not-ended"
) -> Response:
    """One of the town's lists over all of its villages (未办结清单 first), the soonest due first."""
    at = visitor.grant.at
    await enter_scope(session, visitor.grant.scope, visitor.person)
    match shown:
        case "with-town":
            rows = await not_ended(session, at, (Status.WITH_TOWN,))
        case "to-decide":
            rows = await to_decide(session, at)
        case "refused":
            rows = await refused(session, at)
        case _:
            shown, rows = "not-ended", await not_ended(session, at)
    visitor.labels = await labels_at(session, at)
    names = {unit.code: unit.name for unit in await units_under(session, at, None, 2000) if unit.level == "village"}
    return pages_of(request).show(
        visitor, "desk/town.html", lists=LISTS, shown=shown, rows=rows[:SHOWN], more=len(rows) > SHOWN, names=names
    )

"""Counts, for reconciliation."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi import Request as Call

from dispatch_service.api.acting import settings_of
from dispatch_service.queries.assignments import counts
from lianhu_kit.access import Access, permits
from lianhu_kit.api import FIRST_YEAR, LAST_YEAR, DivisionCode, Session
from lianhu_kit.database import enter_scope, now
from lianhu_kit.problems import FieldError, Invalid

router = APIRouter(prefix="/v1/counts", tags=["counts"])
Counters = Annotated[Access, permits("clerk", "supervisor", "admin")]


@router.get("")
async def count(
    call: Call,
    access: Counters,
    session: Session,
    org: DivisionCode,
    begins: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    ends: Annotated[str | None, Query(alias="to", max_length=40)] = None,
) -> dict[str, Any]:
    """How many requests stand in which state of their latest assignment, under `org` (a village or above).

    `from` and `to` bound when a request was first opened here: a time (`to` not included) or a day (both included,
    in the deployment's time zone).
    """
    if len(org) > 12:
        raise Invalid([FieldError("org", "Counts are by village and above: give 12 digits or fewer.")])
    grant = access.covering(org)
    zone = ZoneInfo(settings_of(call).timezone)
    begin, end = _bound("from", begins, zone, after=0), _bound("to", ends, zone, after=1)
    await enter_scope(session, grant.scope, access.person)
    return {"by_status": await counts(session, org, begin, end), "as_of": now(session)}


def _bound(field: str, given: str | None, zone: ZoneInfo, *, after: int) -> datetime | None:
    """A time as it is; a day as its begin, or with `after` as the begin of so many days later."""
    if given is None:
        return None
    try:
        if len(given) == 10:
            moment: datetime | None = datetime.combine(date.fromisoformat(given) + timedelta(days=after), time(), zone)
        else:
            moment = datetime.fromisoformat(given)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid([FieldError(field, "Give a day as 2026-03-01 or a time as 2026-03-01T08:00:00+08:00.")])
    return moment

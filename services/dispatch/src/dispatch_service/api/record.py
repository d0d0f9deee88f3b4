"""A volunteer's own record of service."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Request as Call

from dispatch_service.api.acting import WORKING, person_of, settings_of
from dispatch_service.queries import records
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope

router = APIRouter(prefix="/v1/record", tags=["record"])
Workers = Annotated[Access, permits(*WORKING)]


@router.get("")
async def own_record(call: Call, access: Workers, session: Session) -> dict[str, Any]:
    """What one did oneself: months with visits, minutes and people served, and the last 200 pieces of work."""
    person = person_of(access)
    widest = min(access.grants, key=lambda grant: len(grant.at))
    await enter_scope(session, widest.scope, person)
    by_month = await records.months(session, person, settings_of(call).timezone)
    return {
        "months": [
            {"month": each.month, "visits": each.visits, "minutes": each.minutes, "served_person_times": each.served}
            for each in by_month
        ],
        "items": await records.done(session, person),
    }

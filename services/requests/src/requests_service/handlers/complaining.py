"""A request about staff or volunteers: reported up by itself, as soon as it is placed."""

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.timers import Timer
from requests_service.domain import town
from requests_service.domain.statuses import Status
from requests_service.handlers.case import Case
from requests_service.handlers.town import report_up

TO_TOWN = "to-town"
REASON = "涉及工作人员或志愿者 / about staff or volunteers"


async def report_complaint(session: AsyncSession, timer: Timer) -> None:
    """Hands it to the unit above its village, unless it was withdrawn meanwhile."""
    case = await Case.lock(session, timer.aggregate)
    if case is not None and case.status == Status.SUBMITTED:
        await report_up(case, to=town.above(case.request.tenant), reason=REASON)

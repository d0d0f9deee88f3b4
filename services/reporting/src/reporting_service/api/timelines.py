"""A request's journey, told from the events alone."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.divisions import VILLAGE, covers
from lianhu_kit.tokens import Grant
from reporting_service.domain.moments import micros, moment
from reporting_service.domain.telling import steps
from reporting_service.queries.journeys import Journey, find_journey, masked_names
from reporting_service.queries.snapshots import begin

router = APIRouter(prefix="/v1/requests", tags=["requests"])
Reader = Annotated[
    Access,
    permits("clerk", "supervisor", "operator", "grid_leader", "branch_secretary", "admin", "resident"),
]


@router.get("/{request_id}/timeline")
async def timeline(access: Reader, session: Session, request_id: UUID) -> dict[str, Any]:
    """The steps of a request in all services and the moment it was counted; people by masked names, no ids.

    A resident sees requests that they placed or that are theirs. 404 also while the submission is on its way.
    """
    await begin(session)

    async def load(grant: Grant) -> Journey | None:
        journey = await find_journey(session, request_id)
        return journey if journey is not None and _may_see(grant, access.person, journey) else None

    _, journey = await access.locate(session, load)
    counted = None if journey.counted_at is None else micros(journey.counted_at)
    told = steps(journey.fact, counted)
    called = await masked_names(session, {step.by for step in told if step.by is not None})
    return {
        "id": request_id,
        "number": journey.number,
        "tenant": journey.fact.tenant,
        "status": journey.status,
        "steps": [
            {
                "service": step.service,
                "step": step.step,
                "at": moment(step.at),
                **({"by": called[step.by]} if step.by in called else {}),
                **step.told,
            }
            for step in told
        ],
    }


def _may_see(grant: Grant, person: UUID | None, journey: Journey) -> bool:
    if grant.role == "resident":
        return person in journey.people
    if journey.fact.unseen and len(grant.at) >= VILLAGE:
        return False
    return covers(grant.at, journey.grid or journey.fact.tenant)

"""Acts of volunteers that were kept on a phone without signal: each once, in their order, with their own times."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter
from fastapi import Request as Call
from pydantic import Field

from dispatch_service.api import offers, work
from dispatch_service.api.acting import WORKERS, WORKING, among, person_of
from dispatch_service.domain import errors
from dispatch_service.domain.late_acts import TooOld, true_time
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Line, Moment, Words
from lianhu_kit.database import Database, enter_scope, now
from lianhu_kit.idempotency import recall, remember
from lianhu_kit.problems import NotFound, Problem

router = APIRouter(prefix="/v1/acts", tags=["work"])
Workers = Annotated[Access, permits(*WORKING)]
ROUTE = "POST /v1/acts"
Kind = Literal["claim", "decline", "accept", "release", "check-in", "check-out", "complete"]


class Act(Body):
    """One act: its own id, what, on which assignment, and when by the phone's clock."""

    id: UUID
    act: Kind
    assignment: UUID
    at: Moment
    reason: Words | None = None
    place: Line | None = None
    result: Words | None = None
    minutes: int | None = Field(default=None, ge=0, le=24 * 60)
    served_person_times: int = Field(default=1, ge=1, le=1000)


class ActsBody(Body):
    """Up to 100 acts in the order in which they were done, and the phone's clock when it sent them."""

    sent_at: Moment
    acts: Annotated[list[Act], Field(min_length=1, max_length=100)]


@router.post("")
async def take_acts(call: Call, body: ActsBody, access: Workers) -> dict[str, Any]:
    """Carries the acts out, one after the other; one that cannot be done does not stop those behind it.

    For each `done`, or `refused` with the problem's type and what to do. The same act sent again gets its first answer.
    """
    return {"items": [await _take(call, each, body.sent_at, access) for each in body.acts]}


async def _take(call: Call, act: Act, sent_at: datetime, access: Access) -> dict[str, Any]:
    database: Database = call.app.state.database
    sent = orjson.dumps(act.model_dump(mode="json"))
    caller, key = str(person_of(access)), str(act.id)
    place = min(access.grants, key=lambda grant: len(grant.at)).scope
    try:
        if act.act == "claim":  # takes its place in transactions of its own, and the winner's repeat is the same answer
            await offers.claim(call, act.assignment, among(access, *WORKERS))
            return {"id": key, "outcome": "done"}
        async with database.transaction() as session:
            await enter_scope(session, place, access.person)
            before = await recall(session, key, caller=caller, route=ROUTE, body=sent)
            if before is not None:
                return before.answer
            at = true_time(act.at, sent_at=sent_at, now=now(session))
            await _carry_out(call, act, at, access, session)
            await enter_scope(session, place, access.person)
            answer = {"id": key, "outcome": "done"}
            await remember(session, key, caller=caller, route=ROUTE, body=sent, tenant=place, status=200, answer=answer)
            return answer
    except (Problem, errors.Refusal, TooOld) as refusal:
        return {"id": key, "outcome": "refused", **_told(call, refusal)}


async def _carry_out(call: Call, act: Act, at: datetime, access: Access, session: Any) -> None:
    match act.act:
        case "check-in":
            await work.check_in(call, act.assignment, access, session, work.Arrival(at=at, place=act.place))
        case "check-out":
            await work.check_out(call, act.assignment, access, session, work.Departure(at=at))
        case "complete":
            report = work.Report(
                result=act.result or "-", minutes=act.minutes, served_person_times=act.served_person_times
            )
            await work.complete(call, act.assignment, report, access, session)
        case "release":
            await work.release(call, act.assignment, work.GivingBack(reason=act.reason or "-"), access, session)
        case "decline":
            workers = among(access, *WORKERS)
            await offers.decline(call, act.assignment, workers, session, offers.Passing(reason=act.reason))
        case "accept":
            await offers.accept(call, act.assignment, among(access, *WORKERS), session)


def _told(call: Call, refusal: Exception) -> dict[str, Any]:
    if isinstance(refusal, TooOld):
        return {"type": "too-old", "detail": str(TooOld.__doc__)}
    if isinstance(refusal, NotFound):
        return {"type": "gone", "detail": "It is not with you any more: it was taken back, or given to somebody else."}
    problem = refusal if isinstance(refusal, Problem) else call.app.state.refused(refusal)
    return {"type": problem.type, "detail": problem.detail}

"""The desk's first page: what waits in which queue; several taken on at once."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import select

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope, now
from lianhu_kit.problems import Problem
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api import moves
from requests_service.domain.statuses import IllegalTransition
from requests_service.domain.suggesting import suggested_summary
from requests_service.queries.queues import LATE, SHOWN, counts, waiting
from requests_service.queries.units import catalogue_at, labels_at
from requests_service.tables import Request as Order

router = APIRouter(include_in_schema=False)
Clerk = Annotated[Visitor, needs("clerk")]
NAMES = {
    "new": N_("New"), "asked": N_("Asked for more"), "to-dispatch": N_("To dispatch"), "out": N_("Out"),
    "referred": N_("Referred"), "town": N_("With the town"), "call-back": N_("To call back"), LATE: N_("Late"),
}  # fmt: skip
# Several at once only where nothing has to be written for each of them.
BULK = {"new": N_("Accept and send to volunteers"), "to-dispatch": N_("Send to volunteers")}


@router.get("/desk")
async def desk(
    request: Request, visitor: Clerk, session: Session, queue: Annotated[str, Query(max_length=20)] = "new",
    number: Annotated[str, Query(max_length=20)] = "", done: int = 0, failed: int = 0,
) -> Response:  # fmt: skip
    """A queue with what waits in it, the longest waiting first; or the request with a number."""
    at = visitor.grant.at
    await enter_scope(session, visitor.grant.scope, visitor.person)
    if number and (found := await _numbered(session, at, number)):
        return pages_of(request).go(visitor, f"/desk/{found}")
    queue = queue if queue in NAMES else "new"
    rows = await waiting(session, at, queue, now(session))
    services = {service.code: service for service in await catalogue_at(session, at[:12])}
    visitor.labels = await labels_at(session, at[:12])
    return pages_of(request).show(
        visitor, "desk/queues.html", queues=await counts(session, at, now(session)), queue=queue, names=NAMES,
        rows=rows[:SHOWN], more=len(rows) > SHOWN, services=services, bulk=BULK.get(queue), number=number,
        done=done, failed=failed,
    )  # fmt: skip


async def _numbered(session: Session, at: str, number: str) -> UUID | None:
    query = select(Order.id).where(Order.tenant == at[:12], Order.number == number.strip())
    return (await session.exec(query)).one_or_none()


@router.post("/desk/bulk/{queue}")
async def several(request: Request, visitor: Clerk, form: Guarded, queue: str) -> Response:
    """One move for all that are ticked, each in its own transaction: one that cannot go does not stop the others."""
    done = failed = 0
    chosen = [str(value) for value in form.getlist("id")][:SHOWN] if queue in BULK else []
    for given in chosen:
        try:
            async with request.app.state.database.transaction() as session:
                await _send(session, visitor, queue, UUID(given))
            done += 1
        except (Problem, IllegalTransition, ValueError):
            failed += 1
    return pages_of(request).go(visitor, f"/desk?queue={queue}&done={done}&failed={failed}")


async def _send(session: Session, visitor: Visitor, queue: str, request_id: UUID) -> dict[str, Any]:
    if queue == "to-dispatch":
        return await moves.dispatch(request_id, moves.DispatchBody(route="volunteers"), session, visitor.access)
    case = await moves.locked(session, visitor.access, request_id)
    services = {service.code: service for service in await catalogue_at(session, case.request.tenant)}
    service = services[case.request.service]
    summary = suggested_summary(service.name, service.questions, case.request.answers)
    return await moves.accept(request_id, moves.AcceptBody(summary=summary), session, visitor.access)

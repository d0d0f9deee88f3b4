"""Written orders (督办): one piece of work with all that happened to it, and the list of what stands under one."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response

from dispatch_service.api import desk
from dispatch_service.api.acting import LEADERS, among
from dispatch_service.api.assignments import read_assignment
from dispatch_service.domain.errors import Refusal
from dispatch_service.domain.states import State, allowed
from dispatch_service.domain.supervision import Standing, standing
from dispatch_service.queries.supervision import SHOWN, latest_of, supervised
from dispatch_service.web.board import NAMES
from dispatch_service.web.refusals import refused_because
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope, now
from lianhu_kit.problems import NotFound, Problem
from lianhu_kit.tokens import Grant
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_

router = APIRouter(include_in_schema=False)
SUPERVISING = ("supervisor", "clerk")
Overseer = Annotated[Visitor, needs(*LEADERS, "supervisor")]
Supervising = Annotated[Visitor, needs(*SUPERVISING)]
AssignmentId = Annotated[UUID, Path()]
KEPT = timedelta(days=30)  # for so long the list still says what became of an order
STATES = NAMES | {
    "completed": N_("Completed"), "returned": N_("Given back to the village"), "cancelled": N_("Called off"),
}  # fmt: skip
STANDINGS = {
    Standing.RUNNING: N_("There is still time"), Standing.OVERDUE: N_("Overdue"),
    Standing.DONE_IN_TIME: N_("Done in time"), Standing.DONE_LATE: N_("Done, but late"),
    Standing.ENDED: N_("Ended without being done"),
}  # fmt: skip
TONES = {Standing.RUNNING: "near", Standing.OVERDUE: "late", Standing.DONE_IN_TIME: "calm", Standing.DONE_LATE: "near"}
MOVES = {
    "offer": N_("Offered"), "escalate": N_("Told one level up"), "claim": N_("Claimed"), "decline": N_("Passed"),
    "assign": N_("Asked by name"), "order": N_("Ordered"), "accept": N_("Accepted"), "release": N_("Place given back"),
    "check-in": N_("Checked in"), "check-out": N_("Checked out"), "complete": N_("Reported done"),
    "return": N_("Given back to the village"), "remind": N_("Reminded"), "supervise": N_("Written order"),
    "cancel": N_("Called off"),
}  # fmt: skip
DONE = {"supervise": N_("The order is given; whoever has it in hand is told.")}
SENTENCES = {"until": N_("The deadline has passed already. Give a time in the future.")}


@router.get("/board/supervised")
async def under_order(request: Request, visitor: Overseer, session: Session) -> Response:
    """What stands under a written order where the visitor stands: with time left, overdue, or how it ended."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    moment = now(session)
    rows = await supervised(session, visitor.grant.at, moment - KEPT)
    orders = [(row, _standing(row, moment)) for row in rows[:SHOWN]]
    return pages_of(request).show(
        visitor, "board/supervised.html", orders=orders, more=len(rows) > SHOWN, standings=STANDINGS, tones=TONES,
        states=STATES, days=KEPT.days,
    )  # fmt: skip


@router.get("/board/requests/{request_id}")
async def of_request(
    request: Request, visitor: Overseer, session: Session, request_id: Annotated[UUID, Path()]
) -> Response:
    """On to the latest assignment of a request; NotFound where it was never dispatched, or lies elsewhere."""

    async def load(grant: Grant) -> UUID | None:
        return await latest_of(session, request_id)

    _, found = await visitor.access.locate(session, load)
    return pages_of(request).go(visitor, f"/board/{found}")


@router.get("/board/{assignment_id:uuid}")
async def one(
    request: Request, visitor: Overseer, session: Session, assignment_id: AssignmentId, done: str = ""
) -> Response:
    """One piece of work: who has it, what happened with which words, the order that it stands under."""
    return await _page(request, visitor, session, assignment_id, done=DONE.get(done, ""))


@router.post("/board/{assignment_id}/supervise")
async def supervise(request: Request, visitor: Supervising, form: Guarded, assignment_id: AssignmentId) -> Response:
    """Gives a written order with a deadline, by the call that programs use; what is refused is said at its field."""
    given: dict[str, Any] = fields_of(form, "order", "until")
    typed = dict(given)
    if "until" in given:
        given["until"] = _moment(given["until"], request.app.state.pages.zone)
    body, faults = read(desk.Order, given, visitor)
    if body is not None:
        try:
            async with request.app.state.database.transaction() as session:
                await desk.supervise(request, assignment_id, body, visitor.access, session)
            return pages_of(request).go(visitor, f"/board/{assignment_id}?done=supervise")
        except Refusal as refusal:
            told: Problem = request.app.state.refused(refusal)
            faults = (
                {error.field: visitor.say(SENTENCES.get(error.field, error.detail)) for error in told.errors}
                if told.errors
                else {"form": refused_because(visitor, told.type, told.detail)}
            )
        except Problem as problem:
            if problem.status != 422:
                raise
            faults = of_problem(problem, visitor)
    async with request.app.state.database.transaction() as session:
        return await _page(request, visitor, session, assignment_id, faults=faults, typed=typed)


async def _page(
    request: Request, visitor: Visitor, session: Session, assignment_id: UUID, *, done: str = "",
    faults: Faults | None = None, typed: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    work = await read_assignment(request, assignment_id, visitor.access, session)
    if "moves" not in work:
        raise NotFound()
    ended = max((move["at"] for move in work["moves"]), default=None)
    order = standing(
        State(work["state"]), until=work["supervised_until"], ended_at=ended, now=now(session)
    ) if work["supervised_until"] else None  # fmt: skip
    may = among(visitor.access, *SUPERVISING).grants and "supervise" in allowed(State(work["state"]))
    return pages_of(request).show(
        visitor, "board/one.html", 422 if faults else 200, work=work, order=order, standings=STANDINGS, tones=TONES,
        states=STATES, moves=MOVES, may=may, done=done, faults=faults or {}, typed=typed or {},
    )  # fmt: skip


def _standing(row: dict[str, Any], moment: datetime) -> Standing:
    return standing(State(row["state"]), until=row["supervised_until"], ended_at=row["ended_at"], now=moment)


def _moment(value: str, zone: ZoneInfo) -> datetime | str:
    """A local time as a form gives it; what is none stays as it is, to be refused at its field."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=zone)
    except ValueError:
        return value

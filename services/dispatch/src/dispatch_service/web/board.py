"""The board of a grid leader: open work by state with its clocks, people with their load, today's list on paper."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from dispatch_service.api import desk
from dispatch_service.api.acting import LEADERS
from dispatch_service.domain.errors import Refusal
from dispatch_service.queries.board import COLUMNS, open_work, people
from dispatch_service.queries.directory import labels_at
from dispatch_service.queries.volunteers import state_of
from dispatch_service.web.refusals import refused_because
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope, now
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_

router = APIRouter(include_in_schema=False)
Leader = Annotated[Visitor, needs(*LEADERS)]
AssignmentId = Annotated[UUID, Path()]
NAMES = {
    "routed": N_("To be offered"), "offered": N_("Offered"), "assigned": N_("Asked by name"),
    "claimed": N_("Claimed"), "in_progress": N_("Being done"),
}  # fmt: skip
STATES = {
    "available": N_("free"), "full": N_("full"), "away": N_("away"), "inactive": N_("not active"),
}  # fmt: skip
DONE = {
    "assign": N_("Asked by name."), "return": N_("Given back to the village."), "remind": N_("Reminded."),
}  # fmt: skip
BODIES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "assign": (desk.Naming, ("person",)),
    "return": (desk.Giving, ("reason",)),
}


@router.get("/board")
async def board(request: Request, visitor: Leader, session: Session, done: str = "") -> Response:
    """Columns by state; each card with what the leader can do."""
    return await _page(request, visitor, session, {}, done=DONE.get(done, ""))


@router.get("/board/today")
async def today(request: Request, visitor: Leader, session: Session) -> Response:
    """The list to print: what is to be done, who does it, by when. No names of residents, no addresses."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    rows = await open_work(session, visitor.grant.at)
    visitor.labels = await labels_at(session, visitor.grant.at)
    return pages_of(request).show(visitor, "board/today.html", rows=rows, names=NAMES)


@router.post("/board/{assignment_id}/{act}")
async def make_act(request: Request, visitor: Leader, form: Guarded, assignment_id: AssignmentId, act: str) -> Response:
    """Assigns, reminds or returns, by the calls that programs use."""
    if act not in ("assign", "return", "remind"):
        raise NotFound()
    faults: Faults = {}
    body: Any = None
    if act in BODIES:
        shape, names = BODIES[act]
        body, faults = read(shape, fields_of(form, *names), visitor)
    if not faults:
        try:
            async with request.app.state.database.transaction() as session:
                match act:
                    case "assign":
                        await desk.assign(request, assignment_id, body, visitor.access, session)
                    case "return":
                        await desk.give_back(request, assignment_id, body, visitor.access, session)
                    case "remind":
                        await desk.remind(request, assignment_id, visitor.access, session)
            return pages_of(request).go(visitor, f"/board?done={act}")
        except Refusal as refusal:
            told = request.app.state.refused(refusal)
            faults = {"form": refused_because(visitor, told.type, told.detail)}
        except Problem as problem:
            if problem.status != 422:
                raise
            faults = of_problem(problem, visitor)
    async with request.app.state.database.transaction() as session:
        return await _page(request, visitor, session, faults, wrong=assignment_id)


async def _page(
    request: Request, visitor: Visitor, session: Session, faults: Faults, *, done: str = "", wrong: UUID | None = None
) -> Response:
    await enter_scope(session, visitor.grant.scope, visitor.person)
    rows = await open_work(session, visitor.grant.at)
    visitor.labels = await labels_at(session, visitor.grant.at)
    crew = await people(session, visitor.grant.at)
    columns = [(state.value, NAMES[state.value], [row for row in rows if row["state"] == state]) for state in COLUMNS]
    moment = now(session)
    return pages_of(request).show(
        visitor, "board/board.html", 422 if faults else 200, columns=columns, faults=faults, done=done, wrong=wrong,
        crew=[(person, state_of(person, moment)) for person in crew], states=STATES, empty=not rows,
    )  # fmt: skip

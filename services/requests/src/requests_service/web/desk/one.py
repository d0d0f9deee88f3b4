"""One request on the desk: what is known of it, what may be the same matter, and every move that it allows."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import col, select

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.photos import SHOWS
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api.doors import Zone
from requests_service.api.endings import only
from requests_service.api.reads import duplicates
from requests_service.domain.access import Contact
from requests_service.domain.statuses import Status, allowed
from requests_service.domain.suggesting import suggested_summary
from requests_service.domain.undoing import NothingToUndo, UndoOver
from requests_service.handlers import undoing
from requests_service.handlers.case import Case
from requests_service.handlers.contacting import read_contact, right_of
from requests_service.handlers.sampling import Draw, to_note
from requests_service.queries import requests, story
from requests_service.queries.finding import name_of
from requests_service.queries.photos import photos_of, small_photos_of
from requests_service.queries.reach import find
from requests_service.queries.units import catalogue_at, labels_at, units_under
from requests_service.tables import OrgUnit, Person, PersonRole
from requests_service.web.desk.forms import FORMS, body_of, offered
from requests_service.web.desk.villages import put_codes
from requests_service.web.order_forms import ABOUT
from requests_service.web.words_of_photos import can_add
from requests_service.web.words_of_residents import STEPS

router = APIRouter(include_in_schema=False)
ROLES = ("clerk", "branch_secretary", "grid_leader", "supervisor")
Desk = Annotated[Visitor, needs(*ROLES)]
RequestId = Annotated[UUID, Path()]
TOWN = 9  # digits of a town's code
STAFF = ("grid_worker", "grid_leader", "branch_secretary", "clerk")
UNDONE = N_("Taken back within a minute")
NOT_UNDONE = {
    UndoOver: N_("The minute to take it back is over. Make the move that leads on from here."),
    NothingToUndo: N_("There is nothing of yours to take back: it has moved on meanwhile."),
}
MOVED_ON = N_("It has moved on meanwhile; look at what it allows now.")


@router.get("/desk/{request_id}")
async def one(request: Request, visitor: Desk, session: Session, request_id: RequestId, done: str = "") -> Response:
    """The request as the visitor's role sees it."""
    return await show(request, visitor, session, request_id, done=done if done in FORMS or done == "undo" else "")


@router.post("/desk/{request_id}/contact")
async def open_contact(
    request: Request, visitor: Desk, form: Guarded, session: Session, request_id: RequestId
) -> Response:
    """Opens the contact details; the look is in the audit log before they are shown."""
    grant, order = await find(session, visitor.access, request_id)
    case = Case(session, order, visitor.person)
    details = await read_contact(case, role=grant.role, person=visitor.person, draw=draw_of(request))
    return await show(request, visitor, session, request_id, contact=details)


@router.post("/desk/{request_id}/undo")
async def take_back(request: Request, visitor: Desk, form: Guarded, request_id: RequestId) -> Response:
    """Takes the visitor's own last move back within a minute; later it says in words why not."""
    database = request.app.state.database
    try:
        async with database.transaction() as session:
            _, order = await find(session, visitor.access, request_id, lock=True)
            case = Case(session, order, visitor.person)
            await undoing.undo(case, visitor.person, reason=visitor.say(UNDONE))
        return pages_of(request).go(visitor, f"/desk/{request_id}?done=undo")
    except (NothingToUndo, UndoOver) as refusal:
        faults = {"form": visitor.say(NOT_UNDONE[type(refusal)])}
    async with database.transaction() as session:
        return await show(request, visitor, session, request_id, faults=faults)


@router.post("/desk/{request_id}/{move}")
async def make_move(
    request: Request, visitor: Desk, form: Guarded, request_id: RequestId, move: str, zone: Zone
) -> Response:
    """Makes a move, by the same call that programs use; what is refused is said at its field."""
    chosen = FORMS.get(move)
    if chosen is None:
        raise NotFound()
    faults: Faults = {}
    given: Any = None
    database = request.app.state.database
    if chosen.body is not None:
        body = body_of(chosen, form, request.app.state.pages.zone)
        unfound = await put_codes(database, chosen, body, visitor)
        given, faults = read(chosen.body, body, visitor)
        faults |= unfound
    if not faults:
        values: dict[str, Any] = {"session": None, "access": only(visitor.access, *chosen.roles)}
        values |= {"body": given} if chosen.body is not None else {}
        values |= {"zone": zone} if chosen.zone else {}
        try:
            async with database.transaction() as session:
                await chosen.call(request_id, **{**values, "session": session})
            return pages_of(request).go(visitor, f"/desk/{request_id}?done={move}")
        except Problem as problem:
            if problem.status in (401, 404, 503):
                raise
            faults = of_problem(problem, visitor)
        except tuple(request.app.state.refusals) as refusal:
            told: Problem = request.app.state.refusals[type(refusal)](refusal)
            moved_on = told.type == "illegal-transition"
            faults = {"form": visitor.say(MOVED_ON)} if moved_on else of_problem(told, visitor)
    async with database.transaction() as session:
        typed = {name: str(value) for name, value in form.items() if isinstance(value, str)}
        return await show(request, visitor, session, request_id, faults=faults, at=move, typed=typed)


def draw_of(request: Request) -> Draw:
    """How samples are drawn in this deployment."""
    return Draw(request.app.state.served_key, request.app.state.zone)


async def show(
    request: Request, visitor: Visitor, session: Session, request_id: UUID, *, done: str = "",
    contact: dict[str, Any] | None = None, faults: Faults | None = None, at: str = "",
    typed: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The page of a request as the visitor's role sees it, with what they typed and what is wrong with it."""
    grant, order = await find(session, visitor.access, request_id)
    visitor.labels = await labels_at(session, order.tenant)
    seen = await requests.read(session, order, grant, visitor.person)
    steps = await story.timeline(session, request_id)
    services = {service.code: service for service in await catalogue_at(session, order.tenant)}
    service = services.get(order.service)
    alike = []
    if grant.role == "clerk":
        alike = (await duplicates(request_id, session, only(visitor.access, "clerk")))["items"]
    moves = offered(allowed(Status(order.status)), visitor.access.roles)
    draft = suggested_summary(service.name, service.questions, order.answers) if service else ""
    case = Case(session, order, visitor.person)
    sampled = grant.role == "supervisor" and await to_note(case, draw_of(request))
    undoable = bool(done) and await undoing.undoable(case, visitor.person)
    right = await right_of(case, role=grant.role, person=visitor.person)
    photos = await (small_photos_of if right is Contact.YES else photos_of)(session, order.id)
    values = {
        "photos": photos, "shows": SHOWS, "can_add": can_add(order.status) and grant.role == "clerk",
        "undoable": undoable,
        "sampled": sampled, "seen": seen, "steps": steps, "service": service, "alike": alike, "moves": moves,
        "done": done, "contact": contact, "faults": faults or {}, "at": at, "typed": typed or {},
        "draft": order.summary or draft, "about": ABOUT, "forms": FORMS, "step_words": STEPS,
        "village": await name_of(session, order.tenant),
        "grids": [unit for unit in await units_under(session, order.tenant, None, 60) if unit.level == "grid"],
        "staff": await _staff(session, order.tenant, visitor),
        "villages": await _villages_beside(session, order.tenant),
    }  # fmt: skip
    return pages_of(request).show(visitor, "desk/one.html", 422 if faults else 200, **values)


async def _villages_beside(session: Session, tenant: str) -> list[OrgUnit]:
    """The other villages of the town, to pass a request to."""
    units = await units_under(session, tenant[:TOWN], None, 400)
    return [unit for unit in units if unit.level == "village" and unit.code != tenant]


async def _staff(session: Session, tenant: str, visitor: Visitor) -> list[tuple[UUID, str]]:
    """Who can be ordered, of the village and its grids."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    found = await session.exec(
        select(Person.id, Person.name)
        .join(PersonRole, col(PersonRole.person) == col(Person.id))
        .where(col(PersonRole.role).in_(STAFF), PersonRole.at >= tenant, PersonRole.at < tenant + ":", Person.active)
        .distinct()
        .order_by(col(Person.name))
        .limit(60)
    )
    return [(person, name) for person, name in found]

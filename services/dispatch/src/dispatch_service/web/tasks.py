"""A volunteer's pages: what is offered, what they hold, one of them with its acts, the record of service."""

import asyncio
import csv
import io
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi import Request as Call

from dispatch_service.api import acts, offers, work
from dispatch_service.api.acting import WORKERS, WORKING, among
from dispatch_service.domain.errors import Refusal
from dispatch_service.domain.nearness import Nearness, nearness
from dispatch_service.queries import assignments, records
from dispatch_service.queries.assignments import Filter
from dispatch_service.queries.directory import labels_at, volunteer
from dispatch_service.web.refusals import refused_because
from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.contacts import Read, contact_of
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.photos import NOT_YOURS, SHOWS, Listed, PassedOn, file_of, pass_on, photos_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_

router = APIRouter(include_in_schema=False)
Worker = Annotated[Visitor, needs(*WORKING)]
AssignmentId = Annotated[UUID, Path()]
DISTANCES = {
    Nearness.OWN_GRID: N_("in your grid"),
    Nearness.OWN_VILLAGE: N_("in your village"),
    Nearness.ELSEWHERE: N_("in another village"),
}
DONE = {
    "claim": N_("It is yours now. The contact stands below."),
    "accept": N_("It is yours now. The contact stands below."),
    "decline": N_("You passed. Nobody minds."),
    "release": N_("You gave it back; somebody else is asked."),
    "check-in": N_("Checked in."),
    "check-out": N_("Checked out. Now report what was done."),
    "complete": N_("Thank you. The resident is asked whether it is solved."),
}
NOTES = {
    **DONE,
    "reported": N_("It is reported done. The photo could not be sent; you can add it here."),
    "photo": N_("The photo is with the order."),
}
BODIES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "release": (work.GivingBack, ("reason",)),
    "check-in": (work.Arrival, ("place",)),
    "check-out": (work.Departure, ()),
    "complete": (work.Report, ("result", "minutes", "served_person_times")),
    "decline": (offers.Passing, ("reason",)),
}
GONE = N_("It is not with you any more: it was taken back, or given to somebody else.")


@router.get("/tasks")
async def tasks(request: Request, visitor: Worker, session: Session, done: str = "") -> Response:
    """What I hold, then what is offered to me with why, how far and how long."""
    held, offered = await _mine(session, visitor, "held"), await _mine(session, visitor, "offered")
    me = await volunteer(session, visitor.person)
    visitor.labels = await labels_at(session, me.tenant if me else visitor.grant.at)
    for row in offered:
        near = nearness(me.grid if me else None, me.tenant if me else "", row["grid"], row["tenant"])
        row["distance"] = DISTANCES[near]
    return pages_of(request).show(
        visitor, "tasks/list.html", held=held, offered=offered, known=me is not None, done=DONE.get(done, "")
    )


async def _mine(session: Session, visitor: Visitor, which: Any) -> list[dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = {}
    for grant in visitor.access.grants:
        await enter_scope(session, grant.scope, visitor.person)
        wanted = Filter(person=visitor.person, scope=grant.scope, own=True, mine=which, limit=50)
        for row in await assignments.page(session, wanted):
            found[row["id"]] = {**row, "why": assignments.item(row, visitor.language).get("why")}
    return list(found.values())


@router.get("/tasks/record")
async def record(request: Request, visitor: Worker, session: Session) -> Response:
    """My record of service: hours by month, and what I did."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    months = await records.months(session, visitor.person, request.app.state.settings.timezone)
    rows = await records.done(session, visitor.person)
    return pages_of(request).show(visitor, "tasks/record.html", months=months, rows=rows)


@router.get("/tasks/record.csv")
async def record_file(request: Request, visitor: Worker, session: Session) -> Response:
    """The same to keep, as CSV (RFC 4180) with a byte order mark, so that spreadsheets read Chinese."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    rows = records.lines(await records.done(session, visitor.person))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["completed_at", "number", "service", "summary", "minutes", "served_person_times"])
    writer.writerows([[_plain(value) for value in row] for row in rows])
    return pages_of(request).download(visitor, b"\xef\xbb\xbf" + out.getvalue().encode(), "text/csv", "record.csv")


def _plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


@router.get("/tasks/worker.js")
async def service_worker(request: Request, visitor: Worker) -> Response:
    """What keeps the pages of held work readable without signal; it may only see pages under /tasks."""
    answer = await pages_of(request).static.answer(request, "worker.js")
    answer.headers["Service-Worker-Allowed"] = "/tasks"
    answer.headers["Cache-Control"] = "no-cache"
    # A worker has a policy of its own: it may ask for our pages, and nothing else.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
    return answer


@router.post("/tasks/acts")
async def kept_acts(call: Call, visitor: Worker, form: Guarded, body: acts.ActsBody) -> dict[str, Any]:
    """What a phone kept while it had no signal: as `POST /v1/acts`, with the page's own proof."""
    answer = await acts.take_acts(call, body, visitor.access)
    for item in answer["items"]:
        if item["outcome"] == "refused":
            item["detail"] = refused_because(visitor, item["type"], item["detail"])
    return answer


@router.get("/tasks/{assignment_id}")
async def task(
    request: Request, visitor: Worker, session: Session, assignment_id: AssignmentId, done: str = ""
) -> Response:
    """One of what is offered to me or what I hold, with all that I can do now."""
    row = await one_of(session, visitor, assignment_id)
    if row is None:
        return pages_of(request).show(visitor, "tasks/gone.html", 404, gone=GONE)
    return await page_of(request, visitor, row, {}, done=NOTES.get(done, ""))


@router.post("/tasks/{assignment_id}/{act}")
async def make_act(request: Request, visitor: Worker, form: Guarded, assignment_id: AssignmentId, act: str) -> Response:
    """Carries an act out by the call that programs use; what is refused is said in words."""
    if act not in DONE:
        raise NotFound()
    faults: Faults = {}
    body: Any = None
    if act in BODIES:
        shape, names = BODIES[act]
        body, faults = read(shape, fields_of(form, *names), visitor)
    database, photo = request.app.state.database, PassedOn()
    if act == "complete" and not faults and (content := await file_of(form)):
        photo = await send_photo(request, visitor, assignment_id, content)
        faults = {"photo": visitor.say(photo.why)} if photo.wrong_file else {}
        body = body.model_copy(update={"evidence": ["photo"] if photo.sent else []})
    if not faults:
        try:
            await _carry_out(request, visitor, assignment_id, act, body)
            if photo.why:
                return pages_of(request).go(visitor, f"/tasks/{assignment_id}?done=reported")
            onward = "/tasks" if act in ("decline", "release", "complete") else f"/tasks/{assignment_id}"
            return pages_of(request).go(visitor, f"{onward}?done={act}")
        except Refusal as refusal:
            told = request.app.state.refused(refusal)
            faults = {"form": refused_because(visitor, told.type, told.detail)}
        except Problem as problem:
            if problem.status != 422:
                raise
            faults = of_problem(problem, visitor)
    async with database.transaction() as session:
        row = await one_of(session, visitor, assignment_id)
    if row is None:
        return pages_of(request).show(visitor, "tasks/gone.html", 409, gone=GONE)
    names = BODIES[act][1] if act in BODIES else ()
    return await page_of(request, visitor, row, faults, status=422, typed=fields_of(form, *names))


async def send_photo(request: Request, visitor: Visitor, assignment_id: UUID, content: bytes) -> PassedOn:
    """Sends a photo of work of the visitor's on to requests, as the visitor; no transaction is open meanwhile."""
    async with request.app.state.database.transaction() as session:
        row = await one_of(session, visitor, assignment_id)
    if row is None or row["mine"] is None or visitor.caller is None:
        return PassedOn(why=NOT_YOURS)
    return await pass_on(request.app.state.settings.requests_url, visitor.caller.token, row["request_id"], content)


async def _carry_out(request: Request, visitor: Visitor, assignment_id: UUID, act: str, body: Any) -> None:
    workers, database = among(visitor.access, *WORKERS), request.app.state.database
    if act == "claim":
        await offers.claim(request, assignment_id, workers)
        return
    async with database.transaction() as session:
        match act:
            case "accept":
                await offers.accept(request, assignment_id, workers, session)
            case "decline":
                await offers.decline(request, assignment_id, workers, session, body)
            case "release":
                await work.release(request, assignment_id, body, visitor.access, session)
            case "check-in":
                await work.check_in(request, assignment_id, visitor.access, session, body)
            case "check-out":
                await work.check_out(request, assignment_id, visitor.access, session, body)
            case "complete":
                await work.complete(request, assignment_id, body, visitor.access, session)


async def one_of(session: Session, visitor: Visitor, assignment_id: UUID) -> dict[str, Any] | None:
    """A piece of work that is offered to the visitor or was theirs, None for any other."""
    for grant in visitor.access.grants:
        await enter_scope(session, grant.scope, visitor.person)
        wanted = Filter(person=visitor.person, own=True, id=assignment_id, limit=1)
        rows = await assignments.page(session, wanted)
        if rows:
            visitor.labels = await labels_at(session, rows[0]["tenant"])
            holding = await assignments.details(session, assignment_id)
            mine = [each for each in holding["holders"] if each["person"] == visitor.person and not each["ended_at"]]
            row = rows[0]
            why = assignments.item(row, visitor.language).get("why")
            return {**row, "why": why, "mine": mine[0] if mine else None}
    return None


async def page_of(
    request: Request, visitor: Visitor, row: dict[str, Any], faults: Faults, *, done: str = "", status: int = 200,
    typed: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """The page of a piece of work, with the contact and the photos while the visitor holds it."""
    mine = row["mine"]
    holds = mine is not None and mine["completed_at"] is None and row["state"] not in ("returned", "cancelled")
    contact, listed = Read(), Listed()
    if holds and visitor.caller is not None:
        asked = request.app.state.settings.requests_url, visitor.caller.token, row["request_id"]
        contact, listed = await asyncio.gather(contact_of(*asked), photos_of(*asked))
    offered = not holds and bool(row["offer_open"]) and row["state"] in ("offered", "assigned")
    return pages_of(request).show(
        visitor, "tasks/one.html", status, task=row, mine=mine, holds=holds, offered=offered,
        by_name=row["asked"] == visitor.person, contact=contact, faults=faults, done=done, typed=typed or {},
        photos=listed.photos, shows=SHOWS,
    )  # fmt: skip

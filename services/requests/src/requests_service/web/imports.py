"""Lists by pages: send one in, see what it would change, apply it, take it back; and get lists out."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from lianhu_web.guarding import Guarded, text_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api.importing import accept, ask, download, find, is_checked
from requests_service.domain.imports import RUNNING, LinesWrong, NotNow, allowed
from requests_service.domain.list_faults import sentence
from requests_service.domain.sheets import COLUMNS, KINDS, label
from requests_service.handlers.exporting import KINDS_OF_FILE
from requests_service.queries.imports import imports_under, lines_of
from requests_service.tables import Import, ImportLine

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]
LISTED = 20
SHOWN = 100
NAMES = {
    "units": N_("Villages and grids"), "groups": N_("Household groups"), "households": N_("Households"),
    "people": N_("People"), "linking": N_("Who looks after which household"),
}  # fmt: skip
STATES = {
    "checking": N_("Being checked"), "ready": N_("Checked"), "applying": N_("Being applied"),
    "applied": N_("Applied"), "undoing": N_("Being taken back"), "undone": N_("Taken back"),
    "failed": N_("Not applied"),
}  # fmt: skip
COUNTED = {
    "new": N_("Added"), "changed": N_("Changed"), "same": N_("Unchanged"), "wrong": N_("Wrong"),
}  # fmt: skip
# A record's fields by the columns of its list, where they are not named alike.
_COLUMNS = {"tenant": "village", "group_code": "group", "linking_person": "linking"}


@router.get("/desk/imports")
async def lists(request: Request, visitor: Admin, session: Session) -> Response:
    """Where lists are sent in, and those that were."""
    return await _lists(request, visitor, session, {})


async def _lists(
    request: Request, visitor: Visitor, session: Session, faults: dict[str, str], kind: str = ""
) -> Response:
    await enter_scope(session, visitor.grant.scope, visitor.access.person)
    known = await imports_under(session, visitor.grant.at, None, LISTED)
    columns = {
        kind: [(label(kind, each.name, visitor.language), each.needed) for each in COLUMNS[kind]] for kind in KINDS
    }
    return pages_of(request).show(
        visitor, "imports/lists.html", 422 if faults else 200, known=known, faults=faults, kind=kind, columns=columns,
        names=NAMES, states=STATES,
    )  # fmt: skip


@router.post("/desk/imports")
async def send_in(request: Request, visitor: Admin, form: Guarded, session: Session) -> Response:
    """Takes a list in and goes on to it."""
    kind, file = text_of(form, "kind"), form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    faults: dict[str, str] = {}
    if kind not in KINDS:
        faults["kind"] = visitor.say(N_("Choose what the list holds."))
    if not content:
        faults["file"] = visitor.say(N_("Choose a file; it must not be empty."))
    if faults or kind is None:
        return await _lists(request, visitor, session, faults, kind or "")
    work = await accept(request, visitor.access, kind, visitor.grant, visitor.grant.at, content)
    return pages_of(request).go(visitor, f"/desk/imports/{work.id}")


@router.get("/desk/imports/{import_id}")
async def one(
    import_id: UUID,
    request: Request,
    visitor: Admin,
    session: Session,
    after: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
) -> Response:
    """How far it is; then what is wrong, what would change, and what can be done. It looks again by itself."""
    known = await find(session, visitor.access, import_id)
    return await _one(request, visitor, session, known, after)


async def _one(
    request: Request, visitor: Visitor, session: Session, known: Import, after: int | None = None, fault: str = ""
) -> Response:
    running = known.state in RUNNING.values()
    lines = {
        status: [] if running else await lines_of(session, known.id, status, after, SHOWN + 1)
        for status in ("wrong", "changed", "new")
    }
    problem = known.problem
    return pages_of(request).show(
        visitor, "imports/one.html", 409 if fault else 200,
        known=known, running=running, names=NAMES, states=STATES, counted=COUNTED, fault=fault,
        can=allowed(known.state, checked=is_checked(known)),
        problem=sentence(problem["code"], problem["values"], visitor.language) if problem else "",
        obstacles=[(each["line"], sentence(each["code"], {}, visitor.language)) for each in known.obstacles],
        wrong=[
            (line.line, label(known.kind, each["column"], visitor.language),
             sentence(each["code"], each["values"], visitor.language))
            for line in lines["wrong"][:SHOWN] for each in line.faults
        ],
        changes={
            status: [(line.line, _changes(line, known.kind, visitor.language)) for line in lines[status][:SHOWN]]
            for status in ("changed", "new")
        },
        more=max((found[SHOWN - 1].line for found in lines.values() if len(found) > SHOWN), default=None),
    )  # fmt: skip


def _changes(line: ImportLine, kind: str, language: str) -> list[tuple[str, str, str]]:
    """What a line changes: the column's name, what stands there, what would."""
    before, after = _flat(line.before), _flat(line.after)
    return [
        (label(kind, _COLUMNS.get(name, name), language) or name, _words(before.get(name)), _words(value))
        for name, value in after.items()
        if before.get(name) != value and (value not in (None, [], "") or name in before)
    ]


def _flat(state: dict[str, Any] | None) -> dict[str, Any]:
    held = dict(state or {})
    return {**held, **(held.pop("volunteer", None) or {})} if "volunteer" in held else held


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "；".join(_words(each) for each in value)
    if isinstance(value, dict):
        return "@".join(str(part) for part in (value["role"], value["at"]) if part)
    return "" if value is None else str(value)


@router.post("/desk/imports/{import_id}/{step}")
async def act(
    import_id: UUID, step: str, request: Request, visitor: Admin, form: Guarded, session: Session
) -> Response:
    """Checks it again, applies it, or takes it back, and goes on to look."""
    if step not in RUNNING:
        raise NotFound()
    try:
        await ask(request, visitor.access, import_id, step, skip_errors=text_of(form, "skip_errors") == "yes")
    except NotNow:
        pass  # a second click, or a page that was open for long: how it stands is shown
    except LinesWrong:
        known = await find(session, visitor.access, import_id)
        fault = N_("Some lines are wrong. Tick that they stay out, or mend the list and send it in again.")
        return await _one(request, visitor, session, known, fault=visitor.say(fault))
    return pages_of(request).go(visitor, f"/desk/imports/{import_id}")


@router.get("/desk/exports")
async def exports(request: Request, visitor: Admin) -> Response:
    """Lists to take out, in the form in which they come in."""
    return pages_of(request).show(visitor, "imports/exports.html", names=NAMES, forms=list(KINDS_OF_FILE))


@router.get("/desk/exports/{kind}.{form}")
async def send_out(kind: str, form: str, visitor: Admin, session: Session) -> StreamingResponse:
    """One of them."""
    if kind not in KINDS or form not in KINDS_OF_FILE:
        raise NotFound()
    await enter_scope(session, visitor.grant.scope, visitor.access.person)
    return await download(session, visitor.access, kind, visitor.grant.at, form, visitor.language)

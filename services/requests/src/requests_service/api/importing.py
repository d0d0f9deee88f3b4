"""Lists of people, households, groups, grids: sent in, looked at, applied, taken back; and out again."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, DivisionCode, Page, Session, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.door import Upload
from lianhu_kit.problems import FieldError, Invalid, NotFound
from lianhu_kit.tokens import Grant
from requests_service.api.endings import person_of
from requests_service.domain.imports import allowed
from requests_service.domain.list_faults import sentence
from requests_service.domain.sheets import label
from requests_service.handlers.exporting import KINDS_OF_FILE, export
from requests_service.handlers.importing.running import Running
from requests_service.handlers.importing.starting import begin, notice_silence, take_in
from requests_service.handlers.importing.work import Work
from requests_service.queries import imports
from requests_service.tables import Import, ImportLine

router = APIRouter(tags=["lists"])
Admin = Annotated[Access, permits("admin")]
Kind = Literal["units", "groups", "households", "people", "linking"]
LARGEST = 20 * 1024 * 1024
SECONDS = 120.0
_KINDS = frozenset(
    {
        b"text/csv", b"application/csv", b"text/plain", b"application/octet-stream", b"multipart/form-data",
        b"application/vnd.ms-excel", b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)  # fmt: skip
UPLOADS = tuple(
    Upload(path, LARGEST, SECONDS, _KINDS) for path in ("/v1/imports", "/v1/people/import", "/desk/imports")
)
At = Annotated[DivisionCode | None, Query(description="which of your places, where you are responsible for several")]


class ApplyBody(Body):
    """With `skip_errors` the good lines are applied and the wrong ones stay out."""

    skip_errors: bool = False


def place_of(access: Access, at: str | None) -> Grant:
    """The caller's grant for a code, or their widest; NotFound for a code beyond their reach."""
    fitting = [grant for grant in access.grants if at is None or at.startswith(grant.at)]
    if not fitting:
        raise NotFound()
    return min(fitting, key=lambda grant: len(grant.at))


def running_of(request: Request) -> Running:
    """The work on imports of this process."""
    running: Running = request.app.state.importing
    return running


async def content_of(request: Request) -> bytes:
    """The file of a call, sent as the body or as a form's first file; the door has bounded its length and time."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await request.form(max_files=1, max_fields=10)
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        content = await file.read() if file is not None else b""
    else:
        content = bytearray()  # type: ignore[assignment]
        async for part in request.stream():
            content += part
    if not content:
        raise Invalid([FieldError("body", "There is no file in it. Send a CSV or xlsx file.")])
    return bytes(content)


async def accept(request: Request, access: Access, kind: str, grant: Grant, at: str, content: bytes) -> Work:
    """Keeps a list that is here whole, commits, and begins to check it."""
    async with request.app.state.database.transaction() as session:
        await enter_scope(session, grant.scope, access.person)
        work = await take_in(session, kind, at, person_of(access), content)
    running_of(request).start(work)
    return work


async def receive(request: Request, access: Access, kind: str, at: str | None) -> Work:
    """Takes a list in; its transaction begins once it is here."""
    grant = place_of(access, at)
    return await accept(request, access, kind, grant, at or grant.at, await content_of(request))


async def ask(request: Request, access: Access, wanted: UUID, step: str, *, skip_errors: bool = False) -> Work:
    """Begins a step of an import in the caller's reach, committed before the work starts."""
    async with request.app.state.database.transaction() as session:
        known = await find(session, access, wanted, lock=True)
        work = await begin(session, known, step, skip_errors=skip_errors)
    running_of(request).start(work)
    return work


async def find(session: Session, access: Access, wanted: UUID, *, lock: bool = False) -> Import:
    """An import of a place within the caller's reach, its state brought up to date; NotFound for all others."""

    async def load(grant: Grant) -> Import | None:
        found = await imports.import_of(session, wanted, lock=lock)
        return found if found is not None and found.at.startswith(grant.at) else None

    _, known = await access.locate(session, load)
    await notice_silence(session, known)
    return known


def told(code: str, values: dict[str, Any], kind: str, column: str = "") -> dict[str, Any]:
    """A fault in both languages."""
    said: dict[str, Any] = {"code": code}
    if column:
        said["column"] = {"en": label(kind, column, "en"), "zh": label(kind, column, "zh-CN")}
    return {**said, "en": sentence(code, values, "en"), "zh": sentence(code, values, "zh-CN")}


def shown(known: Import) -> dict[str, Any]:
    """An import as it is told."""
    problem = known.problem
    return {
        "id": known.id, "kind": known.kind, "at": known.at, "state": known.state, "lines": known.lines,
        "done": known.done, "total": known.total, "counts": known.counts, "skip_errors": known.skip_errors,
        "problem": told(problem["code"], problem["values"], known.kind) if problem else None,
        "obstacles": [{"line": each["line"], **told(each["code"], {}, known.kind)} for each in known.obstacles],
        "allowed": allowed(known.state, checked=is_checked(known)),
        "created_at": known.created_at, "applied_at": known.applied_at, "undone_at": known.undone_at,
    }  # fmt: skip


def is_checked(known: Import) -> bool:
    """Whether the lines that are kept are those that people looked at."""
    return known.counts is not None and (known.problem or {}).get("code") != "moved-on"


def shown_line(kind: str, line: ImportLine) -> dict[str, Any]:
    """A line as it is told: what is wrong with it, or what changes."""
    before, after = line.before or {}, line.after or {}
    return {
        "line": line.line,
        "status": line.status,
        "errors": [told(fault["code"], fault["values"], kind, fault["column"]) for fault in line.faults],
        "changes": {
            name: {"before": before.get(name), "after": value}
            for name, value in after.items()
            if before.get(name) != value
        },
    }


@router.post("/v1/imports", status_code=202, openapi_extra={"requestBody": {"content": {"text/csv": {}}}})
async def send_in(
    request: Request, access: Admin, kind: Annotated[Kind, Query(examples=["people"])], at: At = None
) -> dict[str, Any]:
    """Takes a list of up to 20 MB in and begins to hold it against the directory; look at it by its id."""
    work = await receive(request, access, kind, at)
    return {"id": work.id, "kind": kind, "state": "checking"}


@router.post("/v1/people/import", status_code=202, openapi_extra={"requestBody": {"content": {"text/csv": {}}}})
async def send_people_in(request: Request, access: Admin, at: At = None) -> dict[str, Any]:
    """The same for a list of people."""
    work = await receive(request, access, "people", at)
    return {"id": work.id, "kind": "people", "state": "checking"}


@router.get("/v1/imports")
async def list_imports(session: Session, access: Admin, page: Page, at: At = None) -> dict[str, Any]:
    """Imports of the caller's place, the newest first."""
    grant = place_of(access, at)
    await enter_scope(session, grant.scope, access.person)
    rows = await imports.imports_under(session, at or grant.at, page.after_id, page.limit + 1)
    items = [shown(row) for row in rows]
    return page_of(items, page.limit, [rows[page.limit - 1].id] if len(rows) > page.limit else None)


@router.get("/v1/imports/{import_id}")
async def look(import_id: UUID, session: Session, access: Admin) -> dict[str, Any]:
    """How far an import is, what it would change or changed, what is wrong, and what can be done next."""
    return shown(await find(session, access, import_id))


@router.get("/v1/imports/{import_id}/lines")
async def look_at_lines(
    import_id: UUID,
    session: Session,
    access: Admin,
    page: Page,
    status: Literal["new", "changed", "wrong", "erased"] | None = None,
) -> dict[str, Any]:
    """Its lines that are new, changed or wrong, with errors by column in words and what changes from what."""
    known = await find(session, access, import_id)
    place = page.place(int)
    rows = await imports.lines_of(session, import_id, status, place[0] if place else None, page.limit + 1)
    items = [shown_line(known.kind, row) for row in rows]
    return page_of(items, page.limit, [rows[page.limit - 1].line] if len(rows) > page.limit else None)


@router.post("/v1/imports/{import_id}/check", status_code=202)
async def check_again(import_id: UUID, request: Request, access: Admin) -> dict[str, Any]:
    """Holds the list against the directory once more, as it is now."""
    await ask(request, access, import_id, "check")
    return {"id": import_id, "state": "checking"}


@router.post("/v1/imports/{import_id}/apply", status_code=202)
async def apply_it(import_id: UUID, request: Request, access: Admin, body: ApplyBody | None = None) -> dict[str, Any]:
    """Applies all that is new and changed in one transaction; 409 `lines-wrong` unless wrong lines may stay out."""
    await ask(request, access, import_id, "apply", skip_errors=body.skip_errors if body else False)
    return {"id": import_id, "state": "applying"}


@router.post("/v1/imports/{import_id}/undo", status_code=202)
async def undo_it(import_id: UUID, request: Request, access: Admin) -> dict[str, Any]:
    """Takes an import back while nothing it made was changed since; else `obstacles` say what stands in the way."""
    await ask(request, access, import_id, "undo")
    return {"id": import_id, "state": "undoing"}


@router.get("/v1/exports/{kind}.{form}", response_class=StreamingResponse)
async def send_out(
    kind: Annotated[Kind, Path(examples=["people"])],
    form: Annotated[Literal["csv", "xlsx"], Path(examples=["csv"])],
    session: Session,
    access: Admin,
    at: At = None,
    language: Literal["zh-CN", "en"] = "zh-CN",
) -> StreamingResponse:
    """All that lies under the caller's place as a list in the form of imports; that it was made is recorded."""
    grant = place_of(access, at)
    await enter_scope(session, grant.scope, access.person)
    return await download(session, access, kind, at or grant.at, form, language)


async def download(session: Session, access: Access, kind: str, at: str, form: str, language: str) -> StreamingResponse:
    """A list as a file to keep, sent as it is read."""
    file = await export(session, kind, at, person_of(access), form, language)

    def parts() -> Iterator[bytes]:
        with file:
            while part := file.read(65_536):
                yield part

    headers = {"Content-Disposition": f'attachment; filename="{kind}-{at}.{form}"'}
    return StreamingResponse(parts(), media_type=KINDS_OF_FILE[form], headers=headers)

"""The monthly bulletin (月通报): read as it stands, issued as it is frozen, as page, PDF, xlsx or CSV."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, tzinfo
from importlib.resources import files
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Path, Query, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from lianhu_kit.access import Access, permits
from lianhu_kit.api import DivisionCode, Session
from lianhu_kit.database import enter_scope
from lianhu_kit.divisions import covers
from lianhu_kit.problems import FieldError, Invalid, NotFound, Unavailable
from reporting_service.api.files import file_of
from reporting_service.domain.changes import Change, changes
from reporting_service.domain.figures import FIGURES
from reporting_service.domain.periods import period_span
from reporting_service.domain.rates import formulas
from reporting_service.domain.sheets import table, value
from reporting_service.handlers.bulletins import issue, write
from reporting_service.queries import names, snapshots
from reporting_service.queries.bulletins import issues
from reporting_service.settings import Settings
from reporting_service.tables import BulletinRow

router = APIRouter(prefix="/v1/bulletins", tags=["bulletins"])
READERS = ("clerk", "supervisor", "operator", "grid_leader", "branch_secretary", "admin")
Reader = Annotated[Access, permits(*READERS)]
Issuer = Annotated[Access, permits("clerk", "supervisor")]
Org = Annotated[DivisionCode, Path(examples=["441702008"])]
Period = Annotated[str, Path(max_length=7, examples=["2026-10"])]
Form = Literal["json", "html", "pdf", "xlsx", "csv"]
PDF_SECONDS = 30
# One PDF at a time: a page takes a processor for seconds. Who gave up waiting is not printed.
_PRESS = ThreadPoolExecutor(1, thread_name_prefix="bulletins")


class Bulletin(NamedTuple):
    """A bulletin as it is shown: what it says, and which revision it is; revision 0 is a draft of what stands now."""

    content: dict[str, Any]
    revision: int
    issued_at: datetime | None
    revisions: int
    checksum: str | None = None
    changed: tuple[Change, ...] = ()


@router.get("/{org}/{period}", response_model=None)
async def read_bulletin(
    request: Request, access: Reader, session: Session, org: Org, period: Period, form: Form = "json",
    revision: Annotated[int | None, Query(ge=0, le=10_000, description="0 is a draft of what stands now")] = None,
) -> Any:  # fmt: skip
    """The newest issue of a bulletin, or the revision asked for; a draft, marked so, where none was issued.

    `changed` is what it says otherwise than the issue before it. `form` is json, html, pdf, xlsx or csv. 503 for a PDF
    where the system lacks what makes it; the other forms go on.
    """
    found = await bulletin_of(request, access, session, org, period, revision)
    settings: Settings = request.app.state.settings
    if form == "json":
        told = {"revision": found.revision, "issued_at": found.issued_at, "revisions": found.revisions}
        changed = [change._asdict() for change in found.changed]
        return {**found.content, **told, "checksum": found.checksum, "changed": changed}
    return await as_form(found, form, settings.locale, settings.zone)


@router.post("/{org}/{period}/issue", status_code=201)
async def issue_bulletin(
    request: Request, access: Issuer, session: Session, org: Org, period: Period
) -> dict[str, Any]:
    """Freezes the bulletin as it stands now; a later issue with other figures is the next revision beside it."""
    issued = await issued_now(request, access, session, org, period)
    return {"org": org, "period": period, "revision": issued.revision, "issued_at": issued.issued_at}


async def issued_now(request: Request, access: Access, session: Session, org: str, period: str) -> BulletinRow:
    """Issues a bulletin; NotFound out of reach, Invalid for what is no period."""
    settings: Settings = request.app.state.settings
    # Read as of one moment, in a transaction of its own: the one that writes must see what others issued meanwhile.
    async with request.app.state.database.transaction() as reading:
        await snapshots.begin(reading)
        content = await _written(reading, access, settings, org, period)
    if datetime.fromisoformat(content["as_of"]).astimezone(settings.zone).date() < date.fromisoformat(content["from"]):
        raise Invalid([FieldError("period", "This period has not begun: issue its bulletin when it is over.")])
    if access.person is None:
        raise NotFound()
    await enter_scope(session, org[:12])
    return await issue(session, content, access.person)


async def bulletin_of(
    request: Request, access: Access, session: Session, org: str, period: str, revision: int | None
) -> Bulletin:
    """The bulletin that is asked for; NotFound out of reach or for a revision that there is none of."""
    settings: Settings = request.app.state.settings
    _span(period)
    if not covers(access.covering(org).at, org):
        raise NotFound(f"There is no unit {org} within your reach.")
    await snapshots.begin(session)
    await enter_scope(session, org[:12])
    kept = await issues(session, org, period)
    if revision == 0 or not (kept or revision):
        content = await _written(session, access, settings, org, period)
        return Bulletin(content, 0, None, len(kept), None, _changed(kept[0], content) if kept else ())
    chosen = next((one for one in kept if revision in (None, one.revision)), None)
    if chosen is None:
        raise NotFound("There is no such revision. Leave it out for the newest.")
    earlier = next((one for one in kept if one.revision == chosen.revision - 1), None)
    changed = _changed(earlier, chosen.content) if earlier else ()
    return Bulletin(chosen.content, chosen.revision, chosen.issued_at, len(kept), chosen.checksum, changed)


def _changed(earlier: BulletinRow, content: dict[str, Any]) -> tuple[Change, ...]:
    return changes(earlier.content, content, (*SHOWN, *rates_of(content)))


def rates_of(content: dict[str, Any]) -> tuple[str, ...]:
    """The names of the rates that a bulletin tells."""
    return tuple(formula.field for formula in formulas(content["satisfied_from"]))


async def _written(session: Session, access: Access, settings: Settings, org: str, period: str) -> dict[str, Any]:
    _span(period)
    if not covers(access.covering(org).at, org):
        raise NotFound(f"There is no unit {org} within your reach.")
    reading = await snapshots.read_under(session, org, settings.zone)
    if not await names.is_known(session, reading, org):
        raise NotFound(f"There is no unit {org}. Look it up in /v1/org-units of requests.")
    return await write(session, reading, org, period, settings.satisfied_from)


def _span(period: str) -> None:
    try:
        period_span(period)
    except ValueError as error:
        raise Invalid([FieldError("period", f"This is none: {error}.")]) from None


async def as_form(found: Bulletin, form: str, locale: str, zone: tzinfo) -> Response:
    """The bulletin in one of its forms, its days those of the zone."""
    name = f"bulletin-{found.content['org']}-{found.content['period']}"
    if form in ("csv", "xlsx"):
        parts = [row for rows in found.content["parts"].values() for row in rows]
        lines = table(parts, found.content["total"], locale, found.content["satisfied_from"])
        return file_of(form, lines, name)
    html = as_html(found, locale, zone)
    if form == "html":
        return Response(html, media_type="text/html", headers={"Content-Security-Policy": _POLICY})
    content = await as_pdf(html)
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


# A bulletin is one file that can be kept: its style is in it, and nothing else is loaded.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SHOWN = (
    "submitted", "now.open", "now.overdue", "now.closed_confirmed", "now.closed_unconfirmed", "served_person_times",
    "volunteer_person_times", "service_minutes", "served_people", "matters",
)  # fmt: skip


def as_html(found: Bulletin, locale: str, zone: tzinfo) -> str:
    """The bulletin as one page with its style."""
    environment = Environment(
        loader=PackageLoader("reporting_service", "web/templates"), autoescape=select_autoescape(),
        undefined=StrictUndefined,
    )  # fmt: skip
    chinese = locale == "zh-CN"
    every = {figure.field: figure for figure in (*FIGURES, *formulas(found.content["satisfied_from"]))}
    words = {field: (figure.zh if chinese else figure.en) for field, figure in every.items()}
    rates = rates_of(found.content)
    read_at = datetime.fromisoformat(found.content["as_of"]).astimezone(zone)
    issued_on = found.issued_at.astimezone(zone).date() if found.issued_at else None
    style = files("reporting_service").joinpath("web/templates/bulletin/bulletin.css").read_text("utf-8")
    return environment.get_template("bulletin/document.html").render(
        bulletin=found, content=found.content, words=words, shown=SHOWN, rates=rates, value=value, chinese=chinese,
        style=style, read_at=f"{read_at:%Y-%m-%d %H:%M}", issued_on=issued_on,
    )  # fmt: skip


async def as_pdf(html: str) -> bytes:
    """The page as PDF, made beside the calls that go on. Unavailable where the system lacks Pango, or over 30 s."""
    try:
        async with asyncio.timeout(PDF_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(_PRESS, _pdf, html)
    except OSError:
        raise Unavailable(
            "PDF needs the library Pango on the server (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0). "
            "Take html, xlsx or csv meanwhile.",
            after=3600,
        ) from None
    except TimeoutError:
        raise Unavailable("The PDF takes too long. Take html, xlsx or csv, or try again.", after=10) from None


def _pdf(html: str) -> bytes:
    from weasyprint import HTML  # noqa: PLC0415 - where the system lacks its libraries, all else works

    made: bytes = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return made


def _fetch_nothing(url: str) -> Any:
    raise ValueError(f"a bulletin loads nothing, and this is {url[:20]}")

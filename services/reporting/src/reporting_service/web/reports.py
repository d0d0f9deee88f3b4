"""Reports as pages: the day of a unit, its tallies with their figures open, comparison, bulletins, reconciliation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BeforeValidator

from lianhu_kit.api import DivisionCode, Page, Session
from lianhu_kit.problems import Forbidden, NotFound
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from reporting_service.api import bulletins, figures
from reporting_service.api.reconciliation import reconciliation as reconcile
from reporting_service.api.spans import Asked, asked_for
from reporting_service.api.streams import admitted, moved
from reporting_service.api.tallies import tallies
from reporting_service.domain.figures import FIGURES
from reporting_service.domain.periods import before, month_before, part_of
from reporting_service.domain.rates import formulas
from reporting_service.domain.sheets import value
from reporting_service.domain.spans import Span
from reporting_service.queries.bulletins import latest

router = APIRouter(include_in_schema=False)
READERS = ("clerk", "supervisor", "grid_leader", "branch_secretary", "admin")
Reader = Annotated[Visitor, needs(*READERS)]
Issuer = Annotated[Visitor, needs("clerk", "supervisor")]
By = Literal["village", "town", "grid", "service", "day", "month"]
# A field of a form that was left empty comes as "".
_EMPTY = BeforeValidator(lambda given: given or None)
Unit = Annotated[DivisionCode | None, _EMPTY, Query()]
First = Annotated[date | None, _EMPTY, Query(alias="from")]
Last = Annotated[date | None, _EMPTY, Query(alias="to")]
WAYS = (
    ("village", N_("By village")), ("grid", N_("By grid")), ("service", N_("By service")), ("month", N_("By month")),
    ("day", N_("By day")),
)  # fmt: skip
PARTS = {"village": N_("By village"), "grid": N_("By grid"), "service": N_("By service")}
# What the tallies are compared with.
OTHERS = {
    "requests": N_("Requests, who own them"), "dispatch": N_("Dispatch, who owns the assignments"),
    "reporting": N_("The single requests as reports know them"),
}  # fmt: skip
# The town's day: what is open, what is late, and for whom it waits.
TODAY = (
    ("now.open", N_("Not ended")), ("now.overdue", N_("Late")), ("now.submitted", N_("Waits for the village")),
    ("now.awaiting_resident", N_("Waits for the resident's answer")), ("now.dispatched", N_("Waits for volunteers")),
    ("now.with_town", N_("Waits for the town")), ("now.completed", N_("Waits for confirmation")),
)  # fmt: skip
COLUMNS = (
    "submitted", "now.open", "now.overdue", "now.closed_confirmed", "now.closed_unconfirmed", "served_person_times",
    "rates.acceptance", "rates.contact_in_time", "rates.finish_in_time", "rates.satisfaction",
)  # fmt: skip


@router.get("/reports")
async def reports(
    request: Request, visitor: Reader, session: Session, org: Unit = None, by: By | None = None,
    first: First = None, last: Last = None,
) -> Response:  # fmt: skip
    """The day of a unit and its tallies; every figure is a link to what is behind it."""
    asked = _asked(visitor, org, first, last)
    place, span = asked.org, asked.span
    way: By = by or ("grid" if len(place) >= 12 else "village")
    whole = before(span) is not None
    found = await tallies(request, visitor.access, session, asked, way, "submitted", compare=whole)
    words = _words(request, visitor)
    return pages_of(request).show(
        visitor, "reports/reports.html", org=place, span=span, by=way, ways=WAYS, found=found,
        compared=found.get("before"), today=TODAY, columns=[column for column in COLUMNS if column in words],
        words=words, value=value, link=_link(place, span), query=_query(place, span),
        month=month_before(found["as_of"].date()),
    )  # fmt: skip


@router.get("/reports/figures/{field}")
async def figure(
    request: Request, visitor: Reader, session: Session, page: Page, field: str, org: Unit = None,
    first: First = None, last: Last = None, service: Annotated[str | None, Query(max_length=64)] = None,
    without_grid: bool = False,
) -> Response:  # fmt: skip
    """A figure opened: its formula in words, and the requests behind it."""
    asked = _asked(visitor, org, first, last)
    opened = await figures.open_figure(request, visitor.access, session, asked, page, field, service, without_grid)
    more = {"service": service, "without_grid": "true" if without_grid else None}
    return pages_of(request).show(
        visitor, "reports/figure.html", opened=opened, words=opened["zh" if visitor.language == "zh-CN" else "en"],
        org=asked.org, span=asked.span, query=_query(asked.org, asked.span, **more),
        desk="clerk" in visitor.roles or "supervisor" in visitor.roles,
    )  # fmt: skip


@router.get("/reports/file")
async def file(
    request: Request, visitor: Reader, session: Session, org: Unit = None, by: By = "village",
    form: Literal["csv", "xlsx"] = "xlsx", first: First = None, last: Last = None,
) -> Response:  # fmt: skip
    """The table as a file to keep."""
    asked = _asked(visitor, org, first, last)
    return visitor.dress(await figures.tallies_file(request, visitor.access, session, asked, form, by, "submitted"))


@router.get("/reports/bulletin")
async def bulletin(
    request: Request, visitor: Reader, session: Session, org: Unit = None,
    period: Annotated[str, Query(max_length=7)] = "", form: bulletins.Form = "json",
    revision: Annotated[int | None, Query(ge=0, le=10_000)] = None, done: str = "",
) -> Response:  # fmt: skip
    """A bulletin: what it says, its revisions, its files, and the button that issues it."""
    place = org or visitor.grant.at
    period = period or month_before(datetime.now(request.app.state.settings.zone).date())
    found = await bulletins.bulletin_of(request, visitor.access, session, place, period, revision)
    if form != "json":
        return visitor.dress(await bulletins.as_form(found, form, visitor.language, request.app.state.settings.zone))
    return pages_of(request).show(
        visitor, "reports/bulletin.html", found=found, content=found.content, org=place, period=period,
        shown=bulletins.SHOWN, rates=bulletins.rates_of(found.content), parts_of=PARTS,
        words=_words(request, visitor), value=value, done=done, issued=await latest(session, place),
        may_issue="clerk" in visitor.roles or "supervisor" in visitor.roles,
    )  # fmt: skip


@router.post("/reports/bulletin/issue")
async def issue(request: Request, visitor: Issuer, form: Guarded, session: Session) -> Response:
    """Freezes the bulletin as it stands now."""
    place, period = str(form.get("org", "")), str(form.get("period", ""))
    if not place.isdigit() or not place.isascii():
        raise NotFound()
    if not visitor.access.grants:
        raise Forbidden("A bulletin is issued by the clerk or the supervisor.")
    await bulletins.issued_now(request, visitor.access, session, place, period)
    return pages_of(request).go(
        visitor, f"/reports/bulletin?{urlencode({'org': place, 'period': period, 'done': 'yes'})}"
    )


@router.get("/reports/reconciliation")
async def reconciliation(
    request: Request, visitor: Annotated[Visitor, needs("clerk", "supervisor", "admin")], org: Unit = None
) -> Response:
    """Whether the reports agree with the services that own the state, and where not."""
    place = (org or visitor.grant.at)[:12]
    found = await reconcile(request, visitor.access, Asked(place, Span(None, None)))
    return pages_of(request).show(visitor, "reports/reconciliation.html", found=found, org=place, others=OTHERS)


def _looked_at(request: Request, visitor: Reader, org: Unit = None) -> str:
    return admitted(request, visitor.access, org or visitor.grant.at)


@router.get("/reports/live", response_class=EventSourceResponse)
async def live(
    request: Request, visitor: Reader, org: Annotated[str, Depends(_looked_at)]
) -> AsyncIterator[ServerSentEvent]:
    """Says `moved` whenever the figures of a unit have moved, for the page that shows them."""
    async for event in moved(request, org):
        yield event


def _asked(visitor: Visitor, org: str | None, first: date | None, last: date | None) -> Asked:
    """The unit, else where the visitor stands, and the span, its days in order; Invalid for others."""
    span = Span(first, last)
    return asked_for(org or visitor.grant.at, Span(last, first) if span.is_backwards else span)


def _words(request: Request, visitor: Visitor) -> dict[str, Any]:
    every = (*FIGURES, *formulas(request.app.state.settings.satisfied_from))
    return {one.field: (one.zh if visitor.language == "zh-CN" else one.en) for one in every}


def _query(org: str, span: Span, **more: str | None) -> str:
    values = {"org": org, "from": span.first, "to": span.last, **more}
    return urlencode({name: str(given) for name, given in values.items() if given is not None})


def _link(org: str, span: Span) -> Any:
    def link(field: str, by: str | None = None, key: str | None = None) -> str:
        """The address of a figure: of the whole, or of one row."""
        place, within, more = org, span, dict[str, str | None]()
        if by == "grid" and key is None:
            more = {"without_grid": "true"}
        elif by in ("village", "town", "grid") and key and len(key) > len(place):
            place = key
        elif by == "service":
            more = {"service": key}
        elif by in ("day", "month") and key:
            within = part_of(span, key)
        return f"/reports/figures/{field}?{_query(place, within, **more)}"

    return link

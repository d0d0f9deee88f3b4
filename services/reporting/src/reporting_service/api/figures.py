"""Every figure opens: its formula, and the requests behind it. And reports as files."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from lianhu_kit.api import Page, Session, encode_cursor
from lianhu_kit.divisions import VILLAGE, covers
from lianhu_kit.problems import NotFound
from reporting_service.api.files import file_of
from reporting_service.api.spans import UnitAndSpan
from reporting_service.api.tallies import Reader, tallies
from reporting_service.domain.opening import opening
from reporting_service.domain.sheets import table
from reporting_service.queries import names, snapshots
from reporting_service.queries.behind import behind
from reporting_service.settings import Settings

router = APIRouter(tags=["tallies"])
By = Literal["village", "town", "grid", "service", "volunteer", "day", "month"]
Basis = Literal["submitted", "happened"]
Field = Annotated[str, Path(max_length=60, examples=["now.open"])]


@router.get("/v1/figures/{field}")
async def open_figure(
    request: Request, access: Reader, session: Session, asked: UnitAndSpan, page: Page, field: Field,
    service: Annotated[str | None, Query(max_length=64, description="only of this service")] = None,
    without_grid: Annotated[bool, Query(description="only those that no grid was found for")] = False,
    basis: Basis = "submitted",
) -> dict[str, Any]:  # fmt: skip
    """What a figure is: name and formula in Chinese and English, and the requests behind it.

    `amount` is how much a request adds to the figure. 404 for a figure that there is none of. A page can be short
    and still have a `next`.
    """
    settings: Settings = request.app.state.settings
    figure = opening(field, settings.satisfied_from, basis)
    if figure is None:
        raise NotFound("There is no figure of this name. See GET /v1/tallies/formulas.")
    org = asked.allowed(access)
    place = page.place(date.fromisoformat, UUID)
    await snapshots.begin(session)
    reading = await snapshots.read_under(session, org, settings.zone)
    if not await names.is_known(session, reading, org):
        raise NotFound(f"There is no unit {org}. Look it up in /v1/org-units of requests.")
    after = (place[0], place[1]) if place else None
    found = await behind(
        session, reading, org, asked.span, figure, service=service, without_grid=without_grid, basis=basis,
        after=after, limit=page.limit,
        seen_from_above=any(len(grant.at) < VILLAGE and covers(grant.at, org) for grant in access.grants),
    )  # fmt: skip
    items = [item._asdict() for item in found.items]
    following = [found.following[0].isoformat(), str(found.following[1])] if found.following else None
    return {
        "field": field,
        "zh": figure.figure.zh._asdict(),
        "en": figure.figure.en._asdict(),
        "as_of": reading.as_of,
        "items": items,
        **({"next": encode_cursor(following)} if following else {}),
    }


@router.get("/v1/tallies.{form}", response_class=Response)
async def tallies_file(
    request: Request, access: Reader, session: Session, asked: UnitAndSpan, form: Literal["csv", "xlsx"],
    by: By = "village", basis: Basis = "submitted",
) -> Response:  # fmt: skip
    """The tallies of `GET /v1/tallies` as a file; no cell of it is a formula."""
    settings: Settings = request.app.state.settings
    found = await tallies(request, access, session, asked, by, basis)
    lines = table(found["rows"], found["total"], settings.locale, settings.satisfied_from)
    return file_of(form, lines, f"tallies-{asked.org}")

"""Tallies and their formulas."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from lianhu_kit.access import Access, permits, public
from lianhu_kit.api import Session
from lianhu_kit.problems import FieldError, Invalid, NotFound
from reporting_service.api.spans import Asked, UnitAndSpan
from reporting_service.domain.figures import FIGURES
from reporting_service.domain.periods import before
from reporting_service.domain.rates import formulas
from reporting_service.domain.rows import row
from reporting_service.queries import names, snapshots, sums
from reporting_service.settings import Settings

router = APIRouter(prefix="/v1/tallies", tags=["tallies"])
Reader = Annotated[Access, permits("clerk", "supervisor", "operator", "grid_leader", "branch_secretary", "admin")]
_NO_GRID = {"zh-CN": "未定网格", "en": "no grid yet"}


@router.get("")
async def tallies(
    request: Request,
    access: Reader,
    session: Session,
    asked: UnitAndSpan,
    by: Literal["village", "town", "grid", "service", "volunteer", "day", "month"] = "village",
    basis: Literal["submitted", "happened"] = "submitted",
    compare: Annotated[bool, Query(description="also the span of the same length just before")] = False,
) -> dict[str, Any]:
    """The tallies of a unit: rows by key, and their total.

    `from` and `to` are days, both included, in the deployment's zone; all time without them. With basis `submitted` a
    row counts the requests submitted in the span, with `happened` the moves that happened in it. By volunteer a
    request is in each holder's row and once in the total. With `compare` the span of the same length just before
    stands beside, as `before`, read as of the same moment. A unit without requests has no rows and a total of zeros.
    """
    settings: Settings = request.app.state.settings
    org = asked.allowed(access)
    await snapshots.begin(session)
    reading = await snapshots.read_under(session, org, settings.zone)
    if not await names.is_known(session, reading, org):
        raise NotFound(f"There is no unit {org}. Look it up in /v1/org-units of requests.")
    rows, total = await _counted(session, reading, settings, asked, by, basis)
    told: dict[str, Any] = {}
    if compare:
        earlier = before(asked.span)
        if earlier is None:
            raise Invalid([FieldError("compare", "Only a span with both days has one before: send `from` and `to`.")])
        earlier_rows, earlier_total = await _counted(session, reading, settings, Asked(org, earlier), by, basis)
        told["before"] = {"from": earlier.first, "to": earlier.last, "rows": earlier_rows, "total": earlier_total}
    return {
        "org": org,
        "from": asked.span.first,
        "to": asked.span.last,
        "by": by,
        "basis": basis,
        "as_of": reading.as_of,
        "satisfied_from": settings.satisfied_from,
        "rows": rows,
        "total": total,
        **told,
    }


async def _counted(
    session: Session, reading: snapshots.Reading, settings: Settings, asked: Asked, by: str, basis: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of one span, and their total."""
    found = await sums.read(session, reading, asked.org, asked.span, by, basis)
    keys = {*found.sums, *found.served, *found.overdue}
    called = await names.names_of(session, reading, asked.org, by, filter(None, keys))
    rows = [
        {
            "key": key,
            "name": _NO_GRID[settings.locale] if key is None else called.get(key, key),
            **row(
                found.sums.get(key, {}),
                basis=basis,
                overdue=found.overdue.get(key, 0),
                served_people=found.served.get(key, 0),
                satisfied_from=settings.satisfied_from,
            ),
        }
        for key in sorted(keys, key=lambda key: (key is None, key or ""))
    ]
    total = row(
        found.total,
        basis=basis,
        overdue=found.total_overdue,
        served_people=found.total_served,
        satisfied_from=settings.satisfied_from,
    )
    return rows, total


@router.get("/formulas", dependencies=[public()])
async def show_formulas(request: Request) -> dict[str, Any]:
    """Every figure and rate of a row with its name and formula in words, in Chinese and English."""
    settings: Settings = request.app.state.settings
    figures = [*FIGURES, *formulas(settings.satisfied_from)]
    return {
        "items": [{"field": figure.field, "zh": figure.zh._asdict(), "en": figure.en._asdict()} for figure in figures]
    }

"""The admin's units: which there are, what they are called, and what each sets itself."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Fields, Guarded, text_of
from lianhu_web.labels import SETS
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.api.directory import UnitsBody, put_org_units
from requests_service.api.doors import Zone
from requests_service.api.endings import only
from requests_service.queries.units import settings_at, units_under
from requests_service.tables import OrgUnit

router = APIRouter(include_in_schema=False)
Admin = Annotated[Visitor, needs("admin")]
SHOWN = 50
# Spans are typed in minutes and kept in seconds.
MINUTES = {
    "confirm_seconds": N_("Minutes that a resident has to confirm before we ask again"),
    "reopen_contact_seconds": N_("Minutes until somebody speaks with a resident whose matter was not solved"),
    "urgent_contact_seconds": N_("Minutes until somebody speaks with the resident when it is urgent"),
    "urgent_finish_seconds": N_("Minutes until an urgent matter is done"),
}
NEVER_QUIET = ("none", "无")
OTHERS = {
    "working_hours": N_("Working hours, such as 08:30-12:00 14:00-18:00: clocks of working time run only then"),
    "working_days": N_("Working days, Monday is 1, such as 1 2 3 4 5"),
    "always_working": N_("Do clocks run day and night?"),
    "default_grid": N_("Grid that gets what names none"),
    "label_set": N_("Words that pages have for moves and states here"),
    "quiet_hours": N_("Quiet hours, such as 22:00-07:00, in which only what is urgent is brought; or: none"),
    "photos_kept_days": N_("Days that photos are kept after an order has ended; 90 where nothing is said"),
}


async def unit_of(session: Session, visitor: Visitor, code: str) -> OrgUnit:
    """A unit under the admin's code; NotFound for every other. Enters the admin's scope."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    found = await session.get(OrgUnit, code) if code.startswith(visitor.grant.at) else None
    if found is None:
        raise NotFound()
    return found


@router.get("/desk/admin")
async def units(
    request: Request, visitor: Admin, session: Session, after: Annotated[str, Query(max_length=17)] = ""
) -> Response:
    """The units under the admin's code, in the order of codes, and the ways to all that is kept of them."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    found = await units_under(session, visitor.grant.at, after or None, SHOWN + 1)
    following = found[SHOWN - 1].code if len(found) > SHOWN else None
    return pages_of(request).show(visitor, "desk/admin.html", units=found[:SHOWN], following=following)


@router.get("/desk/admin/units/{code}")
async def unit(code: str, request: Request, visitor: Admin, session: Session, done: str = "") -> Response:
    """One unit: its name and what it sets itself, beside what it inherits."""
    known = await unit_of(session, visitor, code)
    typed = {"name": known.name, **_typed(known.settings)}
    return await _page(request, visitor, session, known, typed, {}, done=bool(done))


@router.post("/desk/admin/units/{code}")
async def save(code: str, request: Request, visitor: Admin, form: Guarded, zone: Zone) -> Response:
    """Saves the name and the settings by the call that programs use; settings that no field shows are kept."""
    database = request.app.state.database
    async with database.transaction() as session:
        known = await unit_of(session, visitor, code)
    shown = {*MINUTES, *OTHERS}
    kept = {name: value for name, value in known.settings.items() if name not in shown}
    item = {"code": code, "name": text_of(form, "name") or "", "settings": {**kept, **_settings(form)}}
    body, wrong = read(UnitsBody, {"items": [item]}, visitor)
    faults = _on_the_form(wrong)
    if body is not None:
        try:
            async with database.transaction() as session:
                await put_org_units(body, session, only(visitor.access, "admin"), zone)
            return pages_of(request).go(visitor, f"/desk/admin/units/{code}?done=yes")
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            faults = _on_the_form(of_problem(problem, visitor))
    async with database.transaction() as session:
        await enter_scope(session, visitor.grant.scope, visitor.person)
        typed = {name: text_of(form, name) or "" for name in ("name", *shown)}
        return await _page(request, visitor, session, known, typed, faults)


async def _page(
    request: Request, visitor: Visitor, session: Session, known: OrgUnit, typed: dict[str, str], faults: Faults,
    *, done: bool = False,
) -> Response:  # fmt: skip
    inherited = _typed(await settings_at(session, known.code))
    return pages_of(request).show(
        visitor, "desk/unit.html", 422 if faults else 200, unit=known, typed=typed, faults=faults, done=done,
        fields=MINUTES | OTHERS, inherited=inherited, sets=SETS,
    )  # fmt: skip


def _settings(form: Fields) -> dict[str, Any]:
    """The settings that the form holds; an empty field sets nothing, so that the unit above says it."""
    found: dict[str, Any] = {}
    for name in (*MINUTES, *OTHERS):
        value = text_of(form, name)
        if value is None:
            continue
        if name in MINUTES:
            found[name] = round(float(value) * 60) if re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,3})?", value) else value
        elif name == "working_hours":
            found[name] = [span.split("-") for span in value.split()]
        elif name == "working_days":
            found[name] = value.split()
        elif name == "quiet_hours":
            found[name] = [] if value in NEVER_QUIET else value.split("-")
        else:
            found[name] = value == "yes" if name == "always_working" else value
    return found


def _typed(settings: dict[str, Any]) -> dict[str, str]:
    """Settings as they stand in the fields of the form."""
    found = {name: f"{round(settings[name] / 60, 3):.10g}" for name in MINUTES if settings.get(name) is not None}
    if settings.get("working_hours"):
        found["working_hours"] = " ".join("-".join(span) for span in settings["working_hours"])
    if settings.get("working_days"):
        found["working_days"] = " ".join(str(day) for day in settings["working_days"])
    if (quiet := settings.get("quiet_hours")) is not None:
        found["quiet_hours"] = "-".join(quiet) or "none"
    if settings.get("always_working") is not None:
        found["always_working"] = "yes" if settings["always_working"] else "no"
    plain = ("default_grid", "label_set", "photos_kept_days")
    return found | {name: str(settings[name]) for name in plain if settings.get(name)}


def _on_the_form(faults: Faults) -> Faults:
    """Faults of the call at the fields of the form; what has no field is said of the whole."""
    names = {"name", *MINUTES, *OTHERS}
    at = {field: next((part for part in reversed(field.split(".")) if part in names), "form") for field in faults}
    return {at[field]: words for field, words in faults.items()}

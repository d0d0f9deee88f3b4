"""Pages to follow an order: by number and tracking code, or one's own; the resident's word, with a one-time code."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import Problem
from lianhu_web.faults import Faults, of_problem, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.photos import SHOWS
from lianhu_web.visiting import Visitor, anyone, needs
from lianhu_web.words import N_
from requests_service.api.doors import Rates, Zone, address_of
from requests_service.api.signing_in import OneTimeCode
from requests_service.handlers.codes import Codes, of_order
from requests_service.queries import requests
from requests_service.queries.finding import find_units, name_of
from requests_service.queries.following import followed, orders_of, phone_of
from requests_service.queries.photos import photos_of, small_photos_of
from requests_service.queries.reach import find, villages_of
from requests_service.queries.tracking import track
from requests_service.queries.units import labels_at
from requests_service.queries.unseen import show_unseen
from requests_service.tables import Request as Order
from requests_service.web.words_of_photos import can_add
from requests_service.web.words_of_residents import FACES, NEXT_WORDS, SOLVED, STEPS, resident_act, word_of

router = APIRouter(include_in_schema=False)
Follower = Annotated[Visitor, anyone("resident")]
Resident = Annotated[Visitor, needs("resident")]
MISS = N_("No order has this village, number and tracking code together. Check all three on your slip.")
CODE_WRONG = N_(
    "This code does not count: it is wrong, used or over five minutes old. After five tries ask for a new one."
)
SENT = N_("A code is on its way to the phone of the order.")
SENTENCES = {
    429: N_("A code was sent already. Wait a minute, then ask for the next."),
    503: N_("Codes cannot be sent at the moment. Ask your village, or try again later."),
}
SLIP = ("tenant", "number", "code")


class ProofForm(BaseModel):
    """The code that came to the order's phone."""

    one_time: OneTimeCode


@router.get("/track")
async def ask_for_slip(request: Request, visitor: Follower) -> Response:
    """Asks for what stands on the slip."""
    return pages_of(request).show(visitor, "tracking/slip.html", faults={}, values={}, found=[])


@router.post("/track")
async def show_order(request: Request, visitor: Follower, form: Guarded, session: Session) -> Response:
    """Where the order stands; the tracking code never stands in an address."""
    return await shown_by_slip(request, visitor, form, session)


@router.post("/track/code")
async def send_code(request: Request, visitor: Follower, form: Guarded, session: Session) -> Response:
    """Sends a one-time code to the order's phone, with which its resident can have a say."""
    order = await of_slip(request, form, session)
    phone = await phone_of(session, order.id) if order else None
    if order is None or phone is None:
        return await shown_by_slip(request, visitor, form, session)
    codes: Codes = request.app.state.codes
    try:
        await codes.send(of_order(order.id), phone, visitor.language)
    except Problem as problem:
        if problem.status not in SENTENCES:
            raise
        return await shown_by_slip(
            request, visitor, form, session, faults={"form": visitor.say(SENTENCES[problem.status])}
        )
    return await shown_by_slip(request, visitor, form, session, sent=True)


@router.post("/track/act")
async def act(request: Request, visitor: Follower, form: Guarded, zone: Zone) -> Response:
    """The resident's word on an order that a slip and a one-time code prove."""
    database = request.app.state.database
    async with database.transaction() as session:
        order = await of_slip(request, form, session)
    if order is None:
        async with database.transaction() as session:
            return await shown_by_slip(request, visitor, form, session)
    codes: Codes = request.app.state.codes
    proof, faults = read(ProofForm, fields_of(form, "one_time"), visitor)
    word, wrong = word_of(form, visitor)
    faults |= wrong
    if proof is not None and word is not None and not await codes.check(of_order(order.id), proof.one_time):
        faults = {"one_time": visitor.say(CODE_WRONG)}
    if word is not None and not faults:
        try:
            async with database.transaction() as session:
                await enter_scope(session, order.tenant)
                await show_unseen(session)
                await resident_act(session, order.id, word, str(form.get("act")), visitor, zone, by=order.resident)
        except Problem as problem:
            faults = of_problem(problem, visitor)
    async with database.transaction() as session:
        done = not faults
        return await shown_by_slip(request, visitor, form, session, faults=faults, done=done, sent=not done)


@router.get("/track/mine")
async def mine(request: Request, visitor: Resident, session: Session) -> Response:
    """One's own orders, of all villages."""
    rows: list[Order] = []
    sets: dict[str, str] = {}
    for village in await villages_of(session, visitor.person):
        await enter_scope(session, village, visitor.person)
        rows += await orders_of(session, visitor.person)
        sets[village] = await labels_at(session, village)
    rows.sort(key=lambda row: row.id, reverse=True)
    return pages_of(request).show(visitor, "tracking/mine.html", orders=rows, sets=sets)


@router.get("/track/{request_id}")
async def own(
    request: Request, visitor: Resident, session: Session, request_id: Annotated[UUID, Path()], done: str = ""
) -> Response:
    """One order of one's own; who is signed in needs no further code."""
    _, order = await find(session, visitor.access, request_id)
    return await order_page(request, visitor, session, order, {}, slip=None, done=bool(done))


@router.post("/track/{request_id}")
async def act_on_own(
    request: Request, visitor: Resident, form: Guarded, zone: Zone, request_id: Annotated[UUID, Path()]
) -> Response:
    """The resident's word on an order of their own."""
    database = request.app.state.database
    word, faults = word_of(form, visitor)
    try:
        async with database.transaction() as session:
            await find(session, visitor.access, request_id, lock=True)
            if word is not None:
                act = str(form.get("act"))
                await resident_act(session, request_id, word, act, visitor, zone, by=visitor.person)
    except Problem as problem:
        if problem.status == 404:
            raise
        faults = of_problem(problem, visitor)
    if not faults:
        return pages_of(request).go(visitor, f"/track/{request_id}?done=yes")
    async with database.transaction() as session:
        _, order = await find(session, visitor.access, request_id)
        return await order_page(request, visitor, session, order, faults, slip=None)


async def of_slip(request: Request, form: Any, session: Session) -> Order | None:
    """The order of a slip that a form brings, its scope entered; None where anything of it is wrong."""
    rates: Rates = request.app.state.rates
    await rates.hit("tracks", address_of(request))
    values = fields_of(form, *SLIP)
    tenant, number, code = (values.get(name, "") for name in SLIP)
    if len(tenant) != 12 or not (tenant.isascii() and tenant.isdigit()):
        return None
    await enter_scope(session, tenant)
    await show_unseen(session)
    order = await requests.by_number(session, tenant, number)
    return order if track(order, code) is not None else None


async def shown_by_slip(
    request: Request, visitor: Visitor, form: Any, session: Session, *, faults: Faults | None = None,
    done: bool = False, sent: bool = False,
) -> Response:  # fmt: skip
    """The page of the order whose slip a form brings; the slip once more where it is wrong."""
    values = fields_of(form, *SLIP, "village")
    if "tenant" not in values and "village" in values:
        await enter_scope(session, "")
        found = await find_units(session, values["village"])
        if len(found) != 1:
            wrong = {} if found else {"village": visitor.say(MISS)}
            return pages_of(request).show(
                visitor, "tracking/slip.html", 200 if found else 404, faults=wrong, values=values, found=found
            )
        values["tenant"] = found[0].code
    order = await of_slip(request, values, session)
    if order is None:
        wrong = {"form": visitor.say(MISS)}
        return pages_of(request).show(visitor, "tracking/slip.html", 404, faults=wrong, values=values, found=[])
    return await order_page(request, visitor, session, order, faults or {}, slip=values, done=done, sent=sent)


async def order_page(
    request: Request, visitor: Visitor, session: Session, order: Order, faults: Faults, *,
    slip: dict[str, str] | None, done: bool = False, sent: bool = False,
) -> Response:  # fmt: skip
    """One order as its resident sees it; without a sign-in its photos are told of and not shown."""
    visitor.labels = await labels_at(session, order.tenant)
    seen = await followed(session, order, request.app.state.served_key)
    photos = await (photos_of if slip else small_photos_of)(session, order.id)
    values = {
        "seen": seen, "village": await name_of(session, order.tenant), "faults": faults, "slip": slip, "done": done,
        "sent": sent, "photos": photos, "shows": SHOWS, "can_add": can_add(order.status), "next_words": NEXT_WORDS,
        "faces": FACES, "solved": SOLVED, "step_words": STEPS,
    }  # fmt: skip
    return pages_of(request).show(visitor, "tracking/order.html", 422 if faults else 200, **values)

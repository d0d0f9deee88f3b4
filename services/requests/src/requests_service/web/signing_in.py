"""Pages of signing in: a phone, the code that came to it, the devices that one is signed in with."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound, Problem
from lianhu_web.faults import read
from lianhu_web.guarding import Guarded, fields_of, text_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, anyone, cookie_name, needs, own_path, session_cookie
from lianhu_web.words import N_
from requests_service.api.bodies import Phone
from requests_service.api.doors import Rates, address_of
from requests_service.api.signing_in import OneTimeCode, proven
from requests_service.handlers.codes import Codes, local_codes, of_phone
from requests_service.handlers.signing_in import SignedIn, end, end_all, end_one, is_secret_of, sessions_of

router = APIRouter(include_in_schema=False)
Anyone = Annotated[Visitor, anyone()]
SignedInVisitor = Annotated[Visitor, needs()]
Next = Annotated[str, Query(max_length=500)]
SENTENCES = {
    401: N_(
        "This code does not count: it is wrong, used or over five minutes old. After five tries ask for a new one."
    ),
    403: N_("No order and no account has this phone yet. Place an order first, or ask your village to add you."),
    429: N_("A code was sent already. Wait a minute, then ask for the next."),
    503: N_("Codes cannot be sent at the moment. Ask your village, or try again later."),
}


class PhoneForm(BaseModel):
    """Whose phone."""

    phone: Phone


class CodeForm(BaseModel):
    """The phone, and the code that came to it."""

    phone: Phone
    code: OneTimeCode


def after_sign_in(signed_in: SignedIn) -> str:
    """Where somebody goes first: the place of their work."""
    roles = {grant.role for grant in signed_in.roles}
    homes = (
        ("clerk", "/desk"), ("supervisor", "/desk/town"), ("grid_leader", "/board"), ("branch_secretary", "/board"),
        ("admin", "/desk/admin"), ("volunteer", "/tasks"), ("grid_worker", "/tasks"),
    )  # fmt: skip
    return next((home for role, home in homes if role in roles), "/track/mine")


@router.get("/sign-in")
async def phone_form(request: Request, visitor: Anyone, next: Next = "") -> Response:
    """Asks for the phone."""
    return pages_of(request).show(visitor, "signing_in/phone.html", faults={}, phone="", next=own_path(next, ""))


@router.post("/sign-in")
async def send_code(request: Request, visitor: Anyone, form: Guarded) -> Response:
    """Sends a code to the phone, then asks for it; the page is the same whether anybody is known by the phone."""
    onward = own_path(text_of(form, "next"), "")
    given, faults = read(PhoneForm, fields_of(form, "phone"), visitor)
    if given is not None:
        rates: Rates = request.app.state.rates
        codes: Codes = request.app.state.codes
        try:
            await rates.hit("sign-ins", address_of(request))
            await codes.send(of_phone(given.phone), given.phone, visitor.language)
        except Problem as problem:
            faults = {"form": visitor.say(SENTENCES.get(problem.status, problem.detail))}
            if problem.status == 429:  # one is on its way: the page that asks for it is the one to be on
                return _code_page(request, visitor, given.phone, onward, faults, 429)
    if given is None or faults:
        values = {"faults": faults, "phone": text_of(form, "phone") or "", "next": onward}
        return pages_of(request).show(visitor, "signing_in/phone.html", 422, **values)
    return _code_page(request, visitor, given.phone, onward, {}, 200)


def _code_page(
    request: Request, visitor: Visitor, phone: str, onward: str, faults: dict[str, str], status: int
) -> Response:
    local = request.app.state.settings.local
    return pages_of(request).show(
        visitor, "signing_in/code.html", status, faults=faults, phone=phone, next=onward, local=local
    )


@router.post("/sign-in/code")
async def check_code(request: Request, visitor: Anyone, form: Guarded) -> Response:
    """Signs in, and goes on to where one came from."""
    onward = own_path(text_of(form, "next"), "")
    given, faults = read(CodeForm, fields_of(form, "phone", "code"), visitor)
    if given is None:
        if "phone" in faults:
            return pages_of(request).go(visitor, "/sign-in")
        return _code_page(request, visitor, text_of(form, "phone") or "", onward, faults, 422)
    try:
        signed_in = await proven(request, given.phone, given.code)
    except Problem as problem:
        faults = {"code": visitor.say(SENTENCES.get(problem.status, problem.detail))}
        return _code_page(request, visitor, given.phone, onward, faults, problem.status)
    visitor.fresh["session"] = (session_cookie(signed_in.secret, signed_in.token), signed_in.seconds)
    return pages_of(request).go(visitor, onward or after_sign_in(signed_in))


@router.get("/sign-in/codes")
async def codes_page(request: Request, visitor: Anyone, session: Session) -> Response:
    """The codes that were sent, on a developer's own machine; elsewhere there is no such page."""
    if not request.app.state.settings.local:
        raise NotFound()
    await enter_scope(session, "")
    return pages_of(request).show(visitor, "signing_in/codes.html", codes=await local_codes(session))


@router.get("/sign-in/devices")
async def devices(request: Request, visitor: SignedInVisitor, session: Session, done: str = "") -> Response:
    """Where one is signed in, with which roles, and how to end it."""
    secret = _secret(request)
    rows = await sessions_of(session, visitor.person)
    listed = [
        {"id": row.id, "device": row.device, "begun_at": row.begun_at, "seen_at": row.seen_at,
         "this": is_secret_of(row, secret)}
        for row in rows
    ]  # fmt: skip
    grants = [grant for grant in visitor.access.grants if grant.at]
    return pages_of(request).show(visitor, "signing_in/devices.html", sessions=listed, grants=grants, done=done)


@router.post("/sign-in/devices/end")
async def end_device(request: Request, visitor: SignedInVisitor, form: Guarded, session: Session) -> Response:
    """Ends one session of one's own."""
    try:
        await end_one(session, visitor.person, UUID(text_of(form, "id") or ""))
    except ValueError:
        raise NotFound() from None
    return pages_of(request).go(visitor, "/sign-in/devices?done=one")


@router.post("/sign-in/out")
async def sign_out(request: Request, visitor: Anyone, form: Guarded, session: Session) -> Response:
    """Ends this session, or with `everywhere` all of them."""
    if text_of(form, "everywhere") and visitor.caller is not None:
        await end_all(session, visitor.person)
    elif secret := _secret(request):
        await end(session, secret)
    visitor.fresh["session"] = ("", 0)
    answer = pages_of(request).go(visitor, "/")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'  # what this device kept of others goes with it
    return answer


def _secret(request: Request) -> str:
    return request.cookies.get(cookie_name(request, "session"), "").partition(".")[0]

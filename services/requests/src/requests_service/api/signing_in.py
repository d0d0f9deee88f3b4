"""Sign-in for programs and for the pages of other services: codes, sessions, tokens."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from lianhu_kit.access import ROLES, Access, permits, public
from lianhu_kit.api import Body, Session
from lianhu_kit.problems import Forbidden, Unauthenticated
from requests_service.api.bodies import Phone
from requests_service.api.doors import Rates, address_of
from requests_service.api.endings import person_of
from requests_service.domain.masking import mask_name
from requests_service.domain.signing_in import NobodyYet, WrongCode
from requests_service.handlers.codes import Codes, of_phone
from requests_service.handlers.signing_in import SignedIn, Signer, end, end_all, end_one, renew, sessions_of, sign_in

router = APIRouter(tags=["auth"])
Everybody = Annotated[Access, permits(*(role for role in ROLES if role != "service"))]
OneTimeCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Secret = Annotated[str, StringConstraints(min_length=20, max_length=100)]


class PhoneBody(Body):
    """Whose phone."""

    phone: Phone


class ProofBody(Body):
    """A phone, and the code that was sent to it."""

    phone: Phone
    code: OneTimeCode


class SecretBody(Body):
    """The secret of a session."""

    secret: Secret


class EndBody(Body):
    """Which of one's own sessions; all of them without an id."""

    id: UUID | None = Field(default=None)


@router.post("/auth/codes", status_code=202, dependencies=[public()])
async def ask_code(request: Request, body: PhoneBody) -> dict[str, Any]:
    """Sends a one-time code to a phone; the answer is the same whether anybody is known by it. 429 tells when again."""
    await _hit(request)
    codes: Codes = request.app.state.codes
    await codes.send(of_phone(body.phone), body.phone, request.app.state.settings.locale)
    return {"sent": True}


@router.post("/auth/sessions", status_code=201, dependencies=[public()])
async def open_session(request: Request, body: ProofBody) -> dict[str, Any]:
    """Signs in with a phone and its code; 401 for a code that does not count, 403 where nobody has this phone yet."""
    signed_in = await proven(request, body.phone, body.code)
    return {"secret": signed_in.secret, **_told(signed_in)}


@router.post("/auth/renew", dependencies=[public()])
async def renew_token(request: Request, body: SecretBody, session: Session) -> dict[str, Any]:
    """A new access token for a session; 401 where it ended."""
    return await _renewed(request, session, body.secret)


@router.post("/internal/sessions/renew", dependencies=[public()], include_in_schema=False)
async def renew_for_a_page(request: Request, body: SecretBody, session: Session) -> dict[str, Any]:
    """The same for the pages of other services: the secret that the browser showed them is the proof."""
    return await _renewed(request, session, body.secret)


@router.post("/auth/end", dependencies=[public()])
async def end_session(body: SecretBody, session: Session) -> dict[str, Any]:
    """Signs a browser out."""
    await end(session, body.secret)
    return {"ended": True}


@router.get("/auth/sessions")
async def own_sessions(session: Session, access: Everybody) -> dict[str, Any]:
    """One's own open sessions: device, since when, last seen."""
    found = await sessions_of(session, person_of(access))
    return {
        "items": [
            {"id": row.id, "device": row.device, "begun_at": row.begun_at, "seen_at": row.seen_at} for row in found
        ]
    }


@router.post("/auth/end-all")
async def end_everywhere(body: EndBody, session: Session, access: Everybody) -> dict[str, Any]:
    """Signs out everywhere, or one session of one's own."""
    if body.id is None:
        await end_all(session, person_of(access))
    else:
        await end_one(session, person_of(access), body.id)
    return {"ended": True}


async def proven(request: Request, phone: str, code: str) -> SignedIn:
    """A session for a phone whose code is right; Unauthenticated or Forbidden otherwise."""
    await _hit(request)
    state = request.app.state
    codes: Codes = state.codes
    if not await codes.check(of_phone(phone), code):
        raise Unauthenticated(str(WrongCode.__doc__))
    signer: Signer = state.signer
    try:
        async with state.database.transaction() as session:
            return await sign_in(session, signer, phone, request.headers.get("user-agent", ""))
    except NobodyYet:
        raise Forbidden(str(NobodyYet.__doc__), type="nobody-yet") from None


async def _hit(request: Request) -> None:
    rates: Rates = request.app.state.rates
    await rates.hit("sign-ins", address_of(request))


async def _renewed(request: Request, session: Session, secret: str) -> dict[str, Any]:
    signer: Signer = request.app.state.signer
    found = await renew(session, signer, secret)
    if found is None:
        raise Unauthenticated("This session has ended. Sign in again.")
    return _told(found)


def _told(signed_in: SignedIn) -> dict[str, Any]:
    return {
        "token": signed_in.token,
        "seconds": signed_in.seconds,
        "person": signed_in.person,
        "name": mask_name(signed_in.name),
        "roles": [{"role": grant.role, "at": grant.at} for grant in signed_in.roles],
    }

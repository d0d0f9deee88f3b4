"""Who looks at a page: the person, if signed in, the language, care mode, and the proof that a form is ours."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from fastapi import Request
from fastapi.params import Depends
from starlette.responses import Response

from lianhu_kit.access import ROLES, Access
from lianhu_kit.problems import Forbidden, NotFound, Unavailable
from lianhu_kit.tokens import BadToken, Caller, Grant, KeysAway, TokenVerifier
from lianhu_web.labels import DEFAULT, said
from lianhu_web.words import language_of

LOOK_SECONDS = 400 * 86_400
_LOOKS = ("language", "care", "at")


class SignInFirst(Exception):
    """The page needs somebody who is signed in."""


class Away(Exception):
    """Whoever renews sign-ins does not answer at the moment."""


@dataclass(frozen=True)
class Renewed:
    """A sign-in that goes on: a new access token, and for how many seconds the browser may keep the session."""

    token: str
    seconds: int


class Renewal(Protocol):
    """Whoever gives a new access token for a session that still counts."""

    async def renew(self, secret: str) -> Renewed | None:
        """The session's new token; None where it ended. Raises Away where nobody answers."""


@dataclass
class Visitor:
    """Somebody who looks at a page.

    `access` holds the grants that the page's roles permit; `fresh` are cookies that the answer sets (value and seconds;
    an empty value removes the cookie). `labels` is the set of labels of the village that the page speaks of.
    """

    request: Request
    caller: Caller | None
    access: Access
    language: str
    words: NullTranslations
    care: bool
    at: str
    proof: str
    away: bool = False
    fresh: dict[str, tuple[str, int]] = field(default_factory=dict)
    labels: str = DEFAULT

    @property
    def signed_in(self) -> bool:
        """Whether we know who it is."""
        return self.caller is not None

    @property
    def person(self) -> UUID:
        """Whose page it is. Raises SignInFirst where we do not know."""
        if self.caller is None:
            raise SignInFirst()
        return self.caller.person

    @property
    def roles(self) -> list[str]:
        """All roles of the person, each once, the one that reaches furthest first."""
        held = {grant.role for grant in self.caller.roles} if self.caller else set()
        return [role for role in reversed(ROLES) if role in held]

    @property
    def grant(self) -> Grant:
        """Where the visitor stands: the grant that they chose, else the widest that the page permits."""
        fitting = [grant for grant in self.access.grants if grant.at == self.at]
        if fitting:
            return fitting[0]
        if not self.access.grants:
            raise NotFound()
        return min(self.access.grants, key=lambda grant: len(grant.at))

    @property
    def form_token(self) -> str:
        """What every form carries; a stranger's page cannot know it (OWASP: double submit cookie)."""
        return hashlib.sha256(f"form:{self.proof}".encode()).hexdigest()[:32]

    def say(self, text: str, chosen: str | None = None) -> str:
        """A text that was marked with N_, in the visitor's language and the words of the village.

        `chosen` is another village's set of labels, where a page speaks of several.
        """
        return said(chosen or self.labels, text, self.language) or self.words.gettext(text)

    def dress(self, answer: Response) -> Response:
        """The answer with the cookies that changed."""
        secure = self.request.url.scheme == "https"
        for name, (value, seconds) in self.fresh.items():
            full = cookie_name(self.request, name)
            if value:
                answer.set_cookie(full, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")
            else:
                answer.delete_cookie(full, path="/", secure=secure, httponly=True, samesite="lax")
        return answer


def cookie_name(request: Request, name: str) -> str:
    """A cookie's name: bound to the host with TLS; else with the port in it.

    Cookies ignore ports (RFC 6265, 8.5), and two local systems may be up side by side.
    """
    if request.url.scheme == "https":
        return f"__Host-lianhu-{name}"
    return f"lianhu-{request.url.port or 80}-{name}"


def session_cookie(secret: str, token: str) -> str:
    """What the session's cookie holds: the session's secret, and the access token that is good for minutes."""
    return f"{secret}.{token}"


class Needs:
    """The dependency of a page: who may see it; gives the route its Visitor.

    Raises SignInFirst where nobody is signed in, Forbidden where no role fits.
    """

    def __init__(self, roles: tuple[str, ...], anonymous: bool) -> None:
        unknown = set(roles) - set(ROLES)
        if unknown:
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        self.roles = roles
        self.anonymous = anonymous

    async def __call__(self, request: Request) -> Visitor:
        """The visitor of this request."""
        visitor = await visitor_of(request)
        if visitor.caller is None:
            if self.anonymous:
                return visitor
            if visitor.away:
                raise Unavailable("Sign-in cannot be renewed at the moment. Try again in a minute.", after=10)
            raise SignInFirst()
        grants = tuple(grant for grant in visitor.caller.roles if not self.roles or grant.role in self.roles)
        if not grants and not self.anonymous:
            raise Forbidden(f"This page is for: {', '.join(self.roles)}.", roles=list(self.roles))
        visitor.access = Access(visitor.caller, grants)
        return visitor


def needs(*roles: str) -> Depends:
    """A page for these roles; for everybody who is signed in where none is named."""
    return Depends(Needs(roles, anonymous=False))


def anyone(*roles: str) -> Depends:
    """A page that everybody may see; `roles` are those whose grants it uses where somebody is signed in."""
    return Depends(Needs(roles, anonymous=True))


async def visitor_of(request: Request) -> Visitor:
    """Who asks, by the cookies; never raises for a cookie that does not count."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    state = request.app.state
    look = _look(request)
    language = language_of(look.get("language"), request.headers.get("accept-language"), state.settings.locale)
    proof = request.cookies.get(cookie_name(request, "form"), "")
    visitor = Visitor(
        request, None, Access(None, ()), language, state.pages.words[language], look.get("care") == "1",
        look.get("at", ""), proof or secrets.token_urlsafe(24),
    )  # fmt: skip
    if not proof:
        visitor.fresh["form"] = (visitor.proof, LOOK_SECONDS)
    if any(name in request.query_params for name in _LOOKS):
        visitor.fresh["look"] = ("&".join(f"{name}={value}" for name, value in look.items()), LOOK_SECONDS)
    await _recognise(request, visitor)
    request.state.visitor = visitor
    return visitor


def _look(request: Request) -> dict[str, str]:
    """How the visitor likes pages: the cookie, and above it what the address says just now."""
    kept = {name: values[0] for name, values in parse_qs(request.cookies.get(cookie_name(request, "look"), "")).items()}
    said = {name: request.query_params[name] for name in _LOOKS if name in request.query_params}
    allowed: dict[str, Callable[[str], bool]] = {
        "language": lambda value: value in ("zh-CN", "en"),
        "care": lambda value: value in ("0", "1"),
        "at": lambda value: value.isascii() and value.isdigit() and len(value) <= 17,
    }
    return {name: value for name, value in {**kept, **said}.items() if name in allowed and allowed[name](value)}


async def _recognise(request: Request, visitor: Visitor) -> None:
    secret, _, token = request.cookies.get(cookie_name(request, "session"), "").partition(".")
    if not secret:
        return
    verifier: TokenVerifier = request.app.state.verifier
    try:
        visitor.caller = await verifier.verify(token)
        return
    except KeysAway:
        visitor.away = True
        return
    except BadToken:
        pass
    renewal: Renewal = request.app.state.renewal
    try:
        renewed = await renewal.renew(secret)
        if renewed is None:
            visitor.fresh["session"] = ("", 0)
            return
        visitor.caller = await verifier.verify(renewed.token)
        visitor.fresh["session"] = (session_cookie(secret, renewed.token), renewed.seconds)
    except (Away, BadToken, KeysAway):
        visitor.away = True


def own_path(given: str | None, otherwise: str) -> str:
    """A place of ours to go to, never another host (OWASP: unvalidated redirects): a path, and nothing odd in it."""
    path = given or ""
    parts = urlsplit(path)
    good = path.startswith("/") and not path.startswith("//") and not (parts.scheme or parts.netloc)
    return path if good and "\\" not in path and path.isprintable() and len(path) <= 500 else otherwise

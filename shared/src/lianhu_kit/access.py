"""Who may call a route: deny by default. Every route names its roles, or says that it is public."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar, get_args
from uuid import UUID

from fastapi import Request
from fastapi.params import Depends
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import enter_scope
from lianhu_kit.divisions import covers
from lianhu_kit.problems import Forbidden, NotFound, Unauthenticated, Unavailable
from lianhu_kit.tokens import BadToken, Caller, Grant, KeysAway, TokenVerifier

Found = TypeVar("Found")
# What a person can be; a service is nobody.
PersonRole = Literal[
    "resident",
    "volunteer",
    "grid_worker",
    "grid_leader",
    "branch_secretary",
    "clerk",
    "supervisor",
    "integrator",
    "operator",
    "admin",
]
ROLES: tuple[str, ...] = (*get_args(PersonRole), "service")


class Access:
    """The caller of a route and the grants of theirs that the route permits."""

    def __init__(self, caller: Caller | None, grants: tuple[Grant, ...]) -> None:
        self.caller = caller
        self.grants = grants

    @property
    def person(self) -> UUID | None:
        """The caller's person; None for an anonymous call."""
        return self.caller.person if self.caller else None

    @property
    def roles(self) -> set[str]:
        """The permitted roles that the caller has."""
        return {grant.role for grant in self.grants}

    def covering(self, code: str, *roles: str) -> Grant:
        """The widest grant that reaches a code (a grid's role reaches its village here); NotFound where none does."""
        fitting = [
            grant
            for grant in self.grants
            if (not roles or grant.role in roles) and (covers(grant.at, code) or covers(grant.scope, code))
        ]
        if not fitting:
            raise NotFound()
        return min(fitting, key=lambda grant: len(grant.at))

    async def locate(
        self, session: AsyncSession, load: Callable[[Grant], Awaitable[Found | None]]
    ) -> tuple[Grant, Found]:
        """The first grant under whose scope `load` finds something, and what it found; NotFound where none does."""
        for grant in self.grants:
            await enter_scope(session, grant.scope, self.person)
            found = await load(grant)
            if found is not None:
                return grant, found
        raise NotFound()


class Permission:
    """The dependency behind `permits`: checks the token and the roles before anything else happens."""

    def __init__(self, roles: tuple[str, ...], anonymous: bool) -> None:
        unknown = set(roles) - set(ROLES)
        if unknown:
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        self.roles = roles
        self.anonymous = anonymous

    async def __call__(self, request: Request) -> Access:
        """The caller's access; Unauthenticated without a good token, Forbidden where no role fits."""
        header = request.headers.get("authorization")
        if header is None:
            if self.anonymous:
                return Access(None, ())
            raise Unauthenticated()
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated()
        verifier: TokenVerifier = request.app.state.verifier
        try:
            caller = await verifier.verify(token.strip())
        except BadToken as error:
            raise Unauthenticated(str(error)) from None
        except KeysAway:
            raise Unavailable("Tokens cannot be checked yet. Repeat the call in a moment.", after=5) from None
        grants = tuple(grant for grant in caller.roles if grant.role in self.roles)
        if not grants and not self.anonymous:
            raise Forbidden(f"This needs one of these roles: {', '.join(self.roles)}.")
        return Access(caller, grants)


def permits(*roles: str, anonymous: bool = False) -> Depends:
    """Which roles may call a route; with `anonymous`, also whoever sends no token. Gives the route its Access."""
    return Depends(Permission(roles, anonymous))


def public() -> Depends:
    """A route that everybody may call, token or not."""
    return Depends(Permission((), anonymous=True))

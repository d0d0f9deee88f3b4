"""Calls through the gateway, in somebody's name; an answer that was not expected says what it was."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx

from lianhu_kit.tokens import Grant, sign
from lianhu_tools.faults import Fault
from lianhu_tools.keys import ISSUER
from lianhu_tools.topology import Topology

Value = TypeVar("Value")
OK = (200, 201)
TOKEN_SECONDS = 600.0  # tokens live for 900
CALLS_AT_ONCE = 16


class Missed(Exception):
    """Something that a story tells did not happen; the message says what, and what was there instead."""


@dataclass(frozen=True)
class Actor:
    """In whose name a call is made; `roles` are (role, at)."""

    id: UUID
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    body: Any

    @property
    def problem(self) -> str:
        """The last part of a problem's type, as in `already-claimed`; empty where it is none."""
        kind = self.body.get("type", "") if isinstance(self.body, dict) else ""
        return str(kind).rstrip("/").rpartition("/")[2].rpartition(":")[2]


class Gateway:
    """The system as the outside sees it, with tokens signed by the local key."""

    def __init__(self, topology: Topology) -> None:
        self._issuer = topology.options.get("LIANHU_AUTH_ISSUER") or ISSUER
        keys = sorted(topology.keys.glob("*.pem"))
        if not keys:
            raise Fault("There is no key to sign tokens with; run `make up` first.")
        self._kid, self._pem = keys[-1].stem, keys[-1].read_text()
        self._tokens: dict[Actor, tuple[float, str]] = {}
        self._turn = asyncio.Semaphore(CALLS_AT_ONCE)
        limits = httpx.Limits(max_connections=CALLS_AT_ONCE, max_keepalive_connections=CALLS_AT_ONCE)
        self._client = httpx.AsyncClient(
            base_url=f"{topology.gateway_url}/api", timeout=30, limits=limits, trust_env=False
        )

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path: str,
        who: Actor | None = None,
        body: Mapping[str, Any] | None = None,
        **query: object,
    ) -> Answer:
        """The answer to a call, whatever it is; `path` begins with the service, as in requests/v1/services."""
        headers = {"Authorization": f"Bearer {self._token(who)}"} if who else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        sent = {name.rstrip("_"): str(value) for name, value in query.items() if value is not None}
        async with self._turn:
            try:
                answer = await self._client.request(method, f"/{path}", json=body, params=sent, headers=headers)
            except httpx.HTTPError as error:
                raise Missed(f"{method} {path} got no answer: {type(error).__name__}") from None
        try:
            return Answer(answer.status_code, answer.json())
        except ValueError:
            return Answer(answer.status_code, answer.text)

    async def call(
        self,
        method: str,
        path: str,
        who: Actor | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        expect: Collection[int] = OK,
    ) -> Any:
        """The body of an expected answer; Missed for any other."""
        return self._expected(method, path, await self.send(method, path, who, body), expect)

    @staticmethod
    def _expected(method: str, path: str, answer: Answer, expect: Collection[int]) -> Any:
        if answer.status in expect:
            return answer.body
        said = answer.body
        if isinstance(said, dict):
            errors = [f"{error.get('field')}: {error.get('detail')}" for error in said.get("errors", ())]
            said = " ".join([str(said.get("detail") or said), *errors])
        raise Missed(f"{method} {path} answered {answer.status} {answer.problem}: {said}")

    async def get(self, path: str, who: Actor | None = None, **query: object) -> Any:
        """Reads."""
        return self._expected("GET", path, await self.send("GET", path, who, None, **query), OK)

    async def post(self, path: str, who: Actor | None = None, /, **body: object) -> Any:
        """Does; a body's field whose name is a word of Python is written with a line after it (`from_`)."""
        return await self.call("POST", path, who, {name.rstrip("_"): value for name, value in body.items()})

    async def refused(self, status: int, path: str, who: Actor | None = None, /, **body: object) -> Answer:
        """Does what must be refused with this status; Missed where it is not."""
        answer = await self.send("POST", path, who, {name.rstrip("_"): value for name, value in body.items()})
        if answer.status != status:
            raise Missed(f"POST {path} should have been refused with {status}, but was answered {answer.status}")
        return answer

    async def everything(self, path: str, who: Actor | None = None, **query: object) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        after = None
        while True:
            page = await self.get(path, who, limit=200, after=after, **query)
            items += page["items"]
            after = page.get("next")
            if after is None:
                return items

    def _token(self, who: Actor) -> str:
        until, token = self._tokens.get(who, (0.0, ""))
        if time.monotonic() > until:
            roles = [Grant(role, at) for role, at in who.roles]
            token = sign(self._pem, self._kid, issuer=self._issuer, person=who.id, roles=roles)
            self._tokens[who] = (time.monotonic() + TOKEN_SECONDS, token)
        return token


async def until(
    look: Callable[[], Awaitable[Value | None]],
    *,
    what: str,
    seconds: float = 30.0,
    every: float = 0.12,
    first: float = 0.0,
) -> Value:
    """The first thing that a look finds; Missed, with `what` was waited for, when the time is over.

    Looks after `first` seconds, then after `every`, and ever more seldom.
    """
    deadline = time.monotonic() + seconds
    pause, longest = every, max(0.6, every * 4)
    await asyncio.sleep(first)
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Missed(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(pause)
        pause = min(pause * 1.4, longest)

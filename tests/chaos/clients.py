"""Callers as real clients are: they repeat a call whose answer was lost, with the same key, and know what they know."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from chaos.evidence import Told
from support.system import System

PATIENCE = 150.0
_AWAY = {502, 503, 504}


class Answer(NamedTuple):
    """A certain answer. `repeated` says that an earlier one to the same call may have been lost."""

    status: int
    body: Any
    repeated: bool


class Silence(Exception):
    """No certain answer within a client's patience: it does not know what became of its call."""


class Clients:
    """Calls through the gateway, and what they were told."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.told: list[Told] = []
        self.strange: list[str] = []
        self.unsure = 0
        self.lost_answers = 0
        self.base = f"{system.topology.gateway_url}/api"
        self.detours: dict[str, str] = {}  # services whose calls go to another address, until somebody takes it away
        self._http = httpx.AsyncClient(trust_env=False, timeout=15, limits=httpx.Limits(max_connections=40))

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: object = None,
        base: str | None = None,
        **query: str,
    ) -> Answer:
        """The first certain answer to a call that is repeated until it has one. Raises Silence without any."""
        deadline, repeated, pause = time.monotonic() + PATIENCE, False, 0.1
        while time.monotonic() < deadline:
            try:
                got = await self._http.request(
                    method, self._address(path, base), json=body, headers=dict(headers), params=query
                )
                if got.status_code not in _AWAY:
                    content = got.json()
                    if not (got.status_code == 409 and str(content.get("type")).endswith("in-progress")):
                        if got.status_code >= 500:
                            self.strange.append(f"{method} {path} answered {got.status_code}: {got.text[:200]}")
                        return Answer(got.status_code, content, repeated)
            except (httpx.TransportError, ValueError):
                self.lost_answers += 1
            repeated = True
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        raise Silence(f"{method} {path}")

    def _address(self, path: str, base: str | None) -> str:
        service, _, rest = path.partition("/")
        if base is None and service in self.detours:
            return f"{self.detours[service]}/{rest}"
        return f"{base or self.base}/{path}"

    async def place(self, order: Mapping[str, Any], key: str, base: str | None = None) -> str | None:
        """The id of an order that was certainly placed. `base` names another address than the gateway's."""
        path = "requests/v1/requests" if base is None else "v1/requests"
        try:
            answer = await self.send("POST", path, {"Idempotency-Key": key}, order, base)
        except (Silence, asyncio.CancelledError):
            self.unsure += 1
            raise
        if answer.status != 201:
            self.strange.append(f"POST {path} answered {answer.status}: {str(answer.body)[:200]}")
            return None
        placed = str(answer.body["id"])
        self.told.append(Told("place", placed, key=key))
        return placed

    async def move(
        self, what: str, path: str, headers: Mapping[str, str], body: object, about: Told, legal: tuple[int, ...] = ()
    ) -> bool:
        """Whether a move certainly succeeded, which is then recorded as `about`.

        A repeat that is refused may be refused because the lost first call succeeded: neither is then recorded.
        """
        answer = await self.send("POST", path, headers, body)
        if answer.status == 200:
            self.told.append(about)
            return True
        if answer.status not in (409, *legal):
            self.strange.append(f"{what}: {path} answered {answer.status}: {str(answer.body)[:200]}")
        return False

"""One request's journey, as the events alone tell it."""

from typing import Any
from uuid import UUID

import httpx

from lianhu_tools import keys
from lianhu_tools.faults import Fault
from lianhu_tools.looks.databases import ask
from lianhu_tools.topology import Topology

_TENANT = "SELECT tenant FROM requests WHERE id = $1::uuid"


async def timeline(topology: Topology, request: str) -> list[dict[str, Any]]:
    """The steps that reporting knows of a request: service, step, at, by.

    Raises Fault when the id is none, nobody knows it, or reporting is away.
    """
    try:
        identifier = str(UUID(request))
    except ValueError:
        raise Fault(f"{request!r} is no request's id; say id=<UUID>, as an order's answer gives it.") from None
    bearer = keys.token(topology.keys, "supervisor", await _tenant(topology, identifier))
    address = f"{topology.api_url('reporting')}/v1/requests/{identifier}/timeline"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.get(address, headers={"Authorization": f"Bearer {bearer}"})
    except httpx.HTTPError as error:
        raise Fault(f"reporting is away ({type(error).__name__}); see `make status`.") from error
    if answer.status_code == 404:
        raise Fault(f"reporting has not heard of request {identifier} yet; see `make lag`.")
    if answer.status_code != 200:
        raise Fault(f"reporting says {answer.status_code}: {answer.text[:300]}")
    steps: list[dict[str, Any]] = answer.json()["steps"]
    return steps


async def _tenant(topology: Topology, request: str) -> str:
    """The village of a request; the token is then good for that village alone."""
    tenant: str | None = await ask(topology, "requests", _TENANT, request)
    if tenant is None:
        raise Fault(f"There is no request {request}.")
    return tenant

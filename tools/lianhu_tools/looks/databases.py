"""Looks into the services' databases, on the developer's machine only and as the cluster's superuser."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import asyncpg

from lianhu_tools.faults import Fault
from lianhu_tools.local.system import cluster_of
from lianhu_tools.processes import listens
from lianhu_tools.stores.server import SUPERUSER
from lianhu_tools.topology import HOST, SERVICES, Topology

_PARKED = """
SELECT parked.id, parked.topic, parked.key, parked.sequence, parked.type, parked.tenant, parked.reason,
       parked.parked_at, decided.verdict
FROM parked LEFT JOIN parked_decisions AS decided ON decided.parked_id = parked.id
ORDER BY parked.id DESC LIMIT $1
"""


@dataclass(frozen=True)
class ParkedRow:
    """An event that a service could not take in, and why; `decided` until the worker has carried it out."""

    service: str
    id: int
    topic: str
    key: str
    sequence: int | None
    type: str | None
    tenant: str
    reason: str
    at: datetime
    decided: str | None = None


async def fetch(topology: Topology, service: str, query: str, *values: object) -> list[asyncpg.Record]:
    """Rows of a service's database, whatever their village. Raises Fault when it is away."""
    try:
        connection = await asyncpg.connect(cluster_of(topology).url(SUPERUSER, service), timeout=5)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *values)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Fault(f"The database of {service} is away ({type(error).__name__}); see `make status`.") from error
    return rows


async def ask(topology: Topology, service: str, query: str, *values: object) -> Any:
    """The first value of the first row, or None."""
    rows = await fetch(topology, service, query, *values)
    return rows[0][0] if rows else None


async def parked(topology: Topology, only: str = "", limit: int = 100) -> list[ParkedRow]:
    """The latest parked events of one service or all, newest first. Raises Fault when a database is away."""
    rows: list[ParkedRow] = []
    for service in (only,) if only else SERVICES:
        found = await fetch(topology, service, _PARKED, limit)
        rows += [ParkedRow(service, *row.values()) for row in found]
    return rows


def psql(topology: Topology, service: str, arguments: Sequence[str]) -> NoReturn:
    """Becomes psql on a service's database. Raises Fault for an unknown service or when the cluster is away."""
    require_service(service)
    cluster = cluster_of(topology)
    if not listens(topology.postgres_port):
        raise Fault(f"PostgreSQL does not listen on port {topology.postgres_port}; run `make up`.")
    program = str(cluster.binaries / "psql")
    place = ["-h", HOST, "-p", str(topology.postgres_port), "-U", SUPERUSER, "-d", service]
    environment = {**os.environ, "PGPASSWORD": cluster.password, "PGAPPNAME": "lianhu psql"}
    os.execve(program, [program, *place, *arguments], environment)  # noqa: S606 - no shell is wanted


def require_service(service: str) -> None:
    """Raises Fault where there is no such service."""
    if service not in SERVICES:
        raise Fault(f"There is no service {service!r}; say s= one of {', '.join(SERVICES)}.")

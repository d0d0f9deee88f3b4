"""Reads what databases, topics and reports say of one village, as the superuser and as an outside consumer."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from chaos.evidence import Assignment, Delivery, Event, Evidence, Line
from chaos.workload import Workload
from lianhu_tools.looks.databases import fetch
from support.contracts import check
from support.system import System, headers_of, key_of

TOPICS = ("lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1")
LATE = timedelta(seconds=5)
_FIELDS = ("submitted", "volunteer_person_times")


async def gather(system: System, work: Workload) -> Evidence:
    """Everything as it stands now. Raises when a store or reporting cannot be read."""
    tenant = work.place.tenant
    found = Evidence(told=list(work.clients.told), unsure=work.clients.unsure, strange=list(work.clients.strange))
    found.clerks = {work.place.clerk}
    found.span = (work.began, datetime.now(UTC) + LATE)

    async def rows(service: str, query: str) -> list[Any]:
        return await fetch(system.topology, service, query, tenant)

    for row in await rows("requests", "SELECT id, status, sequence FROM requests WHERE tenant = $1"):
        found.statuses[str(row["id"])] = row["status"]
        found.lines[Line(TOPICS[0], str(row["id"]))] = row["sequence"]
    for row in await rows("dispatch", "SELECT id, sequence FROM requests WHERE tenant = $1"):
        found.lines[Line(TOPICS[1], str(row["id"]))] = row["sequence"]
    held: dict[str, set[str]] = {}
    for row in await rows("dispatch", "SELECT * FROM holdings WHERE tenant = $1 AND ended_at IS NULL"):
        held.setdefault(str(row["assignment_id"]), set()).add(str(row["person"]))
    for row in await rows("dispatch", "SELECT * FROM assignments WHERE tenant = $1"):
        id = str(row["id"])
        holders = frozenset(held.get(id, ()))
        found.assignments[id] = Assignment(str(row["request_id"]), row["places"], row["taken"], row["state"], holders)
    for row in await rows("notifications", "SELECT * FROM deliveries WHERE tenant = $1"):
        request, person = (str(row[name]) if row[name] else None for name in ("request_id", "person"))
        found.lines[Line(TOPICS[2], str(row["id"]))] = row["sequence"]
        found.deliveries.append(
            Delivery(str(row["id"]), row["recipient"], row["about"], row["template"], row["attempt"], request, person)
        )
    facts = "SELECT request_id, status FROM facts JOIN generations USING (generation) WHERE state = 'active'"
    for row in await rows("reporting", f"{facts} AND tenant = $1"):
        found.facts[str(row["request_id"])] = row["status"]
    for service in ("requests", "dispatch", "notifications"):
        (row,) = await rows(service, "SELECT count(*) FROM outbox WHERE tenant = $1")
        found.unsent += row[0]
    for service in ("requests", "dispatch", "notifications", "reporting"):
        for table in ("parked", "waiting"):
            (row,) = await rows(service, f"SELECT count(*) FROM {table} WHERE tenant = $1")
            found.set_apart += row[0]
    await _tallies(system, tenant, found)
    await asyncio.to_thread(_events, system, tenant, found)
    return found


async def _tallies(system: System, tenant: str, found: Evidence) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=15) as client:
        answer = await client.get(
            f"{system.url('reporting')}/v1/tallies",
            params={"org": tenant},
            headers=system.bearer("clerk", tenant),
        )
    answer.raise_for_status()
    total = answer.json()["total"]
    found.tallies = {name: total[name] for name in _FIELDS}
    inside = {name: number for name, number in total["now"].items() if name not in ("open", "overdue", "suspended")}
    found.tallies |= {f"now.{name}": number for name, number in inside.items()}


def _events(system: System, tenant: str, found: Evidence) -> None:
    for message in system.events(TOPICS):
        headers = headers_of(message)
        if headers.get("ce_tenant") != tenant:
            continue
        try:
            event = check(message)
        except AssertionError as broken:
            found.strange.append(str(broken))
            continue
        found.events.append(
            Event(
                str(message.topic()),
                key_of(message),
                event.id,
                event.sequence,
                event.type,
                event.data,
                datetime.fromisoformat(headers["ce_time"]),
            )
        )

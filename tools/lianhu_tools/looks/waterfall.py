"""One request's way through the services, call by call, from the services' own records.

An outbox row says what caused it (`causationid`: a call's id, or the event that a service had taken in), when it was
recorded and when the broker had acknowledged it; a service's positions say whether it has taken an event in.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lianhu_tools.faults import Fault
from lianhu_tools.looks.databases import fetch
from lianhu_tools.topology import SERVICES, Topology

BAR = 40
_COLUMNS = "id::text, aggregatetype, aggregateid, sequence, type, time, traceparent, causationid"
_KEPT = f"""
SELECT {_COLUMNS}, NULL AS published_at FROM outbox WHERE aggregateid = ANY($1)
UNION ALL SELECT {_COLUMNS}, published_at FROM published WHERE aggregateid = ANY($1) AND published_at >= $2
"""
_DELIVERIES = "SELECT id::text FROM deliveries WHERE request_id = $1::uuid"
_POSITIONS = """
SELECT topic, key, max(last) AS last FROM positions
WHERE key = ANY($1) AND generation = (SELECT max(generation) FROM positions) GROUP BY topic, key
"""


@dataclass
class Hop:
    """One event: who recorded it and when, when the broker had it, who has taken it in, and what came of it."""

    id: str
    service: str
    type: str
    topic: str
    key: str
    sequence: int
    cause: str
    trace: str
    at: datetime
    published: datetime | None
    taken: list[str] = field(default_factory=list)
    then: list["Hop"] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For scripts; times as RFC 3339."""
        shown = {**asdict(self), "at": self.at.isoformat(), "then": [hop.as_json() for hop in self.then]}
        return {**shown, "published": self.published.isoformat() if self.published else None}


def grown(hops: Sequence[Hop]) -> list[Hop]:
    """The events below what caused them; those that no known event caused are the roots, oldest first."""
    known = {hop.id: hop for hop in hops}
    roots: list[Hop] = []
    for hop in sorted(hops, key=lambda hop: (hop.at, hop.topic, hop.sequence)):
        cause = known.get(hop.cause)
        (roots if cause is None or cause is hop else cause.then).append(hop)
    return roots


def drawn(roots: Sequence[Hop]) -> Iterator[str]:
    """Lines of a terminal: a block for each call, with a bar from recorded to acknowledged in its time."""
    block: str | None = None
    for root in roots:
        whole = list(_below(root))
        if root.cause != block:
            block = root.cause
            yield f"call {root.cause}  trace {root.trace}  {root.at.isoformat(timespec='milliseconds')}"
        span = max((_ends(hop) - root.at).total_seconds() for hop, _, _ in whole) or 0.001
        for hop, before, depth in whole:
            start = (hop.at - root.at).total_seconds()
            length = (_ends(hop) - hop.at).total_seconds()
            left = min(BAR - 1, int(start / span * BAR))
            bar = (" " * left + "█" * max(1, round(length / span * BAR)))[:BAR]
            name = f"{'  ' * depth}{'└ ' if depth else ''}{hop.service}: {hop.type.removeprefix('lianhu.')}"
            since = (hop.at - (before.at if before else root.at)).total_seconds()
            out = "not published" if hop.published is None else f"out {_seconds(length)}"
            taken = f"  → {', '.join(hop.taken)}" if hop.taken else ""
            yield f"  {name:<58} |{bar:<{BAR}}| +{_seconds(since):<9} {out}{taken}"


def _below(hop: Hop, before: Hop | None = None, depth: int = 0) -> Iterator[tuple[Hop, Hop | None, int]]:
    yield hop, before, depth
    for following in hop.then:
        yield from _below(following, hop, depth + 1)


def _ends(hop: Hop) -> datetime:
    return max(hop.at, hop.published or hop.at)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"


def earliest(request: str) -> datetime:
    """A day before the request's id was made, by the time that it carries (UUIDv7): no event about it was sent sooner.

    `published` has a partition a day and no index by key, which every event would pay for: older days are passed over.
    """
    identifier = UUID(request)
    if identifier.version != 7:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC) - timedelta(days=1)


async def hops(topology: Topology, request: str) -> list[Hop]:
    """Every event about a request that the services keep. Raises Fault when none can be asked."""
    try:
        deliveries = [row[0] for row in await fetch(topology, "notifications", _DELIVERIES, request)]
    except Fault:
        deliveries = []
    keys = [request, *deliveries]
    kept = await asyncio.gather(*(_kept(topology, service, keys, earliest(request)) for service in SERVICES))
    found = [hop for each in kept for hop in each]
    places = await asyncio.gather(*(_positions(topology, service, keys) for service in SERVICES))
    for service, positions in zip(SERVICES, places, strict=True):
        for hop in found:
            if positions.get((hop.topic, hop.key), 0) >= hop.sequence:
                hop.taken.append(service)
    return found


async def _kept(topology: Topology, service: str, keys: list[str], since: datetime) -> list[Hop]:
    try:
        rows = await fetch(topology, service, _KEPT, keys, since)
    except Fault:
        return []
    return [
        Hop(
            row["id"], service, row["type"], row["aggregatetype"], row["aggregateid"], row["sequence"],
            row["causationid"], row["traceparent"][3:35], row["time"], row["published_at"],
        )
        for row in rows
    ]  # fmt: skip


async def _positions(topology: Topology, service: str, keys: list[str]) -> dict[tuple[str, str], int]:
    try:
        rows = await fetch(topology, service, _POSITIONS, keys)
    except Fault:
        return {}
    return {(row["topic"], row["key"]): row["last"] for row in rows}

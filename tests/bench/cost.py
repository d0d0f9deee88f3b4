"""What one order costs in processor, rows, bytes and events, by part: `python -m bench.cost --volunteers 40`.

A local system of its own takes so many orders through the whole loop: placed, accepted, offered, claimed, checked in,
completed, confirmed by a call back, told and tallied. What the system needs at rest in the same time is measured first
and taken off. docs/sizing.md stands on these figures.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

from lianhu_tools import processes
from lianhu_tools.looks.broker import lag
from lianhu_tools.looks.databases import ask, fetch
from lianhu_tools.topology import SERVICES
from support.conditions import eventually
from support.settlement import Settlement
from support.system import System

AT_ONCE = 6
REST_SECONDS = 20.0
_SIZES = """
SELECT coalesce(parent.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid))::bigint AS bytes,
       sum(pg_indexes_size(c.oid))::bigint AS indexes
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
"""
_ROWS = "SELECT count(*) FROM requests WHERE tenant = $1 AND status = 'closed_confirmed'"
_FACTS = """
SELECT count(*) FROM facts JOIN generations USING (generation)
WHERE state = 'active' AND tenant = $1 AND status = 'closed_confirmed'
"""


@dataclass
class Seen:
    """The state of everything at one moment."""

    at: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)  # of processor, by process
    rows: dict[str, int] = field(default_factory=dict)  # by service/table
    bytes: dict[str, int] = field(default_factory=dict)  # by service/table, with indexes
    indexes: dict[str, int] = field(default_factory=dict)
    log: int = 0  # PostgreSQL's write-ahead log, bytes
    topics: dict[str, int] = field(default_factory=dict)  # bytes on the broker's disk
    calls: int = 0


def busy(system: System) -> Seen:
    """What each process has used of the processor until now."""
    seen = Seen(at=time.monotonic())
    own = {
        name: entry for name, entry in system.pids().items() if name != "supervisor"
    }  # whose children all others are
    for name, entry in own.items():
        for role, pid in entry.items() if isinstance(entry, dict) else [("", entry)]:
            number = pid[0] if isinstance(pid, list) else pid
            seen.seconds[f"{name} {role}".strip()] = _processor(number)
    return seen


async def look(system: System, calls: int = 0) -> Seen:
    """Everything as it is now; tables are vacuumed first."""
    for service in SERVICES:
        await fetch(system.topology, service, "VACUUM")
    seen = busy(system)
    seen.calls = calls
    for service in SERVICES:
        tables = [row[0] for row in await fetch(system.topology, service, _TABLES)]
        counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
        seen.rows |= {f"{service}/{name}": number for name, number in await fetch(system.topology, service, counts)}
        for row in await fetch(system.topology, service, _SIZES):
            seen.bytes[f"{service}/{row['name']}"] = row["bytes"]
            seen.indexes[f"{service}/{row['name']}"] = row["indexes"]
    where = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
    seen.log = await ask(system.topology, SERVICES[0], where)
    for segment in (system.root / ".lianhu" / "kafka" / "broker").rglob("lianhu.*/*.log"):
        topic = segment.parent.name.rpartition("-")[0]
        seen.topics[topic] = seen.topics.get(topic, 0) + segment.stat().st_size
    return seen


def _processor(pid: int) -> float:
    """Seconds of processor of a process, its children, and those that ended before."""
    total = 0.0
    process = psutil.Process(pid)
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if each.pid == pid:
            total += times.children_user + times.children_system
    return total


class Loop:
    """Takes orders through the whole loop."""

    def __init__(self, system: System, place: Settlement, client: httpx.AsyncClient) -> None:
        self._system = system
        self._place = place
        self._client = client
        self._back = str(uuid4())
        self.calls = 0

    async def many(self, number: int) -> None:
        """So many orders, some at once."""
        left = iter(range(number))

        async def some() -> None:
            for _ in left:
                await self.one()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def one(self) -> None:
        """One order from its placing to its grade."""
        place = self._place
        clerk = self._system.bearer("clerk", place.tenant, place.clerk)
        request = (await self._ask("requests", "requests", place.order())).json()["id"]
        body = {"summary": "搬一个旧柜子", "grid": place.grid}
        await self._ask("requests", f"requests/{request}/accept", body, clerk)
        person = place.volunteers[hash(request) % len(place.volunteers)]
        volunteer = self._system.bearer("volunteer", place.tenant, person)
        assignment = await eventually(lambda: self._offered(request, volunteer), timeout=120, pause=1.0)
        for step, report in (
            ("claim", None),
            ("check-in", None),
            ("complete", {"result": "搬好了", "minutes": 20, "served_person_times": 1}),
        ):
            await self._ask("dispatch", f"assignments/{assignment}/{step}", report, volunteer)
        back = self._system.bearer("clerk", place.tenant, self._back)
        word = {"solved": "yes", "grade": 5, "by": "callback"}
        await eventually(lambda: self._confirmed(request, word, back), timeout=120, pause=1.0)

    async def _ask(
        self, service: str, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        self.calls += 1
        answer = await self._client.post(f"{self._system.url(service)}/v1/{path}", json=body, headers=headers)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    async def _offered(self, request: str, headers: Mapping[str, str]) -> str | None:
        self.calls += 1
        params = {"mine": "offered", "request": request}
        url = f"{self._system.url('dispatch')}/v1/assignments"
        items = (await self._client.get(url, params=params, headers=headers)).json()["items"]
        return str(items[0]["id"]) if items else None

    async def _confirmed(self, request: str, word: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
        self.calls += 1
        url = f"{self._system.url('requests')}/v1/requests/{request}/confirm"
        return (await self._client.post(url, json=word, headers=headers)).status_code == 200

    async def settled(self) -> None:
        """Waits until nothing is on its way any more."""

        async def quiet() -> bool:
            total = (await lag(self._system.topology)).total
            there = await ask(self._system.topology, "requests", _ROWS, self._place.tenant)
            return bool(
                total == 0 and there == await ask(self._system.topology, "reporting", _FACTS, self._place.tenant)
            )

        await eventually(quiet, timeout=300, pause=3.0)
        await asyncio.sleep(3)


async def measure(system: System, orders: int, volunteers: int) -> dict[str, Any]:
    """The figures for one order, by part; every order is offered to so many volunteers, each of whom is told."""
    place = Settlement(volunteers=[str(uuid4()) for _ in range(volunteers)])
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        await place.settle(system, client)
        loop = Loop(system, place, client)
        await loop.many(AT_ONCE * 2)
        await loop.settled()
        rest = [busy(system)]
        await asyncio.sleep(REST_SECONDS)
        rest.append(busy(system))
        before = await look(system, loop.calls)
        await loop.many(orders)
        took = time.monotonic() - before.at
        await loop.settled()
        after = await look(system, loop.calls)
    return _told(orders, took, rest, before, after)


def _told(orders: int, took: float, rest: list[Seen], before: Seen, after: Seen) -> dict[str, Any]:
    idle = {
        name: (rest[1].seconds[name] - rest[0].seconds[name]) / (rest[1].at - rest[0].at) for name in before.seconds
    }
    whole = after.at - before.at
    per = 1000 / orders
    work = {name: (after.seconds[name] - before.seconds[name] - idle[name] * whole) * per for name in before.seconds}
    tables = {
        name: {
            "rows": round((after.rows[name] - before.rows[name]) / orders, 2),
            "bytes": round((after.bytes[name] - before.bytes[name]) / orders),
            "indexes": round((after.indexes[name] - before.indexes[name]) / orders),
        }
        for name in sorted(after.bytes)
        if after.bytes[name] != before.bytes[name] or after.rows[name] != before.rows[name]
    }
    databases = {s: sum(each["bytes"] for name, each in tables.items() if name.startswith(f"{s}/")) for s in SERVICES}
    return {
        "orders": orders,
        "seconds": round(took, 1),
        "calls of an order": round((after.calls - before.calls) / orders, 1),
        "processor ms of an order": {name: round(ms, 1) for name, ms in sorted(work.items())},
        "processor ms of an order, all": round(sum(work.values()), 1),
        "processor at rest, percent of a core": {name: round(share * 100, 2) for name, share in sorted(idle.items())},
        "bytes of an order by database": databases,
        "bytes of an order by table": tables,
        "write-ahead log bytes of an order": round((after.log - before.log) / orders),
        "topic bytes of an order": {
            name: round((size - before.topics.get(name, 0)) / orders)
            for name, size in sorted(after.topics.items())
            if size != before.topics.get(name, 0)
        },
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    }


def main() -> int:
    """Prints the figures as JSON."""
    asked = argparse.ArgumentParser(prog="python -m bench.cost")
    asked.add_argument("--orders", type=int, default=200)
    asked.add_argument("--volunteers", type=int, default=40, help="to how many each order is offered")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="lianhu cost ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        bases = range(30_000, 60_000, 200)
        free = next(b for b in bases if all(not processes.listens(b + n) for n in (*range(15), 32, 92, 93)))
        system = System(root, int(os.environ.get("LIANHU_PORT_BASE") or free))
        try:
            system.up()
            print(json.dumps(asyncio.run(measure(system, given.orders, given.volunteers)), indent=2))
        finally:
            system.lianhu("down")
            system.lianhu("clean")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every page among a hundred thousand requests: its time on the server, beside the bare queries that it makes.

The page goes through the whole application and its database; then the statements that it sent, with the values that it
gave them, go over one connection of the same role, in one transaction and in turns with the page.
"""

import importlib
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg
import httpx
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.crowds import BIG, COUNTY, ORDINARY, fill, someone
from bench.house import House
from bench.intake import LIMITS
from bench.ratios import Ratio
from support.browsing import Person
from support.people import bearer

ROWS = min(int(os.environ.get("BENCH_ROWS", "100000")), 100_000)
ROUNDS = 40
LATE = 0.95
_ID = re.compile(r"[0-9a-f-]{36}")
Connection: TypeAlias = "asyncpg.Connection[Any]"
Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Looker:
    """Somebody who opens pages: roles (none: nobody signed in), who they are, and the pages."""

    name: str
    roles: list[tuple[str, str]] | None
    person: Any
    paths: tuple[str, ...]


def of_requests(newest: str) -> list[Looker]:
    """Pages of residents, desk, town and administration; `newest` is an open request of the big village."""
    resident = uuid4()
    return [
        Looker("anybody", None, None, ("/", "/order", f"/order/services?tenant={BIG}", f"/order/{BIG}/tap", "/track",
                                       "/sign-in")),
        Looker("resident", [("resident", "")], resident, ("/track/mine", "/sign-in/mail")),
        Looker("clerk", [("clerk", BIG)], uuid4(), ("/desk", "/desk?queue=out", "/desk/new", f"/desk/{newest}")),
        Looker("clerk of a village", [("clerk", ORDINARY)], uuid4(), ("/desk",)),
        Looker("supervisor", [("supervisor", COUNTY)], uuid4(), ("/desk/town", "/desk/town/samples")),
        Looker("admin", [("admin", COUNTY)], uuid4(), ("/desk/admin", f"/desk/admin/units/{BIG}",
                                                      f"/desk/admin/catalogue/{BIG}", f"/desk/admin/people/{BIG}")),
    ]  # fmt: skip


def of_dispatch(_newest: str) -> list[Looker]:
    """Pages of volunteers and of the board."""
    return [
        Looker("volunteer", [("volunteer", BIG)], someone(BIG, 1), ("/tasks", "/tasks/record")),
        Looker("leader", [("grid_leader", f"{BIG}001")], uuid4(), ("/board", "/board/today", "/board/supervised")),
    ]


def of_notifications(_newest: str) -> list[Looker]:
    """Inbox, calls and choices."""
    return [
        Looker("resident", [("resident", "")], someone(BIG), ("/inbox", "/inbox/brought", "/preferences")),
        Looker("clerk", [("clerk", BIG)], uuid4(), ("/calls",)),
    ]


def of_reporting(_newest: str) -> list[Looker]:
    """What a clerk and a town look at."""
    return [
        Looker("clerk", [("clerk", BIG)], uuid4(), ("/reports", "/reports/figures/now.open", "/reports/bulletin")),
        Looker("supervisor", [("supervisor", COUNTY)], uuid4(), ("/reports",)),
    ]


SERVICES: dict[str, Callable[[str], list[Looker]]] = {
    "requests": of_requests, "dispatch": of_dispatch, "notifications": of_notifications, "reporting": of_reporting,
}  # fmt: skip


async def measure(house: House, rounds: int) -> list[Ratio]:
    """p95 of each page and of its bare queries, in turns."""
    ratios = []
    for service, lookers in SERVICES.items():
        ratios += await _of_service(house, service, lookers, max(rounds, 20))
    return ratios


async def _of_service(house: House, service: str, lookers: Callable[[str], list[Looker]], rounds: int) -> list[Ratio]:
    urls = await house.database(service)
    rows = await house.connect(urls.owner)
    await fill(rows, service, ROWS)
    os.environ.update(house.environment(service, "api", urls.api))
    settings = importlib.import_module(f"{service}_service.settings").Settings()
    app = importlib.import_module(f"{service}_service.app").create_app(settings)
    bare = await asyncpg.connect(urls.api)
    ratios = []
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{service}", timeout=60) as client:
            if service == "requests":
                await _furnish(client)
            newest = (
                await rows.fetchval("SELECT max(id::text) FROM requests WHERE tenant = $1", BIG)
                if (service == "requests")
                else ""
            )
            for looker in lookers(newest):
                for path in looker.paths:
                    ratios.append(await _page(client, app.state.database.engine, bare, looker, path, rounds))
                    print(f"  {ratios[-1].check}: {ratios[-1].figures}", flush=True)
        if bells := getattr(app.state, "doorbells", None):
            bells.stop()
    await bare.close()
    await rows.close()
    return ratios


async def _furnish(client: httpx.AsyncClient) -> None:
    """Names and one service for the villages that are looked at."""
    for place in (BIG, ORDINARY):
        unit = {"code": place, "name": "示例村", "settings": {"always_working": True}}
        service = {"tenant": place, "code": "tap", "name": "水龙头", "kind": "convenience", "limits": LIMITS}
        for path, item in (("/v1/org-units", unit), ("/v1/services", service)):
            answer = await client.put(path, json={"items": [item]}, headers=bearer("admin", place))
            answer.raise_for_status()


async def _page(
    client: httpx.AsyncClient, engine: AsyncEngine, bare: Connection, looker: Looker, path: str, rounds: int
) -> Ratio:
    person = Person(client, looker.roles, looker.person, language="zh-CN")
    with _listened(engine) as sent:
        page = await person.get(path)
    if page.status != 200:
        raise RuntimeError(f"{path} was answered {page.status} to the {looker.name}")
    for _ in range(3):
        await person.get(path)
        await _replay(bare, sent)
    pages, queries = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        await person.get(path)
        pages.append((time.perf_counter() - began) * 1000)
        queries.append(await _replay(bare, sent))
    late, bare_late = _late(pages), _late(queries)
    figures = (
        f"p50 {statistics.median(pages):.1f} ms, p95 {late:.1f} ms; {len(sent)} statements, p95 {bare_late:.1f} ms"
    )
    name = f"{_ID.sub('…', path.replace(BIG, '…')).split('?')[0]} ({looker.name}), page / its queries, p95"
    return Ratio(name, late / bare_late if sent else float("nan"), None, None, rounds, figures)


def _late(taken: Sequence[float]) -> float:
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * LATE))]


@contextmanager
def _listened(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """What passes through an engine in the block."""
    sent: list[Statement] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        sent.append((statement, tuple(values or ())))

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def _replay(bare: Connection, sent: Sequence[Statement]) -> float:
    """The statements over one connection, milliseconds for all."""
    began = time.perf_counter()
    async with bare.transaction():
        for statement, values in sent:
            await bare.fetch(statement, *values)
    return (time.perf_counter() - began) * 1000

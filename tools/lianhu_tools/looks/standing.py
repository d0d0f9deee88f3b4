"""How each service stands, for one screen: its version, migrations, lag, and the oldest of what waits."""

import asyncio
import subprocess
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.looks import broker
from lianhu_tools.looks.databases import fetch
from lianhu_tools.topology import SERVICES, Topology

SECONDS = 2.0
_SOURCES = Path(__file__).resolve().parents[3]
_BOOKS = """
SELECT (SELECT max(version_num) FROM alembic_version) AS revision,
       (SELECT count(*) FROM outbox) AS unpublished,
       (SELECT extract(epoch FROM clock_timestamp() - min(time))::float FROM outbox) AS oldest,
       (SELECT extract(epoch FROM clock_timestamp() - min(due_at))::float FROM timers
        WHERE due_at < clock_timestamp()) AS overdue,
       (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM parked) AS parked
"""


@dataclass(frozen=True)
class Standing:
    """One service's figures, ages in seconds; None where nothing waits or where it could not be asked (`away`)."""

    service: str
    version: str
    head: str
    revision: str | None = None
    lag: int | None = None
    unpublished: int | None = None
    oldest_unpublished: float | None = None
    oldest_overdue: float | None = None
    waiting: int | None = None
    parked: int | None = None
    away: str | None = None

    def next(self) -> list[str]:
        """What to do about it, most urgent first."""
        name = self.service
        found = [(self.away is not None, f"{name}: {self.away} See `make logs s=postgres`.")]
        found += [
            (
                self.revision is not None and self.revision < self.head,
                f"{name}: its database is at {self.revision}, the sources at {self.head}: `make down && make up`.",
            ),
            ((self.oldest_unpublished or 0) > 60, f"{name}: events are not published: see `make logs s={name}`."),
            ((self.oldest_overdue or 0) > 120, f"{name}: timers are late: see `make logs s={name}`."),
            (bool(self.parked), f"{name}: {self.parked} events are parked: `make parked` says why."),
        ]
        return [words for holds, words in found if holds]


def head_of(service: str, sources: Path = _SOURCES) -> str:
    """The newest revision in the sources of a service; '?' where there are none."""
    files = (sources / "services" / service / "migrations" / "versions").glob("[0-9]*.py")
    return max((file.name.partition("_")[0] for file in files), default="?")


def version_of(service: str) -> str:
    """The version of a service's installed distribution."""
    try:
        return version(f"lianhu-{service}")
    except PackageNotFoundError:
        return "?"


def commit(sources: Path = _SOURCES) -> str:
    """What the clone stands at, as git describes it; empty without git."""
    command = ["git", "-C", str(sources), "describe", "--always", "--dirty", "--tags"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


async def standings(topology: Topology) -> list[Standing]:
    """Every service, all asked at once, each within two seconds; never raises for a part that is down."""
    asked = asyncio.gather(*(_book(topology, service) for service in SERVICES))
    lags, books = await asyncio.gather(_lags(topology), asked)
    return [replace(book, lag=lags.get(book.service)) for book in books]


async def _lags(topology: Topology) -> dict[str, int]:
    """Events that a service has not read; empty where the broker cannot be asked."""
    sums: dict[str, int] = {}
    try:
        async with asyncio.timeout(SECONDS):
            for row in await broker.read(topology):
                sums[row.service] = sums.get(row.service, 0) + row.lag
    except (Fault, TimeoutError):
        return {}
    return sums


async def _book(topology: Topology, service: str) -> Standing:
    known = Standing(service, version_of(service), head_of(service))
    try:
        async with asyncio.timeout(SECONDS):
            [row] = await fetch(topology, service, _BOOKS)
    except (Fault, TimeoutError):
        return replace(known, away="its database does not answer.")
    return replace(
        known,
        revision=row["revision"],
        unpublished=row["unpublished"],
        oldest_unpublished=row["oldest"],
        oldest_overdue=row["overdue"],
        waiting=row["waiting"],
        parked=row["parked"],
    )

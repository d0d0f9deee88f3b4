"""`lianhu backup` and `lianhu restore`: one service's database comes back from a backup while the others go on."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from lianhu_tools.faults import Fault
from lianhu_tools.local import restarting
from lianhu_tools.local.rebuilding import service_does
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores import backups, exchange, fences, recovery
from lianhu_tools.stores.backups import Backup
from lianhu_tools.stores.fences import Fence
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.topology import Topology

SHOWN = 20


def backup(topology: Topology, service: str, out: Console) -> None:
    """A base backup of the cluster, with its log archived from then on; with a service, a dump of that one alone."""
    began, cluster = time.monotonic(), cluster_of(topology)
    made = backups.dump(cluster, service) if service else backups.base(cluster)
    out.print(f"{made.name}: {made.megabytes:.0f} MB in {time.monotonic() - began:.1f} s, in {made.path.parent}")
    if made.is_base:
        out.print(
            f"The log is archived to {cluster.log_archive} from now on; the newest {backups.KEPT} bases are kept."
        )
    else:
        out.print("What comes after it is lost with it: only `make backup` without s= goes on with the log.")


@dataclass
class _Restore:
    """One restore under way. Every step says how long it took."""

    topology: Topology
    cluster: Cluster
    service: str
    out: Console
    began: float

    def told(self, words: str) -> None:
        """A step is done."""
        self.out.print(f"{time.monotonic() - self.began:6.1f} s  {words}", markup=False)

    def from_log(self, base: Backup, until: datetime | None) -> tuple[Path, datetime]:
        """The service's database out of the recovered cluster, as a dump; the time of the last commit in it."""
        asyncio.run(backups.seal(self.cluster))
        self.told("the log is archived up to now")
        return asyncio.run(self._from_log(base, until))

    async def _from_log(self, base: Backup, until: datetime | None) -> tuple[Path, datetime]:
        async with recovery.recovered(self.cluster, base, until) as (copy, last):
            await recovery.opened(copy, self.service)
            self.told(f"{base.name} and its log are recovered beside the cluster, up to the commit of {last}")
            dumped = (await asyncio.to_thread(backups.dump, copy, self.service)).path
            file = dumped.rename(self.cluster.backups / f"{self.service}-restoring.dump")
        return file, until or datetime.fromisoformat(last)

    def prepare(self, file: Path, restored: datetime) -> list[Fence]:
        """Fills and migrates the new database under a name of its own, and fences what its topics are ahead of."""
        fresh = f"{self.service}_restoring"
        asyncio.run(exchange.drop(self.cluster, fresh))
        urls = asyncio.run(self.cluster.create(self.service, fresh))
        backups.load(self.cluster, file, fresh)
        self.told("the database is filled")
        service_does(self.topology, self.service, "migrate", "owner", urls)
        found = asyncio.run(self._fence(fresh, restored))
        self.told(f"the topics are compared: {len(found)} keys are ahead of it and fenced")
        return found

    async def _fence(self, fresh: str, restored: datetime) -> list[Fence]:
        async with exchange.connected(self.cluster, fresh) as connection:
            found = await fences.ahead(connection, self.service, self.topology.kafka_bootstrap, restored)
            await fences.put_up(connection, found)
        return found


def restore(topology: Topology, service: str, name: str, to: datetime | None, out: Console, *, sure: bool) -> None:
    """Puts a service's database from a backup in the place of the one it has, or had.

    A base backup goes on with its log to the end, or to `to`. What the topics know and the database no longer does is
    fenced and listed. Raises Fault where it cannot be; then the service has the database that it had.
    """
    if service not in fences.ROWS:
        raise Fault(f"{service} is rebuilt from the topics: `make rebuild s={service}`.")
    cluster = cluster_of(topology)
    chosen = backups.chosen(cluster, service, name)
    if to is not None and not (chosen.is_base and chosen.at < to < datetime.now(UTC)):
        raise Fault(f"to= is a moment after a base backup and before now; {chosen.name} does not lead there.")
    if not sure:
        raise Fault(
            f"{service} would be put back from {chosen.name}"
            f"{_goal(chosen, to)}, and answer 503 meanwhile. Its present database is kept under another name. "
            "Say yes=1 to do it."
        )
    work = _Restore(topology, cluster, service, out, time.monotonic())
    existed = asyncio.run(exchange.close(cluster, service))
    work.told(f"{service} is closed: it answers 503" if existed else f"{service} has no database: it answers 503")
    try:
        file, restored = work.from_log(chosen, to) if chosen.is_base else (chosen.path, chosen.at)
        found = work.prepare(file, restored)
    except BaseException:
        if existed:
            asyncio.run(exchange.reopen(cluster, service))
        raise
    kept = asyncio.run(exchange.exchange(cluster, service, f"{service}_restoring"))
    if chosen.is_base:
        file.unlink()
    work.told("it is the service's database")
    if asyncio.run(restarting.restart(topology, service)):
        work.told(f"{service} is ready")
    _sum_up(out, service, restored, found, kept, to_the_end=chosen.is_base and to is None)


def _goal(chosen: Backup, to: datetime | None) -> str:
    if not chosen.is_base:
        return f" as it was at {chosen.at.isoformat()}"
    return " and its log to the end" if to is None else f" and its log as it was at {to.isoformat()}"


def _sum_up(
    out: Console, service: str, restored: datetime, found: list[Fence], kept: str | None, *, to_the_end: bool
) -> None:
    """What was lost, what is fenced, and what to do next."""
    gone = sum(not fence.held for fence in found)
    if found:
        out.print(
            f"Lost: what was written after {restored.isoformat()}. The topics know of {len(found)} keys more than the "
            f"database does; {gone} of these are not in it at all. Calls that would publish for them answer 409."
        )
        for line in shown(found[:SHOWN]):
            out.print(line, markup=False)
        out.print(f"All of them: make fenced s={service}. To let one go on: make unfence s={service} key=… why=…")
    elif to_the_end:
        out.print("Lost: nothing. The log was whole, and no topic is ahead of the database.")
    else:
        out.print(f"Lost: what was written after {restored.isoformat()} and not published. No topic is ahead.")
    if kept is not None:
        out.print(
            f'What it had is kept as {kept}. When nobody needs it: make psql s={service} c="DROP DATABASE {kept}"'
        )


def shown(found: list[Fence]) -> list[str]:
    """One line a fence."""
    return [
        f"  {fence.topic} {fence.key} in {fence.tenant}{f', number {fence.number}' if fence.number else ''}: "
        f"the database holds {fence.held}, told were {fence.told}, "
        f"last {fence.last_type} at {fence.last_at.isoformat(timespec='seconds')}"
        for fence in found
    ]


def fenced(topology: Topology, service: str) -> list[Fence]:
    """The fences that stand in a service."""

    async def ask() -> list[Fence]:
        async with exchange.connected(cluster_of(topology), service) as connection:
            return await fences.standing(connection)

    return asyncio.run(ask()) if service in fences.ROWS else []


def unfence(topology: Topology, service: str, key: str, why: str, out: Console) -> None:
    """Lets a key, or all, go on from the row as it is. Its next event tells the others where it stands."""
    if service not in fences.ROWS or not key or not why.strip():
        raise Fault("Say what and why: make unfence s=requests key=<key, or all> why='asked the village, it stands'")

    async def ask() -> tuple[int, int]:
        async with exchange.connected(cluster_of(topology), service) as connection:
            return await fences.lift(connection, service, key, why)

    lifted, stay = asyncio.run(ask())
    out.print(f"{lifted} keys go on behind what was told of them.")
    if stay:
        out.print(f"{stay} stay fenced: the database has no row of them to go on with. Place those orders again.")
    out.print(f"Events that {service} could not take in for them are parked: make parked.")

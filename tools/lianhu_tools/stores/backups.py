"""Backups of the local cluster: base backups with the write-ahead log behind them, and dumps of one service.

All lie beside the cluster's data, in `backups`. The log is archived from the first base backup on (Cluster.command).
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lianhu_tools.faults import Fault
from lianhu_tools.stores.exchange import connected
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.stores.server import SUPERUSER

KEPT = 2
STAMP = "%Y%m%dT%H%M%SZ"
ARCHIVE_SECONDS = 60.0


@dataclass(frozen=True)
class Backup:
    """One backup: `base-<time>` of the cluster, or `<service>-<time>.dump` of one service; `at` is its beginning."""

    path: Path

    @property
    def name(self) -> str:
        """What `from=` takes."""
        return self.path.name

    @property
    def is_base(self) -> bool:
        """Whether it is of the whole cluster, and goes on with the log."""
        return self.path.is_dir()

    @property
    def at(self) -> datetime:
        """When it began."""
        stamp = self.name.removesuffix(".dump").rpartition("-")[2]
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)

    @property
    def megabytes(self) -> float:
        """What it takes on the disk."""
        files = [file for file in self.path.rglob("*") if file.is_file()] if self.is_base else [self.path]
        return sum(file.stat().st_size for file in files) / 2**20


def backups(cluster: Cluster) -> list[Backup]:
    """Every whole backup, the oldest first."""
    found = [*cluster.backups.glob("base-*Z"), *cluster.backups.glob("*Z.dump")]
    return sorted((Backup(path) for path in found), key=lambda each: each.at)


def chosen(cluster: Cluster, service: str, name: str) -> Backup:
    """The backup of that name, else the newest base backup, else the newest dump of the service; Fault without any."""
    fitting = [each for each in backups(cluster) if each.is_base or each.name.startswith(f"{service}-")]
    if name:
        for each in fitting:
            if each.name == name:
                return each
        there = ", ".join(each.name for each in fitting) or "none"
        raise Fault(f"There is no backup {name!r} of {service}; there are: {there}.")
    best = sorted(fitting, key=lambda each: (each.is_base, each.at))
    if not best:
        raise Fault(f"There is no backup of {service}. Make one while all is well: `make backup`.")
    return best[-1]


def base(cluster: Cluster) -> Backup:
    """Copies the cluster while it works, begins to archive its log, and forgets all but the newest two bases."""
    _own(cluster, cluster.log_archive)
    began = datetime.now(UTC)
    place = cluster.backups / f"base-{began.strftime(STAMP)}"
    begun = place.with_name(f"{place.name}.begun")
    shutil.rmtree(begun, ignore_errors=True)
    run(cluster, "pg_basebackup", "-D", str(begun), "--checkpoint=fast", "--wal-method=stream", "--no-password")
    begun.rename(place)
    _forget(cluster)
    return Backup(place)


def dump(cluster: Cluster, service: str) -> Backup:
    """One service's database as it is at one moment."""
    _own(cluster, cluster.backups)
    began = datetime.now(UTC)
    place = cluster.backups / f"{service}-{began.strftime(STAMP)}.dump"
    run(cluster, "pg_dump", "--format=custom", "--file", f"{place}.begun", "--dbname", service)
    Path(f"{place}.begun").rename(place)
    return Backup(place)


def load(cluster: Cluster, file: Path, database: str) -> None:
    """Fills an empty database from a dump, whole or not at all."""
    run(cluster, "pg_restore", "--single-transaction", "--exit-on-error", "--dbname", database, str(file))
    run(cluster, "vacuumdb", "--analyze-only", "--quiet", "--dbname", database)


async def seal(cluster: Cluster) -> None:
    """Waits until the archive holds the log up to now. Fault where the server does not archive it."""
    async with connected(cluster) as connection:
        async with connection.transaction():
            await connection.fetchval("SELECT pg_current_xact_id()")  # a last commit, behind any moment asked for
        last = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = asyncio.get_running_loop().time() + ARCHIVE_SECONDS
    while not (cluster.log_archive / f"{last}.gz").exists():
        if asyncio.get_running_loop().time() > deadline:
            raise Fault(
                f"PostgreSQL does not archive its log to {cluster.log_archive}: see `make logs s=postgres`. "
                "A dump needs no log: from=<its name>."
            )
        await asyncio.sleep(0.1)


def run(cluster: Cluster, program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on the cluster, as its account. Fault with its words where it fails."""
    rights: dict[str, Any] = {}
    if cluster.account is not None:
        rights = {"user": cluster.account.uid, "group": cluster.account.gid, "extra_groups": []}
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "PGHOST": cluster.host,
        "PGPORT": str(cluster.port), "PGUSER": SUPERUSER, "PGPASSWORD": cluster.password,
    }  # fmt: skip
    command: Sequence[str] = [str(cluster.binaries / program), *arguments]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False, **rights)
    if done.returncode:
        raise Fault(f"{program} ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")


def _own(cluster: Cluster, folder: Path) -> None:
    """Makes a folder that belongs to the account that runs the server."""
    for each in (cluster.backups, folder):
        each.mkdir(mode=0o700, exist_ok=True)
        if cluster.account is not None:
            os.chown(each, cluster.account.uid, cluster.account.gid)


def _forget(cluster: Cluster) -> None:
    """Removes bases beyond the newest two, and the log that only they needed."""
    bases = [each for each in backups(cluster) if each.is_base]
    for old in bases[:-KEPT]:
        shutil.rmtree(old.path)
    first = (
        (bases[-KEPT:][0].path / "backup_label").read_text(encoding="utf-8").partition("(file ")[2].partition(")")[0]
    )
    run(cluster, "pg_archivecleanup", "-x", ".gz", str(cluster.log_archive), first)

"""A second server that recovers a base backup with the archived log, on a free port and beside the one that serves."""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import asyncpg

from lianhu_tools.faults import Fault
from lianhu_tools.processes import end, free_port, last_lines, spawn
from lianhu_tools.stores.backups import Backup
from lianhu_tools.stores.exchange import connected
from lianhu_tools.stores.postgres import Cluster
from lianhu_tools.stores.server import SUPERUSER

RECOVERY_SECONDS = 3600.0
INVALID = -2  # pg_database.datconnlimit of a database whose drop has begun


@asynccontextmanager
async def recovered(cluster: Cluster, backup: Backup, until: datetime | None) -> AsyncIterator[tuple[Cluster, str]]:
    """The cluster as its log leaves it, at its end or at the moment `until`; and the last commit's time, as PostgreSQL
    tells it. Ended and removed with the block. Fault where it cannot be recovered.
    """
    home = cluster.backups / "recovering"
    shutil.rmtree(home, ignore_errors=True)
    copy = replace(cluster, data=home / "data", port=free_port(), durable=False)
    shutil.copytree(backup.path, copy.data)
    copy.data.with_suffix(".password").write_text(cluster.password)
    with (copy.data / "postgresql.auto.conf").open("a") as settings:
        settings.writelines(f"{line}\n" for line in _settings(cluster.log_archive, until))
    (copy.data / "recovery.signal").touch()
    _hand_over(home, copy)
    log = home / "log"
    with log.open("ab") as output:
        process = spawn(
            copy.command(), directory=Path("/"), output=output, account=copy.account, end_with=signal.SIGQUIT
        )
    try:
        yield copy, await _promoted(copy, process, log)
    finally:
        end(process, ask=signal.SIGINT)
        shutil.rmtree(home, ignore_errors=True)


def _settings(archive: Path, until: datetime | None) -> list[str]:
    kept = f"{shlex.quote(str(archive)).replace('%', '%%')}/%f.gz"
    fetch = f'test -f {kept} && gzip -dc {kept} > "%p"'.replace("'", "''")
    lines = [f"restore_command = '{fetch}'", "recovery_target_action = 'promote'"]
    return lines if until is None else [*lines, f"recovery_target_time = '{until.isoformat()}'"]


def _hand_over(home: Path, copy: Cluster) -> None:
    if copy.account is not None:
        for place in (home, *home.rglob("*")):
            os.chown(place, copy.account.uid, copy.account.gid)
    for place in (home, copy.data):
        place.chmod(0o700)


async def _promoted(copy: Cluster, process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Waits until recovery has ended; the time of the last commit that it brought back."""
    deadline = asyncio.get_running_loop().time() + RECOVERY_SECONDS
    last = "unknown"
    while process.poll() is None and asyncio.get_running_loop().time() < deadline:
        try:
            connection = await asyncpg.connect(copy.url(SUPERUSER, "postgres"), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            await asyncio.sleep(0.2)
            continue
        try:
            seen = await connection.fetchval("SELECT pg_last_xact_replay_timestamp()")
            last = last if seen is None else seen.isoformat()
            if not await connection.fetchval("SELECT pg_is_in_recovery()"):
                return last
        finally:
            await connection.close()
        await asyncio.sleep(0.2)
    raise Fault(f"The backup could not be recovered. The end of the log:\n{last_lines(log)}")


async def opened(copy: Cluster, service: str) -> None:
    """Lets us into a service's database of the recovered cluster. Fault where it is not there, or half dropped.

    Recovery stops at a commit: a drop that comes with the first commit after the moment asked for is replayed.
    """
    async with connected(copy) as connection:
        limit = await connection.fetchval("SELECT datconnlimit FROM pg_database WHERE datname = $1", service)
        if limit is None or limit == INVALID:
            raise Fault(
                f"Up to there the log drops the database {service}. Say to=<a moment some seconds before that>."
            )
        await connection.execute(f'ALTER DATABASE "{service}" ALLOW_CONNECTIONS true')

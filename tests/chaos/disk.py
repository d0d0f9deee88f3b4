"""A database on a small disk of its own, which can be filled to the last byte."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from chaos.run import NotTried, Run
from lianhu_tools.local.system import cluster_of
from lianhu_tools.stores import places
from lianhu_tools.stores.postgres import Cluster
from support.system import System

SIZE = "512m"
BALLAST = "ballast"


async def small_disk(folder: Path, base: int) -> AsyncIterator[System]:
    """A stage: the cluster's data on a file system in memory. Raises NotTried without the right to mount one."""
    system = System(folder, base)
    cluster = cluster_of(system.topology)
    try:
        await asyncio.to_thread(_mount, cluster)
        yield system
    finally:
        if cluster.data.is_mount():
            await asyncio.to_thread(subprocess.run, ["umount", "-l", str(cluster.data)], check=False)
        await asyncio.to_thread(places.forget, system.topology.state / "postgres")


def _mount(cluster: Cluster) -> None:
    """Makes the cluster and puts its data on a small file system."""
    cluster.prepare()
    aside = cluster.data.with_name("aside")
    cluster.data.rename(aside)
    cluster.data.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "none", str(cluster.data)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said, failed = done.stdout + done.stderr, done.returncode != 0
    except OSError as error:
        said, failed = str(error), True
    if failed:
        raise NotTried(f"a small file system needs root and mount ({said.strip()[:80]})")
    subprocess.run(["cp", "-a", f"{aside}/.", str(cluster.data)], check=True)
    shutil.rmtree(aside)


async def disk_full(run: Run) -> str:
    """Not a byte is left for the database, neither for its tables nor for its log; later there is room again."""
    seconds = run.seconds(10, 60)
    data = cluster_of(run.system.topology).data
    ballast = data / BALLAST
    accepted = run.work.accepted
    try:
        taken = await asyncio.to_thread(_fill, ballast)
        await asyncio.sleep(seconds)
        left = shutil.disk_usage(data).free
    finally:
        ballast.unlink(missing_ok=True)
    placed = run.work.accepted - accepted
    return f"the database's disk full for {seconds:.0f} s ({taken >> 20} MB taken, {left} bytes left, {placed} placed)"


def _fill(ballast: Path) -> int:
    """Writes until there is no room; how many bytes."""
    size = 0
    for block in (1 << 20, 4096):  # tmpfs counts pages
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    size += os.write(file.fileno(), b"\0" * block)
            except OSError:
                pass
    return size

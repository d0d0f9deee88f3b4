"""The systems that cases are played on: most on the ordinary one, some on one that is set up for them."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from chaos.brokers import three_brokers
from chaos.disk import small_disk
from support.system import System

Stage = Callable[[Path, int], AsyncIterator[System]]


async def plain(folder: Path, base: int) -> AsyncIterator[System]:
    """The local system as everybody has it."""
    yield System(folder, base)


# Cases that need another stage than the plain one.
STAGES: dict[str, Stage] = {"leader": three_brokers, "disk-full": small_disk}


def stage_of(case: str) -> Stage:
    """Where a case is played."""
    return STAGES.get(case, plain)


class Stages:
    """One system at a time, on one range of ports. Another stage's case ends it, with its data."""

    def __init__(self, root: Path, base: int) -> None:
        self._root = root
        self._base = base
        self._number = 0
        self._up: tuple[Stage, System] | None = None
        self._left = AsyncExitStack()

    async def system_for(self, case: str) -> System:
        """The system of a case, up. Raises NotTried where this machine does not allow it."""
        stage = stage_of(case)
        if self._up is not None and self._up[0] is stage:
            return self._up[1]
        await self.close()
        self._number += 1
        folder = self._root / str(self._number)
        folder.mkdir(mode=0o711)
        system = await self._left.enter_async_context(_standing(stage, folder, self._base))
        self._up = (stage, system)
        return system

    def keep_logs(self) -> Path | None:
        """Copies the logs of what is up to a folder that stays; None where nothing is up."""
        if self._up is None:
            return None
        kept = Path(tempfile.mkdtemp(prefix="lianhu-chaos-logs-"))
        return Path(shutil.copytree(self._up[1].topology.logs, kept, dirs_exist_ok=True))

    async def mend(self) -> None:
        """After a case that broke off: whatever of the system is not up comes up again, with its data."""
        if self._up is not None:
            await asyncio.to_thread(_up, self._up[1])

    async def close(self) -> None:
        """Ends what is up."""
        self._up = None
        await self._left.aclose()
        self._left = AsyncExitStack()


@asynccontextmanager
async def _standing(stage: Stage, folder: Path, base: int) -> AsyncIterator[System]:
    async with asynccontextmanager(stage)(folder, base) as system:
        try:
            await asyncio.to_thread(_up, system)
            yield system
        finally:
            await asyncio.to_thread(system.lianhu, "down")
            await asyncio.to_thread(system.lianhu, "clean")


def _up(system: System) -> None:
    try:
        system.up()
    except (subprocess.TimeoutExpired, AssertionError):  # a busy machine, or a port that somebody had for a moment
        system.up()

"""One process that is kept running: started, watched, started again with a growing pause, ended when asked."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.processes import Account, Identity, ended, spawn
from lianhu_tools.records import Entry

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
STEADY_AFTER = 20.0
PATIENCE = 10.0
AGAIN_SECONDS = 60.0

Check = Callable[[], Awaitable[str | None]]


async def always_ready() -> str | None:
    """For a process that nothing can be asked."""
    return None


@dataclass(frozen=True)
class Plan:
    """What to run and how. `ready` answers None, or the reason why the process is not ready.

    `before` runs in a thread ahead of every start; `stop` is the signal that asks it to end. `again` is done once it
    is ready after a start that was not the first: for what forgets everything when it ends.
    """

    name: str
    command: Sequence[str]
    log: Path
    directory: Path = field(default_factory=lambda: Path("/"))
    environment: Mapping[str, str] | None = None
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    before: Callable[[], object] | None = None
    ready: Check = always_ready
    again: Callable[[], Awaitable[object]] | None = None


class Child:
    """A plan that is being kept."""

    def __init__(self, plan: Plan, changed: Callable[[], None]) -> None:
        self.plan = plan
        self.starts = 0
        self.exits = 0
        self.last_exit: int | None = None
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def entry(self) -> Entry | None:
        """The process as it is written down; None between two starts."""
        if self._identity is None:
            return None
        return Entry(self.plan.name, self._identity.pid, self._identity.started, max(0, self.starts - 1))

    def start(self) -> None:
        """Begins to keep it running."""
        self._task = asyncio.create_task(self._keep(), name=self.plan.name)

    async def wait_ready(self, seconds: float, *, tries: int = 3) -> str | None:
        """Waits until it is ready: None, or the reason why it did not become so.

        A process that ended `tries` times before it was ever ready will not be ready later either.
        """
        deadline = time.monotonic() + seconds
        reason: str | None = "it was not started"
        while time.monotonic() < deadline:
            if self._identity is not None:
                reason = await self.plan.ready()
                if reason is None and self._identity is not None:
                    return None
            if self.exits >= tries:
                return f"it ended {self.exits} times, last with code {self.last_exit}"
            await asyncio.sleep(0.1)
        return f"not ready after {seconds:.0f} s: {reason}"

    async def end(self) -> None:
        """Asks the process to end, insists after ten seconds, and keeps it no longer."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.plan.stop)
            if await ended(self._process, seconds=PATIENCE) is None:
                self._process.kill()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=PATIENCE)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            self.last_exit = await self._run_once()
            self.exits += 1
            self._identity = None
            self._changed()
            if time.monotonic() - began > STEADY_AFTER:
                pause = FIRST_PAUSE
            await self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self) -> int:
        try:
            if self.plan.before is not None:
                await asyncio.to_thread(self.plan.before)
            if self._stopping.is_set():
                return 0
            self.plan.log.parent.mkdir(parents=True, exist_ok=True)
            with self.plan.log.open("ab") as log:
                # From the main thread and not awaited: the kernel ties the child to the thread that starts it.
                self._process = spawn(
                    self.plan.command,
                    directory=self.plan.directory,
                    environment=self.plan.environment,
                    output=log,
                    account=self.plan.account,
                    end_with=self.plan.stop,
                )
        except Exception as error:
            self.plan.log.parent.mkdir(parents=True, exist_ok=True)
            with self.plan.log.open("a") as log:
                log.write(f"could not be started: {error}\n")
            return 127
        self.starts += 1
        self._identity = Identity.of(self._process.pid)
        self._changed()
        restoring = asyncio.create_task(self._again()) if self.starts > 1 else None
        try:
            code = await ended(self._process)
        finally:
            if restoring is not None:
                restoring.cancel()
        return code if code is not None else 0

    async def _again(self) -> None:
        """Does what is to be done after a start anew, until it is done or the process ends."""
        if self.plan.again is None:
            return
        while True:
            reason = await self.wait_ready(AGAIN_SECONDS, tries=self.exits + 1)
            try:
                if reason is None:
                    await self.plan.again()
                    return
            except Fault as fault:
                reason = str(fault)
            with self.plan.log.open("a") as log:
                log.write(f"started again, but not as it was: {reason}\n")
            await asyncio.sleep(FIRST_PAUSE)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

"""Keeps children running until it is told to end; knows nothing of what they are."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.local import child as children
from lianhu_tools.local import logs
from lianhu_tools.local.child import Child, Plan
from lianhu_tools.processes import Identity, end_all, last_lines
from lianhu_tools.records import Entry, Processes, Progress, Step

BOUND_EVERY = 5.0


class Supervisor:
    """The children of one system, with the records that others read.

    `me` is the process that the records name as the supervisor.
    """

    def __init__(self, state: Path, me: int) -> None:
        self.records = Processes(state)
        self.progress = Progress(state)
        self.ending = asyncio.Event()
        self._logs = state / "logs"
        self._me = Identity.of(me)
        self._children: list[Child] = []

    def listen(self) -> None:
        """Takes SIGTERM and SIGINT as the wish to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.ending.set)

    def end_leftovers(self) -> int:
        """Ends what an earlier supervisor recorded and no longer watches. How many there were."""
        left = [entry.identity for entry in self.records.read() if entry.pid != self._me.pid]
        return end_all(left, patience=children.PATIENCE)

    def start(self, plan: Plan) -> Child:
        """Begins to keep one more process running."""
        child = Child(plan, self._record)
        self._children.append(child)
        child.start()
        return child

    async def bring_up(self, plan: Plan, seconds: float) -> Child:
        """Starts a process and waits until it is ready, as one step of progress.

        Raises Fault with the end of its log when it does not become ready, or ends instead.
        """
        async with self.step(plan.name):
            child = self.start(plan)
            reason = await child.wait_ready(seconds)
            if reason is not None:
                raise Fault(f"{plan.name}: {reason}. The end of {plan.log}:\n{last_lines(plan.log)}")
            return child

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """One line of progress around work that may take a while."""
        began = time.monotonic()
        self.progress.note(Step(name, "begun"))
        try:
            yield
        except Fault as fault:
            self.progress.note(Step(name, "failed", time.monotonic() - began, str(fault)))
            raise
        self.progress.note(Step(name, "done", time.monotonic() - began))

    async def keep(self) -> None:
        """Goes on until the end is asked for; keeps the logs small meanwhile."""
        while not self.ending.is_set():
            await asyncio.to_thread(logs.bound, self._logs)
            await _either(self.ending.wait(), BOUND_EVERY)

    async def end(self, last: Sequence[str] = ()) -> None:
        """Ends all children at once, those named in `last` after the others. Nothing is left running."""
        first = [child for child in self._children if child.plan.name not in last]
        for group in (first, [child for child in self._children if child not in first]):
            await asyncio.gather(*(child.end() for child in group))
        self.records.clear()

    async def unless_ended(self, work: Awaitable[object]) -> bool:
        """Does work unless the end is asked for meanwhile; whether it was done."""
        task = asyncio.ensure_future(work)
        ending = asyncio.create_task(self.ending.wait())
        await asyncio.wait([task, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if task.done():
            task.result()
            return True
        task.cancel()
        await asyncio.wait([task])
        return False

    def _record(self) -> None:
        entries = [child.entry for child in self._children]
        me = Entry("supervisor", self._me.pid, self._me.started)
        self.records.write([*(entry for entry in entries if entry is not None), me])


async def _either(wait: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(wait, seconds)
    except TimeoutError:
        return


Builder = Callable[[Supervisor], Awaitable[None]]


async def supervise(state: Path, me: int, build: Builder, last: Sequence[str] = ()) -> int:
    """A supervisor's whole life: ends leftovers, builds the system, keeps it, ends it. Answers the exit code.

    0: it was asked to end; 1: the system could not be built, and nothing of it is left running.
    """
    supervisor = Supervisor(state, me)
    supervisor.listen()
    supervisor.progress.begin()
    supervisor.end_leftovers()
    try:
        built = await supervisor.unless_ended(build(supervisor))
    except Fault as fault:
        supervisor.progress.note(Step("", "failed", detail=str(fault)))
        await supervisor.end(last)
        return 1
    except BaseException:
        await supervisor.end(last)
        raise
    if built:
        supervisor.progress.note(Step("", "done"))
        await supervisor.keep()
    await supervisor.end(last)
    return 0

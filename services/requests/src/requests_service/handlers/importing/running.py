"""Work on imports beside the calls that ask for it: one list at a time in a process, its progress seen by everybody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lianhu_kit.database import Database, enter_scope, is_conflict, is_transient
from lianhu_kit.logs import logger
from lianhu_kit.pausing import end_quietly
from requests_service.domain.list_faults import Unreadable
from requests_service.handlers.importing.applying import apply, undo
from requests_service.handlers.importing.checking import check
from requests_service.handlers.importing.work import InTheWay, MovedOn, Superseded, Work

TRIES = 3
BEAT_SECONDS = 0.5
LONGEST_SECONDS = 600.0
_STEPS: Mapping[str, Callable[[Database, Work], Awaitable[None]]] = {"check": check, "apply": apply, "undo": undo}
_log = logger(__name__)


class Running:
    """The work of this process; whoever ends it ends its work, of which nothing is kept then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Semaphore(1)  # one list's cells and transaction at a time are enough for memory and locks
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether this process works on an import."""
        return bool(self._tasks)

    def start(self, work: Work) -> None:
        """Begins; returns at once. Commit first what says that it runs."""
        task = asyncio.create_task(self._run(work), name=f"import {work.step}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends what runs; it is told as interrupted."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await end_quietly(asyncio.gather(*tasks, return_exceptions=True), 2)

    async def _run(self, work: Work) -> None:
        beating = asyncio.create_task(self._beat(work), name="import beat")
        problem: dict[str, Any] | None
        obstacles: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(LONGEST_SECONDS), self._turn:
                await self._patiently(work)
            return
        except asyncio.CancelledError:
            problem = {"code": "interrupted", "values": {}}
        except Unreadable as error:
            problem = {"code": error.fault.code, "values": dict(error.fault.values)}
        except MovedOn:
            problem = {"code": "moved-on", "values": {}}
        except InTheWay as error:
            problem, obstacles = None, error.obstacles
        except Superseded:
            return
        except Exception as error:
            problem = {"code": "interrupted" if is_transient(error) else "broken", "values": {}}
            _log.warning("import given up", step=work.step, id=str(work.id), error=type(error).__name__)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        await end_quietly(self._give_up(work, problem, obstacles), 10)

    async def _patiently(self, work: Work) -> None:
        """A deadlock's victim begins again: nothing of it was kept."""
        for left in reversed(range(TRIES)):
            try:
                await _STEPS[work.step](self._database, work)
                return
            except Exception as error:
                if not left or not is_conflict(error):
                    raise
                await asyncio.sleep(0.2)

    async def _beat(self, work: Work) -> None:
        """Tells how far it is, on a connection of its own: the work's own transaction shows nothing before its end."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                async with asyncio.timeout(5), self._database.transaction() as session:
                    await enter_scope(session, work.at, work.by)
                    await work.beat(session)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.info("import beat missed", error=type(error).__name__)

    async def _give_up(self, work: Work, problem: dict[str, Any] | None, obstacles: list[dict[str, Any]]) -> None:
        async with self._database.transaction() as session:
            await enter_scope(session, work.at, work.by)
            await work.give_up(session, problem, obstacles)

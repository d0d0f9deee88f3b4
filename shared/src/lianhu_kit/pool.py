"""The connections of a process: handed out in the order of asking, kept once open, and counted."""

import asyncio
import time
from collections import deque
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_
from sqlalchemy.util.queue import Empty, Full, QueueCommon

from lianhu_kit import metrics


class FairQueue(QueueCommon[ConnectionPoolEntry]):
    """Idle connections, the latest used first; who waits is served in turn.

    In SQLAlchemy's own queue a newcomer takes what was just given back, and who was woken for it waits again at the
    end: under load some waited until their time was over, while others were served at once.
    """

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:
        self.maxsize = maxsize
        self.use_lifo = use_lifo
        self._idle: deque[ConnectionPoolEntry] = deque()
        self._waiting: deque[asyncio.Future[ConnectionPoolEntry]] = deque()

    def put(self, item: ConnectionPoolEntry, block: bool = True, timeout: float | None = None) -> None:
        """Gives a connection to who has waited longest, else lays it by."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(item)
                return
        if self.full():
            raise Full
        self._idle.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> ConnectionPoolEntry:
        """An idle connection; waits for one where `block` says so, and then raises Empty after the timeout."""
        if self._idle:
            return self._idle.pop() if self.use_lifo else self._idle.popleft()
        if not block:
            raise Empty
        found: ConnectionPoolEntry = await_(self._turn(timeout))
        return found

    async def _turn(self, timeout: float | None) -> ConnectionPoolEntry:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(timeout):
                return await mine  # type: ignore[no-any-return]
        except BaseException as error:
            if mine.done() and not mine.cancelled():
                self.put(mine.result())  # it came in the moment in which its waiter left
            if isinstance(error, TimeoutError):
                raise Empty from None
            raise

    def put_nowait(self, item: ConnectionPoolEntry) -> None:
        """As `put`."""
        self.put(item)

    def get_nowait(self) -> ConnectionPoolEntry:
        """As `get` without waiting."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Whether none is idle."""
        return not self._idle

    def full(self) -> bool:
        """Whether no more can be laid by."""
        return 0 < self.maxsize <= len(self._idle)

    def qsize(self) -> int:
        """How many are idle."""
        return len(self._idle)


class CountedPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool with fair turns, and its waits and connections in use as metrics under its `logging_name`."""

    _queue_class: Any = FairQueue

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        name = self.logging_name or "database"
        self._waits = metrics.CONNECTION_WAIT.labels(name)
        self._in_use = metrics.CONNECTIONS.labels(name)
        self._timeouts = metrics.CONNECTION_TIMEOUTS.labels(name)

    def _do_get(self) -> ConnectionPoolEntry:
        began = time.perf_counter()
        try:
            return super()._do_get()
        except PoolTimeout:
            self._timeouts.inc()
            raise
        finally:
            self._waits.observe(time.perf_counter() - began)
            self._in_use.set(self.checkedout())

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        self._in_use.set(self.checkedout())

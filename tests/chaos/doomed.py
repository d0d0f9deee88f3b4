"""A program: a process of a service that ends itself as kill -9 would at CHAOS_POINT.

It patches the kit in this process alone; nothing of it is in the services. A count says how often the place must be
passed first.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from chaos.wrapped import become

_TIMES = 2


def _fall() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Count:
    """Falls at the second passing."""

    def __init__(self) -> None:
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed >= _TIMES:
            _fall()


def _before_commit() -> None:
    from lianhu_kit.inbound import Inbound

    inbound: Any = Inbound
    run, here = inbound._run, _Count()

    async def run_then_fall(self: Any, session: Any, events: Any) -> None:
        await run(self, session, events)
        if events:
            here()

    inbound._run = run_then_fall


def _mid_batch() -> None:
    from lianhu_kit.inbound import Inbound

    inbound: Any = Inbound
    whole = inbound._run

    async def half(self: Any, session: Any, events: Any) -> None:
        if len(events) > 1:
            await whole(self, session, events[: len(events) // 2])
            if (flush := getattr(session, "flush", None)) is not None:  # a batch as one has no session
                await flush()
            _fall()
        await whole(self, session, events)

    inbound._run = half


def _after_commit() -> None:
    """Committed, and not yet sent."""
    from lianhu_kit.relay import Relay

    relay: Any = Relay

    async def fall_for_sending(self: Any, producer: Any, part: Any) -> Any:
        _fall()

    relay._send = fall_for_sending


def _after_send() -> None:
    """Acknowledged, and still in the outbox."""
    from lianhu_kit.relay import Relay

    relay: Any = Relay

    async def fall_for_moving(self: Any, positions: Any) -> None:
        _fall()

    relay._move = fall_for_moving


def _before_offset() -> None:
    """Applied, its offset not committed."""
    from lianhu_kit.consumer import Consumer

    consumer: Any = Consumer
    commit, here = consumer._commit, _Count()

    async def fall_for_committing(self: Any, client: Any, offsets: Any) -> None:
        here()
        await commit(self, client, offsets)

    consumer._commit = fall_for_committing


def _at(what: str) -> Callable[[], None]:
    """A transaction of the API that records events, before its COMMIT or between it and the answer."""

    def plant_it() -> None:
        from lianhu_kit import database
        from lianhu_kit.hot import HotTransaction

        hot: Any = HotTransaction
        commit, here = hot._commit, _Count()

        def fall(session: Any) -> None:
            if session.info.get(database.WAKES):
                here()

        async def commit_or_fall(self: Any) -> None:
            if what == "before_commit":
                fall(self)
            await commit(self)
            if what == "after_commit":
                fall(self)

        event.listen(database._Orm, what, fall)
        hot._commit = commit_or_fall

    return plant_it


WORKER_POINTS: dict[str, Callable[[], None]] = {
    "before-commit": _before_commit,
    "after-commit": _after_commit,
    "after-send": _after_send,
    "before-offset": _before_offset,
    "mid-batch": _mid_batch,
}
API_POINTS: dict[str, Callable[[], None]] = {
    "before-commit": _at("before_commit"),
    "before-answer": _at("after_commit"),
}

if __name__ == "__main__":
    POINTS = API_POINTS if os.environ["CHAOS_ROLE"] == "api" else WORKER_POINTS
    POINTS[os.environ["CHAOS_POINT"]]()
    become()

"""The skeleton of a service's worker: relay, consumer, timers and housekeeping in one process."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lianhu_kit.consumer import Consumer
from lianhu_kit.database import Database
from lianhu_kit.health import database_state, leaving_response, metrics_response
from lianhu_kit.inbound import Apply, Generation, Inbound, Subscription
from lianhu_kit.leaving import LONGEST_SECONDS, Leaving, end_within
from lianhu_kit.logs import configure, logger
from lianhu_kit.measuring import Measure, Measuring
from lianhu_kit.pausing import end_quietly
from lianhu_kit.relay import Relay
from lianhu_kit.retention import Retention
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.timers import TimerHandler, Timers

Background = Callable[[Database, asyncio.Event], Awaitable[None]]
STOP_SECONDS = 6.0
CANCEL_SECONDS = 2.0
_log = logger(__name__)


@dataclass(frozen=True)
class Work:
    """What a service's worker does: what it reads, what its timers do, what it measures, what else runs beside."""

    required_revision: str
    topics: Mapping[str, bool] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    apply: Apply | None = None
    generation: int | Generation = 1
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    background: Sequence[Background] = ()
    batch: int = 100
    measures: Sequence[Measure] = ()


class PartCancelled(Exception):
    """A part of the worker was cancelled from within: the process leaves, its supervisor starts it again."""


class Worker:
    """The parts of a worker over one database; tests drive them singly, `run` drives them all."""

    def __init__(self, settings: ServiceSettings, work: Work, *, group: str | None = None) -> None:
        self.settings = settings
        self.work = work
        self.leaving = Leaving()
        self.database = Database(
            settings.database_url,
            application_name=f"{settings.service}-worker",
            pool_size=settings.database_pool,
        )
        self.inbound = Inbound(
            settings.service,
            self.database,
            work.topics,
            work.subscriptions,
            apply=work.apply,
            generation=work.generation,
        )
        self.relay = Relay(settings, self.database)
        self.retention = Retention(settings, self.database)
        self.measuring = Measuring(settings.service, self.database, work.measures)
        self.timers = Timers(settings.service, self.database, work.timers)
        self.consumer = Consumer(
            settings, self.inbound, topics=work.topics, group=group or settings.service, batch=work.batch
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Runs every part until told to stop; the end of one part by an error ends all, and is raised."""
        parts: list[Awaitable[None]] = [self.relay.run(stop), self.retention.run(stop), self._keep_house(stop)]
        if self.work.topics:
            parts.append(self.consumer.run(stop))
        if self.work.timers:
            parts.append(self.timers.run(stop))
        parts += [run(self.database, stop) for run in self.work.background]
        tasks = [asyncio.ensure_future(part) for part in parts]
        told = asyncio.ensure_future(stop.wait())
        ended, left = set[asyncio.Task[None]](), set(tasks)
        try:
            # A part that somebody cancelled has ended by no error, and would be missed by FIRST_EXCEPTION.
            while left and not told.done() and not any(task.cancelled() or task.exception() for task in ended):
                found, _ = await asyncio.wait([*left, told], return_when=asyncio.FIRST_COMPLETED)
                ended = {task for task in left if task in found}
                left -= ended
        finally:
            stop.set()
            told.cancel()
            self.leaving.begin()
            await self._end(tasks)
        for task in tasks:
            if task.done() and not task.cancelled() and isinstance(error := task.exception(), Exception):
                raise error
        if any(task.cancelled() for task in ended):
            raise PartCancelled

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Waits for the parts to end, then cancels them, then goes without them: what they held has leases that end."""
        _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
        if late:
            _, late = await asyncio.wait(late, timeout=CANCEL_SECONDS)
        for task in late:
            _log.error("part does not end", part=getattr(task.get_coro(), "__qualname__", "?"))
        await end_quietly(self.database.close(), 1)

    async def _keep_house(self, stop: asyncio.Event) -> None:
        """Gauges, at their own pace."""
        await self.measuring.run(stop)

    def health(self) -> Starlette:
        """`/healthz`, `/readyz` (database and broker) and `/metrics` of the worker."""

        async def healthz(_request: Request) -> Response:
            return JSONResponse({"status": "alive"})

        async def readyz(_request: Request) -> Response:
            if self.leaving.begun:
                return leaving_response()
            ready, fields = await database_state(self.database, self.work.required_revision)
            broker = self.relay.connected and (self.consumer.connected or not self.work.topics)
            fields["broker"] = "reached" if broker else "away"
            good = ready and broker
            return JSONResponse({"status": "ready" if good else "not ready", **fields}, 200 if good else 503)

        async def shown(_request: Request) -> Response:
            return metrics_response()

        return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", shown)])


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(settings: ServiceSettings, work: Work) -> None:
    stop = asyncio.Event()
    worker = Worker(settings, work)

    def leave() -> None:
        if not worker.leaving.begun:
            _log.info("leaving")
            end_within(LONGEST_SECONDS)
        worker.leaving.begin()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    server = _Quiet(
        uvicorn.Config(
            worker.health(), host=settings.host, port=settings.worker_port, log_config=None, access_log=False,
            lifespan="off",
        )
    )  # fmt: skip
    serving = asyncio.create_task(server.serve())
    try:
        await worker.run(stop)
    finally:
        end_within(2)
        server.should_exit = True
        await asyncio.wait([serving], timeout=1)


def run_worker(settings: ServiceSettings, work: Work) -> None:
    """Runs the worker until SIGTERM or SIGINT; leaves with an error when a part of it cannot go on."""
    configure(settings.service, settings.log_level)
    _log.info("worker starts", port=settings.worker_port)
    try:
        uvloop.run(_run(settings, work))
    except Exception as error:
        # Through the log and not as Python's own traceback: that would show what errors of the database repeat.
        _log.exception("worker failed", error=type(error).__name__)
        sys.exit(1)
    _log.info("worker ended")

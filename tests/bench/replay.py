"""A rebuild of reporting from a million events, as `make replay s=reporting` runs it, while readers read on."""

import asyncio
import itertools
import math
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.history import Past, lay
from bench.house import House, bearer
from bench.ratios import Ratio
from bench.wire import Line, call
from lianhu_tools import processes
from reporting_service.settings import Settings
from support.walks import BEGIN

EVENTS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = 1
CALLS_A_SECOND = 20.0
QUIET_SECONDS = 25.0
LINES = 16
MOST = 2.0
SPAN = f"from={BEGIN:%Y-%m}-01&to={BEGIN:%Y-%m}-31"
_DONE = re.compile(r"(\d+) events in ([\d.]+) s, (\d+) a second: (.*)")


@dataclass(frozen=True)
class Readers:
    """People who read reports and journeys at a steady rate, whether or not the answer before has come."""

    port: int
    calls: Iterator[bytes]

    async def read(self, stop: asyncio.Event) -> list[float]:
        """Reads until told to stop; the seconds of each call, from when it was due."""
        lines: asyncio.Queue[Line] = asyncio.Queue()
        for _ in range(LINES):
            lines.put_nowait(await Line.to(self.port))
        made: list[asyncio.Task[float]] = []
        due = time.perf_counter()
        while not stop.is_set():
            made.append(asyncio.create_task(self._one(lines, due)))
            due += 1 / CALLS_A_SECOND
            await asyncio.sleep(due - time.perf_counter())
        taken = await asyncio.gather(*made)
        while not lines.empty():
            lines.get_nowait().close()
        return taken

    async def _one(self, lines: "asyncio.Queue[Line]", due: float) -> float:
        line = await lines.get()
        status, body = await line.ask(next(self.calls))
        taken = time.perf_counter() - due
        lines.put_nowait(line)
        if status != 200:
            raise RuntimeError(f"a reader was answered {status}: {body.decode()[:200]}")
        return taken

    async def for_a_while(self) -> list[float]:
        """Reads for so long with nothing else going on."""
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(QUIET_SECONDS, stop.set)
        return await self.read(stop)


def late(taken: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    return statistics.median(taken) * 1000, statistics.quantiles(taken, n=100)[98] * 1000


@dataclass(frozen=True)
class Rebuilt:
    """What a replay said, and the most memory that its process held (megabytes)."""

    events: int
    rate: int
    verdict: str
    seconds: float
    megabytes: float


def reading(past: Past) -> Iterator[bytes]:
    """Calls in turns: a month's tallies of a village, and the journey of one of its orders."""
    dice = random.Random(7)
    places = [(place, bearer("clerk", place), ids) for place, ids in past.known.items() if ids]
    for turn in itertools.count():
        place, headers, ids = dice.choice(places)
        tallies, journey = f"/v1/tallies?org={place}&{SPAN}", f"/v1/requests/{dice.choice(ids)}/timeline"
        yield call("GET", journey if turn % 2 else tallies, headers)


async def rebuild(house: House, url: str) -> Rebuilt:
    """Runs the replay as its command does, in a process of its own; RuntimeError where it is refused."""
    log, began = house.folder / "replay.log", time.perf_counter()
    told = {**os.environ, **house.environment("reporting", "replay", url), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "reporting_service", "replay"]
    with log.open("wb") as output:
        process = processes.spawn(command, directory=house.folder, environment=told, output=output)
    try:
        _, status, used = await asyncio.to_thread(os.wait4, process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.kill()
    done = _DONE.search(log.read_text("utf-8"))
    if process.returncode or done is None:
        raise RuntimeError(f"the replay ended with {process.returncode}: {processes.last_lines(log)}")
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    seconds = time.perf_counter() - began
    return Rebuilt(int(done[1]), int(done[3]), done[4], seconds, used.ru_maxrss / unit)


async def measure(house: House, rounds: int) -> list[Ratio]:
    """Readers before, during and after; the live worker runs beside it, with nothing to do.

    RuntimeError where the rebuilt generation is not just what the live one was.
    """
    urls = await house.database("reporting")
    settings = Settings.model_validate(
        {"database_url": urls.worker, "kafka_bootstrap": house.kafka.bootstrap, "auth_jwks": str(house.keys)}
    )
    began = time.perf_counter()
    past = await lay(house, urls, settings, EVENTS)
    print(
        f"  replay: {past.events:,} events of {past.orders:,} orders made in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    api = await house.service("reporting", "api", urls.api)
    await house.service("reporting", "worker", urls.worker)
    readers = Readers(api.port, reading(past))
    await readers.for_a_while()  # the first calls fill pools and caches
    ratios = []
    for _ in range(rounds):
        alone = await readers.for_a_while()
        stop = asyncio.Event()
        looking = asyncio.create_task(readers.read(stop))
        try:
            rebuilt = await rebuild(house, urls.worker)
        finally:
            stop.set()
            await asyncio.wait([looking])
        beside = looking.result()
        alone += await readers.for_a_while()
        if rebuilt.events != past.events or not rebuilt.verdict.startswith("equal"):
            raise RuntimeError(f"{rebuilt.events} of {past.events} events were read: {rebuilt.verdict}")
        ratios += _told(past, rebuilt, late(beside), late(alone))
    return ratios


def _told(past: Past, rebuilt: Rebuilt, during: tuple[float, float], without: tuple[float, float]) -> list[Ratio]:
    orders = f"{past.events:,} events of {past.orders:,} orders"
    rate = f"{rebuilt.rate}/s, at most {rebuilt.megabytes:.0f} MB, {rebuilt.seconds:.0f} s with the old one deleted"
    beside = f"p50 {during[0]:.1f} ms, p99 {during[1]:.1f} ms beside {without[0]:.1f} and {without[1]:.1f} ms"
    return [
        Ratio("replay: readers' p99 / without it", during[1] / without[1], None, MOST, 1, beside),
        Ratio("replay: events a second, memory", math.nan, figures=f"{orders}: {rate}; checksums equal"),
    ]

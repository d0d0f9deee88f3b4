"""`lianhu up`, `down`, `status`, `clean`: start and end the local system of this clone, and say how it stands."""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import psutil
from rich.console import Console

from lianhu_tools import keys, running, screen
from lianhu_tools.faults import Fault
from lianhu_tools.local.system import answers, data_of
from lianhu_tools.looks import standing
from lianhu_tools.processes import end_all, last_lines, listens, wait_for
from lianhu_tools.records import Entry, Processes, Progress
from lianhu_tools.stores import places, tansu
from lianhu_tools.topology import HOST, SERVICES, Topology

UP_SECONDS = 300.0
DOWN_SECONDS = 30.0


def up(topology: Topology, out: Console) -> None:
    """Brings the system up in the background, or waits until one that is up is ready.

    Raises Fault, with the end of a log, when something does not come up; then nothing of it is left running.
    """
    with running.alone(topology.state):
        base = running.port_base(topology.state)
        if base is not None and base != topology.base:
            raise Fault(f"The system is up on port base {base}; run `make down` before another base.")
        if base is None:
            _start(topology, out)
        else:
            _wait_until_ready(topology)
            out.print("The system was up already.")
    if topology.own_broker and (why := tansu.reason(topology)) is not None:
        out.print(tansu.sentence(why), markup=False)
    out.print(f"Up: {topology.gateway_url}   logs: {topology.logs}")


def _start(topology: Topology, out: Console) -> None:
    began = time.monotonic()
    processes = Processes(topology.state)
    if end_all(entry.identity for entry in processes.read()):
        out.print("Ended what an earlier start had left behind.")
    processes.clear()
    require_free_ports(topology)
    keys.ensure(topology.keys)
    topology.logs.mkdir(parents=True, exist_ok=True)
    progress = Progress(topology.state)
    progress.begin()
    with (topology.logs / "supervisor.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-P", "-m", "lianhu_tools.local.keeper", str(topology.root)],
            cwd=topology.root,
            env={**topology.options, "LIANHU_PORT_BASE": str(topology.base)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _follow(topology, progress, keeper, out)
    out.print(f"Everything is ready after {time.monotonic() - began:.1f} s.")


def _follow(topology: Topology, progress: Progress, keeper: "subprocess.Popen[bytes]", out: Console) -> None:
    """Shows the steps of a start until the last one; Fault when one of them failed."""
    lines = screen.StepLines(out)
    seen = 0
    deadline = time.monotonic() + UP_SECONDS
    try:
        while time.monotonic() < deadline:
            ended = keeper.poll()
            for step in progress.steps(after=seen):
                seen += 1
                if not step.name and step.state == "done":
                    return
                if not step.name:
                    keeper.wait(DOWN_SECONDS)
                    raise Fault(step.detail)
                lines.show(step)
            lines.tick()
            if ended is not None:
                log = topology.logs / "supervisor.log"
                raise Fault(f"The supervisor ended ({ended}). The end of {log}:\n{last_lines(log)}")
            time.sleep(0.05)
    finally:
        lines.close()
    raise Fault(f"The system is not up after {UP_SECONDS:.0f} s; see {topology.logs} and `make status`.")


def require_free_ports(topology: Topology) -> None:
    """Raises Fault where somebody else has one of the system's ports, with the setting that moves them all."""
    for name, port in topology.ports().items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                raise Fault(
                    f"Port {port} ({name}) is in use by another process. End that one, or choose other ports: "
                    f"LIANHU_PORT_BASE={topology.base + 1000} make up"
                ) from None


def _wait_until_ready(topology: Topology) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while missing := [row for row in asyncio.run(_rows(topology)) if row.reason is not None]:
        if not running.is_up(topology.state):
            raise Fault("The system ended meanwhile; run `make up` again.")
        if time.monotonic() > deadline:
            worst = missing[0]
            log = topology.logs / f"{worst.name}.log"
            raise Fault(f"{worst.name}: {worst.reason}. The end of {log}:\n{last_lines(log)}")
        time.sleep(0.2)


def down(topology: Topology, out: Console) -> None:
    """Ends the system: asks, and after ten seconds insists. Nothing of it runs afterwards; data stay."""
    with running.alone(topology.state):
        processes = Processes(topology.state)
        keeper = running.keeper(topology.state)
        entries = processes.read()
        was_up = running.is_up(topology.state) or any(entry.identity.process() for entry in entries)
        supervisor = [entry.identity for entry in entries if entry.name == "supervisor"]
        for identity in [keeper] if keeper is not None else supervisor:
            if (process := identity.process()) is not None:
                process.terminate()
        if not wait_for(lambda: not running.is_up(topology.state), seconds=DOWN_SECONDS):
            end_all([*supervisor, *([keeper] if keeper is not None else [])], patience=0)
        end_all([entry.identity for entry in [*entries, *processes.read()]])
        processes.clear()
        running.forget(topology.state)
    out.print("Down; the data are kept." if was_up else "Nothing was up.")


def clean(topology: Topology, out: Console) -> None:
    """Ends the system and removes its data, logs and keys; downloaded programs stay."""
    down(topology, out)
    places.forget(topology.state / "postgres")
    for path in data_of(topology):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    out.print("Data, logs and keys are removed.")


# ---- status


@dataclass(frozen=True)
class Row:
    """How one process stands. `reason` is None when it is ready, else says why it is not."""

    name: str
    port: int
    pid: int | None
    restarts: int
    since: str | None
    megabytes: int | None
    reason: str | None


async def _rows(topology: Topology) -> list[Row]:
    entries = {entry.name: entry for entry in Processes(topology.state).read()}
    ports = {"gateway": topology.gateway_port, "postgres": topology.postgres_port}
    if topology.own_broker:
        ports["kafka"] = topology.kafka_port
    for service in SERVICES:
        ports[f"{service}.api"] = topology.api_port(service)
        ports[f"{service}.worker"] = topology.worker_port(service)
    return list(await asyncio.gather(*(_row(name, port, entries.get(name)) for name, port in ports.items())))


async def _row(name: str, port: int, entry: Entry | None) -> Row:
    process = entry.identity.process() if entry is not None else None
    if entry is None or process is None:
        return Row(name, port, None, entry.restarts if entry else 0, None, None, "not running")
    if name in ("postgres", "kafka"):
        reason = None if listens(port) else f"nobody listens on port {port}"
    else:
        reason = await answers(port, "/healthz" if name == "gateway" else "/readyz")()
    since = datetime.fromtimestamp(entry.started, UTC).isoformat(timespec="seconds")
    return Row(name, port, entry.pid, entry.restarts, since, _megabytes(process), reason)


def _megabytes(process: psutil.Process) -> int | None:
    try:
        memory = process.memory_info()
        children = (child.memory_info() for child in process.children(recursive=True))
        # What a server's processes share is counted once.
        own = sum(child.rss - getattr(child, "shared", 0) for child in children)
        return int(memory.rss + own) // 2**20
    except psutil.NoSuchProcess:
        return None


def status(topology: Topology, out: Console, *, json: bool) -> bool:
    """Shows every process and every service on one screen, and what to do next; whether all processes are ready."""
    rows, services = asyncio.run(_seen(topology))
    ready = all(row.reason is None for row in rows)
    if json:
        processes = [{**vars(row), "ready": row.reason is None} for row in rows]
        seen = {"commit": standing.commit(), "services": [asdict(each) for each in services]}
        out.print_json(data={"ready": ready, "gateway": topology.gateway_url, "processes": processes, **seen})
        return ready
    columns = ["process", "port", "pid", "restarts", "since", "MB", "state"]
    screen.table(out, columns, [[*_cells(row), row.reason or "ready"] for row in rows])
    out.print()
    columns = ["service", "version", "migrations", "lag", "unpublished", "oldest", "timer overdue", "waiting", "parked"]
    screen.table(out, columns, [_figures(each) for each in services])
    next_steps = [words for each in services for words in each.next()]
    if all(row.pid is None for row in rows):
        next_steps = ["Nothing is up: `make up`."]
    elif not ready:
        worst = next(row for row in rows if row.reason is not None)
        next_steps.insert(
            0, f"{worst.name} is not ready ({worst.reason}): `make logs s={worst.name.partition('.')[0]}`."
        )
    out.print(f"\nThe clone is at {standing.commit() or 'no commit'}.")
    for words in next_steps or ["Nothing to do."]:
        out.print(words, markup=False)
    return ready


async def _seen(topology: Topology) -> tuple[list[Row], list[standing.Standing]]:
    return await asyncio.gather(_rows(topology), standing.standings(topology))


def _figures(each: standing.Standing) -> list[object]:
    current = f"{each.revision or '?'} of {each.head}"
    ages = [None if age is None else f"{age:.0f} s" for age in (each.oldest_unpublished, each.oldest_overdue)]
    lag = "?" if each.lag is None else each.lag
    return [each.service, each.version, current, lag, each.unpublished, *ages, each.waiting, each.parked]


def _cells(row: Row) -> list[object]:
    return [row.name, row.port, row.pid, row.restarts, row.since, row.megabytes]

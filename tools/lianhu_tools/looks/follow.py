"""The logs of a service's processes, merged as they grow."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lianhu_tools.faults import Fault
from lianhu_tools.topology import Topology


def files(topology: Topology, name: str) -> list[Path]:
    """The logs that a name means: a service's (api, worker, migrate), or one such as kafka; all without a name.

    Raises Fault where there is none.
    """
    found = sorted(topology.logs.glob(f"{name}.log" if name else "*.log"))
    found += sorted(topology.logs.glob(f"{name}.*.log")) if name else []
    if not found:
        known = sorted({file.name.split(".")[0] for file in topology.logs.glob("*.log")})
        raise Fault(f"There is no log of {name!r}; there are: {', '.join(known) or 'none yet, run `make up`'}.")
    return found


def show(logs: Sequence[Path], lines: int, *, follow: bool) -> None:
    """Prints the last lines of each log, and with `follow` goes on until it is interrupted."""
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *(str(log) for log in logs)]
    try:
        subprocess.run(command, check=False)
    except KeyboardInterrupt:
        return


def joined(logs: Sequence[Path], ids: Iterable[str]) -> Iterator[str]:
    """The lines of one request in all these logs, in the order of their time, each with its log's name.

    A line belongs to it where its `trace_id` or `request_id` (what caused the work: a call, an event) is one of `ids`.
    """
    wanted = set(ids)
    found: list[tuple[str, str]] = []
    for log in logs:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                entry = _entry(line)
                if wanted & {str(entry.get("trace_id")), str(entry.get("request_id"))}:
                    found.append((str(entry.get("timestamp", "")), f"{log.stem}: {line.rstrip()}"))
    yield from (line for _, line in sorted(found))


def _entry(line: str) -> dict[str, object]:
    try:
        entry = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}

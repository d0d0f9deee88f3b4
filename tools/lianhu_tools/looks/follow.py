"""The logs of a service's processes, merged as they grow."""

import subprocess
from collections.abc import Sequence
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

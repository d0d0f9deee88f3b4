"""The process behind the supervisor: holds the lock that says "up", and replaces a supervisor that was killed.

A killed supervisor's children get their end from the kernel; the next supervisor starts them anew, data kept.
"""

import asyncio
import functools
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from lianhu_tools import running
from lianhu_tools.local.supervisor import supervise
from lianhu_tools.local.system import STORES, build
from lianhu_tools.processes import Identity
from lianhu_tools.topology import Topology, current

ALREADY_UP = 3
TRIES = 3


def main() -> int:
    """Runs supervisors until one ends by itself. Answers its code, or 3 when somebody else keeps the system."""
    topology = current(Path(sys.argv[1]))
    lock = running.hold(topology.state)
    if lock is None:
        return ALREADY_UP
    running.record(topology.state, Identity.of(os.getpid()), topology.base)
    try:
        return keep(functools.partial(_supervise, topology))
    finally:
        running.forget(topology.state)
        lock.close()


def _supervise(topology: Topology) -> int:
    return asyncio.run(supervise(topology.state, os.getpid(), functools.partial(build, topology), STORES))


def keep(run: Callable[[], int]) -> int:
    """Forks a process that runs a supervisor, and another one whenever it was killed.

    The first must come up; one that replaces it may try so often, as a crash may have left the machine busy. SIGTERM
    and SIGINT are passed on and end it all. Answers what the last supervisor answered.
    """
    asked = False
    child = 0
    tries = 0

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        if child:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    while not asked:
        child = os.fork()
        if child == 0:
            os._exit(run())
        _, status = os.waitpid(child, 0)
        child = 0
        if os.WIFEXITED(status):
            tries -= 1
            if os.WEXITSTATUS(status) == 0 or tries <= 0:
                return os.WEXITSTATUS(status)
        else:
            tries = TRIES
        time.sleep(0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A program: a supervisor under its keeper over small children, as `python supervised.py STATE [breaks]`.

Its children: `steady` sleeps, `one.part` sleeps, `stubborn` does not listen to SIGTERM. With `breaks` there is
also one that ends at once.
"""

import asyncio
import os
import sys
from pathlib import Path

from lianhu_tools.local import child
from lianhu_tools.local.child import Plan
from lianhu_tools.local.keeper import keep
from lianhu_tools.local.supervisor import Supervisor, supervise

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


async def build(supervisor: Supervisor, state: Path, *, breaks: bool) -> None:
    """Starts the children; the stubborn one is up once it has said so."""
    stubborn = state / "logs" / "stubborn.log"

    async def has_spoken() -> str | None:
        return None if stubborn.read_text().endswith("up\n") else "it has not said so"

    await supervisor.bring_up(Plan("steady", ["sleep", "600"], state / "logs" / "steady.log"), 5)
    await supervisor.bring_up(Plan("one.part", ["sleep", "600"], state / "logs" / "one.part.log"), 5)
    await supervisor.bring_up(Plan("stubborn", [sys.executable, "-c", _STUBBORN], stubborn, ready=has_spoken), 5)
    if breaks:
        command = [sys.executable, "-c", "import sys, time; time.sleep(0.2); sys.exit('the cause stands here')"]
        await supervisor.bring_up(Plan("broken", command, state / "logs" / "broken.log", ready=_never), 20)


async def _never() -> str | None:
    return "it never is"


def run(state: Path, breaks: bool) -> int:
    """One supervisor's life."""
    child.PATIENCE = 1.0
    return asyncio.run(
        supervise(state, os.getpid(), lambda supervisor: build(supervisor, state, breaks=breaks), last=["steady"])
    )


if __name__ == "__main__":
    sys.exit(keep(lambda: run(Path(sys.argv[1]), "breaks" in sys.argv[2:])))

"""Whether the local system of a clone is up, by whom it is kept, and on which port base."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lianhu_tools.processes import Identity
from lianhu_tools.records import replace

_LOCK = "system.lock"
_RECORD = "system.json"


def hold(state: Path) -> IO[str] | None:
    """Takes the lock that says "up"; None when somebody has it. It is free again when its last holder has ended."""
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / _LOCK).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def is_up(state: Path) -> bool:
    """Whether a keeper or its supervisor is alive."""
    try:
        with (state / _LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One command at a time starts or ends the system of this clone; a second one waits."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "command.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def record(state: Path, keeper: Identity, base: int) -> None:
    """Writes down who keeps the system, and where it listens."""
    replace(state / _RECORD, {"keeper": keeper.pid, "started": keeper.started, "port_base": base})


def forget(state: Path) -> None:
    """Removes the record: nothing is up."""
    (state / _RECORD).unlink(missing_ok=True)


def keeper(state: Path) -> Identity | None:
    """The recorded keeper, if it is alive."""
    found = _read(state)
    identity = Identity(int(found["keeper"]), found["started"]) if found else None
    return identity if identity is not None and identity.process() is not None else None


def port_base(state: Path) -> int | None:
    """The base of the ports of the system that is up; None when none is."""
    found = _read(state) if is_up(state) else None
    return int(found["port_base"]) if found else None


def _read(state: Path) -> dict[str, float] | None:
    try:
        found: dict[str, float] = json.loads((state / _RECORD).read_text())
    except (OSError, ValueError):
        return None
    return found

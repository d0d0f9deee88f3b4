"""Operating-system processes: started so that they cannot outlive their parent, and ended surely."""

import asyncio
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

_PR_SET_PDEATHSIG = 1
_START_TOLERANCE = 2.0  # psutil derives start times from the boot time, which a clock correction moves


@dataclass(frozen=True)
class Account:
    """An operating-system user that a process is handed to."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The user that runs what refuses to run as root; None where the caller is not root anyway."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LookupError("there is neither a user `postgres` nor a user `nobody` to run PostgreSQL as")


def spawn(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    output: IO[Any] | int = subprocess.DEVNULL,
    account: Account | None = None,
    end_with: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a process that gets `end_with` when its parent dies (Linux), whatever the parent died of.

    Call it from the main thread: Linux counts the end of the starting thread as the parent's death.
    """
    rights: dict[str, Any] = (
        {"user": account.uid, "group": account.gid, "extra_groups": []} if account is not None else {}
    )
    return subprocess.Popen(
        list(command),
        cwd=directory,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        preexec_fn=_die_with(os.getpid(), end_with),  # noqa: PLW1509 - there is no other way to ask the kernel
        **rights,
    )


def _die_with(parent: int, ending: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel


def end(process: subprocess.Popen[bytes], *, ask: signal.Signals = signal.SIGTERM, patience: float = 10) -> None:
    """Ends a child: asks first, and after `patience` seconds no longer asks."""
    if process.poll() is None:
        process.send_signal(ask)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def ended(process: subprocess.Popen[bytes], *, seconds: float = float("inf")) -> int | None:
    """The exit code of a child once it has ended; None when it still runs after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        code = process.poll()
        if code is not None or time.monotonic() > deadline:
            return code
        await asyncio.sleep(0.2)


@dataclass(frozen=True)
class Identity:
    """A process that is known again later: the id alone may by then belong to a stranger."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """The identity of a process that runs now."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The running process, or None when it has ended or its id went to another."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TOLERANCE
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def end_all(identities: Iterable[Identity], *, patience: float = 10) -> int:
    """Ends processes, children or not: SIGTERM, `patience` seconds, SIGKILL. Answers how many there were."""
    known = list(identities)
    alive = [process for identity in known if (process := identity.process()) is not None]
    for process in alive:
        _signal(process, signal.SIGTERM)
    # Not psutil's own wait: it takes a zombie, which nobody may be there to reap, for alive.
    if not wait_for(lambda: all(identity.process() is None for identity in known), seconds=patience):
        for identity in known:
            if (stubborn := identity.process()) is not None:
                _signal(stubborn, signal.SIGKILL)
        wait_for(lambda: all(identity.process() is None for identity in known), seconds=5)
    return len(alive)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Whether a condition came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def last_lines(file: Path, count: int = 20) -> str:
    """The end of a log file, for a message; empty when there is none."""
    try:
        with file.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return ""

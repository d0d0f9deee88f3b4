"""What the supervisor writes down for others: the processes that run, and how far a start has come."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lianhu_tools.processes import Identity


@dataclass(frozen=True)
class Entry:
    """One process of the system as the supervisor last saw it."""

    name: str
    pid: int
    started: float
    restarts: int = 0

    @property
    def identity(self) -> Identity:
        """To find it again, and no stranger who got its id."""
        return Identity(self.pid, self.started)


def replace(file: Path, content: object) -> None:
    """Writes JSON so that a reader sees the old file or the new one, never a half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    fresh.replace(file)


class Processes:
    """`pids.json`, in the contract's shape, and `processes.json`, with what it takes to know a process again."""

    def __init__(self, state: Path) -> None:
        self._pids = state / "pids.json"
        self._details = state / "processes.json"

    def write(self, entries: list[Entry]) -> None:
        """Replaces both files."""
        replace(self._details, [asdict(entry) for entry in entries])
        replace(self._pids, pids(entries))

    def read(self) -> list[Entry]:
        """What was written last; nothing where nothing ever ran."""
        try:
            rows = json.loads(self._details.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return [Entry(**row) for row in rows]

    def clear(self) -> None:
        """Removes both files: nothing runs."""
        self._pids.unlink(missing_ok=True)
        self._details.unlink(missing_ok=True)


def pids(entries: list[Entry]) -> dict[str, Any]:
    """`{"requests": {"api": [pid], "worker": [pid]}, …, "kafka": [pid]}`: `requests.api` stands below `requests`."""
    shape: dict[str, Any] = {}
    for entry in entries:
        service, _, role = entry.name.partition(".")
        if role:
            shape.setdefault(service, {}).setdefault(role, []).append(entry.pid)
        else:
            shape.setdefault(service, []).append(entry.pid)
    return shape


@dataclass(frozen=True)
class Step:
    """One line of progress. `state` is begun, done or failed; `seconds` is how long it took so far."""

    name: str
    state: str
    seconds: float = 0.0
    detail: str = ""


class Progress:
    """The steps of one start, appended by the supervisor and followed by whoever asked for the start."""

    def __init__(self, state: Path) -> None:
        self.file = state / "progress.jsonl"

    def begin(self) -> None:
        """Forgets the steps of an earlier start."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("", encoding="utf-8")

    def note(self, step: Step) -> None:
        """Adds one line."""
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(step), ensure_ascii=False) + "\n")

    def steps(self, after: int = 0) -> Iterator[Step]:
        """The whole lines written so far, from the given one on."""
        try:
            lines = self.file.read_text(encoding="utf-8").split("\n")[:-1]
        except FileNotFoundError:
            return
        for line in lines[after:]:
            yield Step(**json.loads(line))

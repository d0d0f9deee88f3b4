"""The supervisor over small children: what dies is started again, and at the end nothing is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lianhu_tools.processes import Identity, wait_for
from lianhu_tools.records import Entry, Processes, Progress
from support import supervised

Running = subprocess.Popen[bytes]


class System:
    """A keeper with its supervisor and children, in a folder of their own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.keeper: Running | None = None
        self.seen: set[int] = set()

    def start(self, *arguments: str) -> Running:
        """Starts it and does not wait."""
        command = [sys.executable, supervised.__file__, str(self.state), *arguments]
        self.keeper = subprocess.Popen(command, start_new_session=True)
        return self.keeper

    def up(self) -> None:
        """Starts it and waits until it is built."""
        self.start()
        assert wait_for(self.built, seconds=20), list(Progress(self.state).steps())

    def built(self) -> bool:
        """Whether the last start came to its end."""
        return any(step.name == "" and step.state == "done" for step in Progress(self.state).steps())

    def pids(self) -> dict[str, Any]:
        """What pids.json says; remembers every pid that it ever said."""
        try:
            found: dict[str, Any] = json.loads((self.state / "pids.json").read_text())
        except FileNotFoundError:
            return {}
        self.seen |= {entry.pid for entry in Processes(self.state).read()}
        return found

    def alive(self) -> list[int]:
        """Those of all pids ever seen that still run."""
        return [pid for pid in self.seen if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "a folder")
    yield system
    system.pids()
    for pid in [*([system.keeper.pid] if system.keeper else []), *system.seen]:
        if _runs(pid):
            os.kill(pid, signal.SIGKILL)
    if system.keeper:
        system.keeper.wait()


def test_pids_have_the_contracts_shape(system: System) -> None:
    system.up()
    pids = system.pids()
    assert set(pids) == {"steady", "one", "stubborn", "supervisor"}
    assert set(pids["one"]) == {"part"}
    assert all(psutil.pid_exists(pid) for pid in [*pids["steady"], *pids["one"]["part"], *pids["supervisor"]])


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_dies_is_started_again(system: System, ending: signal.Signals) -> None:
    system.up()
    [before] = system.pids()["steady"]
    others = system.pids()["stubborn"]
    os.kill(before, ending)
    assert wait_for(lambda: system.pids().get("steady") not in (None, [before]), seconds=10)
    assert system.pids()["stubborn"] == others
    [entry] = [entry for entry in Processes(system.state).read() if entry.name == "steady"]
    assert entry.restarts == 1
    assert not _runs(before)


def test_at_the_end_nothing_is_left_even_of_those_who_do_not_listen(system: System) -> None:
    system.up()
    system.pids()
    assert len(system.alive()) == 4
    assert system.keeper is not None
    system.keeper.terminate()
    assert system.keeper.wait(20) == 0
    assert system.alive() == []
    assert system.pids() == {}


def test_a_killed_supervisor_leaves_no_orphans_and_is_replaced(system: System) -> None:
    system.up()
    before = system.pids()
    os.kill(before["supervisor"][0], signal.SIGKILL)
    assert wait_for(lambda: system.pids().get("supervisor", []) not in ([], before["supervisor"]), seconds=20)
    assert wait_for(system.built, seconds=20)
    after = system.pids()
    assert set(after) == set(before)
    assert all(not _runs(pid) for pid in [*before["steady"], *before["one"]["part"], *before["stubborn"]])


def test_a_killed_keeper_and_supervisor_leave_no_orphans_that_end_when_asked(system: System) -> None:
    system.up()
    pids = system.pids()
    assert system.keeper is not None
    system.keeper.kill()
    system.keeper.wait()
    os.kill(pids["supervisor"][0], signal.SIGKILL)
    assert wait_for(lambda: not _runs(pids["steady"][0]) and not _runs(pids["one"]["part"][0]), seconds=10)


def test_leftovers_are_ended_and_strangers_are_not(system: System) -> None:
    with subprocess.Popen(["sleep", "600"]) as leftover, subprocess.Popen(["sleep", "600"]) as stranger:
        try:
            mine, other = Identity.of(leftover.pid), Identity.of(stranger.pid)
            Processes(system.state).write(
                [
                    Entry("steady", mine.pid, mine.started),
                    Entry("kafka", other.pid, other.started - 3600),  # an id that somebody else has by now
                ]
            )
            system.up()
            assert leftover.wait(15) == -signal.SIGTERM
            assert stranger.poll() is None
        finally:
            leftover.kill()
            stranger.kill()


def test_a_start_that_fails_says_why_and_leaves_nothing(system: System) -> None:
    keeper = system.start("breaks")
    assert wait_for(lambda: "steady" in system.pids(), seconds=10)
    assert keeper.wait(30) == 1
    [failure] = [step for step in Progress(system.state).steps() if step.name == "" and step.state == "failed"]
    assert "broken: it ended 3 times, last with code 1" in failure.detail
    assert "the cause stands here" in failure.detail
    assert system.alive() == []

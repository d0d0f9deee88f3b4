"""The files that others read: shape, replacement, and knowing a process again."""

import json
import os
from pathlib import Path

import pytest

from lianhu_tools.local import logs
from lianhu_tools.processes import Identity
from lianhu_tools.records import Entry, Processes, Progress, Step, pids, replace


def test_pids_stand_below_their_service_and_role() -> None:
    entries = [
        Entry("requests.api", 11, 1.0),
        Entry("requests.worker", 12, 1.0),
        Entry("kafka", 13, 1.0),
        Entry("supervisor", 14, 1.0),
    ]
    assert pids(entries) == {"requests": {"api": [11], "worker": [12]}, "kafka": [13], "supervisor": [14]}


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pids.json"
    replace(file, {"old": 1})
    with file.open() as reader:
        replace(file, {"new": [1] * 10_000})
        assert json.load(reader) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["pids.json"]


def test_what_is_written_is_read_again_and_gone_when_cleared(tmp_path: Path) -> None:
    records = Processes(tmp_path)
    assert records.read() == []
    entries = [Entry("kafka", 7, 12.5, restarts=2)]
    records.write(entries)
    assert records.read() == entries
    records.clear()
    assert records.read() == []
    assert not (tmp_path / "pids.json").exists()


def test_a_process_is_known_by_id_and_start() -> None:
    mine = Identity.of(os.getpid())
    assert mine.process() is not None
    assert Identity(mine.pid, mine.started - 60).process() is None
    assert Identity(2**22 + 1, mine.started).process() is None


def test_steps_are_followed_from_where_one_left_off(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    assert list(progress.steps()) == []
    progress.begin()
    progress.note(Step("kafka", "begun"))
    progress.note(Step("kafka", "done", 2.5))
    assert [step.state for step in progress.steps(after=1)] == ["done"]
    with progress.file.open("a") as half:
        half.write('{"name": "postg')  # the supervisor is still writing this one
    assert len(list(progress.steps())) == 2


@pytest.mark.parametrize(("size", "cut"), [(99, []), (101, ["loud"])])
def test_a_log_over_its_bound_is_moved_away_while_it_is_written_to(tmp_path: Path, size: int, cut: list[str]) -> None:
    log = tmp_path / "loud.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * size)
        assert logs.bound(tmp_path, largest=100) == cut
        writer.write(b"next")
    assert log.read_bytes() == (b"next" if cut else b"x" * size + b"next")
    assert (tmp_path / "loud.log.1").exists() == bool(cut)

"""A clone that the server's user cannot enter: programs and data then lie where they can be reached."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lianhu_tools import processes
from lianhu_tools.stores import places
from support.stores import elsewhere

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, with a space in its name."""
    made = Path(tempfile.mkdtemp(prefix="lianhu test "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@only_root
def test_within_reach_it_stays_in_the_clone(folder: Path) -> None:
    home = folder / ".lianhu" / "postgres"
    cluster = places.settle(home, port=processes.free_port(), durable=False)
    assert cluster.data == home / "data"
    assert cluster.account is not None


@only_root
def test_out_of_reach_it_lies_outside_and_works_and_is_removed(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "postgres"
    cluster = places.settle(home, port=processes.free_port(), durable=False)
    assert folder not in cluster.data.parents
    assert folder not in cluster.binaries.parents
    outside = cluster.data.parent
    try:
        cluster.prepare()
        process = processes.spawn(cluster.command(), directory=Path("/"), account=cluster.account)
        try:
            elsewhere(cluster.answer(seconds=20))
            urls = elsewhere(cluster.create("toolcheck"))
            assert "toolcheck_api" in urls.api
        finally:
            processes.end(process, ask=signal.SIGINT)
        again = places.settle(home, port=cluster.port, durable=False)
        assert again == cluster, "the same place is found again"
    finally:
        places.forget(home)
    assert not outside.exists()
    assert not home.exists()


@only_root
def test_an_outside_place_is_nobody_elses_to_write(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    cluster = places.settle(closed / "postgres", port=processes.free_port(), durable=False)
    try:
        cluster.prepare()
        assert cluster.data.parent.stat().st_uid == 0
        assert cluster.data.parent.stat().st_mode & 0o022 == 0
        assert cluster.data.with_suffix(".password").stat().st_mode & 0o077 == 0
    finally:
        places.forget(closed / "postgres")


def test_the_session_s_own_user_runs_it_without_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    cluster = places.settle(folder / "postgres", port=processes.free_port())
    assert cluster.account is None
    assert cluster.data == folder / "postgres" / "data"

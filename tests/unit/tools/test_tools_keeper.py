"""The keeper: who was killed is replaced; a replacement may try again, a first start may not."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lianhu_tools.local.keeper import TRIES, keep

KILLED = -1


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("ends", "answer", "runs"),
    [
        ([0], 0, 1),
        ([1], 1, 1),
        ([KILLED, 0], 0, 2),
        ([KILLED, 1, 0], 0, 3),
        ([KILLED, 1, KILLED, 1, 0], 0, 5),
        ([KILLED, *[1] * TRIES], 1, 1 + TRIES),
    ],
)
def test_each_end_of_a_supervisor_has_its_answer(tmp_path: Path, ends: list[int], answer: int, runs: int) -> None:
    count = tmp_path / "count"
    count.write_text("")

    def run() -> int:
        number = len(count.read_text())
        with count.open("a") as file:
            file.write(".")
        if ends[number] == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        return ends[number]

    assert keep(run) == answer
    assert len(count.read_text()) == runs

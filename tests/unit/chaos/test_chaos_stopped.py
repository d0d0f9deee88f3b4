"""`make chaos` that is told to end."""

import asyncio
import os
import signal
from argparse import Namespace
from typing import Any

import pytest

from chaos import __main__ as program
from chaos.table import Outcome, Record


class _Stages:
    closed = False

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_it_brings_its_system_down_and_tells_what_it_had(
    told: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def one(_stages: Any, case: str, seed: int, _short: bool, record: Record) -> None:
        if seed == 2:
            os.kill(os.getpid(), told)
            os.kill(os.getpid(), told)  # the impatient
            await asyncio.sleep(60)
        record.ended.append(Outcome(case, seed, "something", 20, 20, 1, 30, 0, {}))

    monkeypatch.setattr(program, "_one", one)
    stages: Any = _Stages()
    given = Namespace(cases=["kills"], seed=1, seeds=3, minutes=0, short=True)
    ended = await asyncio.create_task(program._all(stages, given))
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(each)
    assert ended == 1
    assert stages.closed
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "1 cases, 1 runs, 20 orders, stopped before the end: lost 0, doubled 0, illegal 0"

"""Intake and relay have not grown twice as dear beside their bare floors: ratios of one run, never times."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.timeout(600)
async def test_intake_and_relay_are_not_twice_as_dear_as_wanted() -> None:
    guard = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.guard",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await guard.communicate()
    assert guard.returncode == 0, said.decode()

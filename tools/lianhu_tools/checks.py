"""`make test`: every check of the house and every depth of tests, with times and counts.

They run in three lanes side by side, in each one after the other: what starts no broker and no database, what starts
them for single services, and what starts the whole system: most of the time that the latter two take they wait.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from lianhu_tools import screen
from lianhu_tools.faults import Fault
from lianhu_tools.topology import SERVICES

DEPTHS = ("unit", "contract", "integration", "browser", "e2e")
ALONE, PARTS, WHOLE = LANES = ("alone", "parts", "whole")
_LANE = {"integration": PARTS, "browser": WHOLE, "e2e": WHOLE}
_PROGRAMS = Path(sys.executable).parent
_CODE = ("shared", "services", "tools", "tests")


@dataclass(frozen=True)
class Check:
    """One check: its command, the folder that it runs in, where it writes counts, if it counts; its lane."""

    name: str
    command: Sequence[str]
    folder: Path
    counts: Path | None = None
    lane: str = ALONE


@dataclass(frozen=True)
class Outcome:
    """How a check ended: whether it held, in how many seconds, and what it counted."""

    check: Check
    held: bool
    seconds: float
    counted: str


def house(root: Path) -> list[Check]:
    """Lint, format, types, floors, secrets, licences, dependencies of every distribution."""
    python = [sys.executable, "-m"]
    ruff, imports, deptry = (str(_PROGRAMS / name) for name in ("ruff", "lint-imports", "deptry"))
    checks = [
        Check("ruff check", [ruff, "check", "-q", *_CODE], root),
        Check("ruff format", [ruff, "format", "-q", "--check", *_CODE], root),
        Check("mypy", [*python, "mypy", "--no-error-summary", *_types(root)], root),
        Check("import-linter", [*python, "importlinter.cli"] if not Path(imports).exists() else [imports], root),
        Check("secrets", [*python, "lianhu_tools.hygiene", "secrets"], root),
        Check("licences", [*python, "lianhu_tools.hygiene", "licences"], root),
        Check("words", [*python, "lianhu_tools.words", "check"], root),
        Check("migrations", [*python, "lianhu_tools.migration_steps"], root),
        Check("deptry tools", [deptry, "tools"], root),
        Check("deptry kit", [deptry, "src"], root / "shared"),
        Check("deptry web", [deptry, "src"], root / "shared" / "web"),
    ]
    return checks + [Check(f"deptry {name}", [deptry, "src"], root / "services" / name) for name in SERVICES]


def _types(root: Path) -> list[str]:
    services = [f"services/{name}/src" for name in SERVICES]
    folders = ["shared/src", "shared/web/src", *services, "tools/lianhu_tools", "tests"]
    return [folder for folder in folders if any((root / folder).rglob("*.py"))]


def depth(root: Path, name: str) -> Check:
    """The tests of one depth."""
    counts = root / ".lianhu" / "tests" / f"{name}.xml"
    lane = _LANE.get(name, ALONE)
    told = "-v" if lane == WHOLE else "-q"  # a test of the whole system takes seconds: each of them is named
    command = [sys.executable, "-m", "pytest", told, f"tests/{name}", f"--junitxml={counts}"]
    return Check(f"tests/{name}", command, root, counts, lane)


def chosen(root: Path, names: Sequence[str]) -> list[Check]:
    """The checks of these names (house, unit, contract, integration, browser, e2e); all of them without a name.

    Raises Fault for a name that there is none of.
    """
    checks: list[Check] = []
    for name in names or ("house", *DEPTHS):
        if name == "house":
            checks += house(root)
        elif name in DEPTHS:
            checks.append(depth(root, name))
        else:
            raise Fault(f"There is no check {name!r}; there are house, {', '.join(DEPTHS)}.")
    return checks


def run(checks: Sequence[Check], out: Console) -> bool:
    """Runs all of them, whatever fails, and then lists how each ended; whether all held."""
    with ThreadPoolExecutor(max_workers=len(LANES)) as pool:
        lanes = [pool.submit(_in_turn, [check for check in checks if check.lane == lane], out) for lane in LANES]
        outcomes = {outcome.check.name: outcome for lane in lanes for outcome in lane.result()}
    out.print()
    listed = [outcomes[check.name] for check in checks]
    table = [(o.check.name, "ok" if o.held else "FAILED", f"{o.seconds:.1f} s", o.counted) for o in listed]
    screen.table(out, ["check", "", "time", "counts"], table)
    return all(outcome.held for outcome in listed)


def _in_turn(checks: Sequence[Check], out: Console) -> list[Outcome]:
    return [_run(check, out) for check in checks]


def _run(check: Check, out: Console) -> Outcome:
    """What takes minutes is seen line by line while it runs, all else as one piece when it ended."""
    if check.counts is not None:
        check.counts.parent.mkdir(parents=True, exist_ok=True)
        check.counts.unlink(missing_ok=True)
    began = time.monotonic()
    piece = [f"\n== {check.name}"]
    with subprocess.Popen(
        check.command, cwd=check.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        for line in running.stdout or ():
            if check.lane == ALONE:
                piece.append(line.rstrip())
            else:
                _say(out, f"{check.name}: {line.rstrip()}")
    seconds = time.monotonic() - began
    if check.lane == ALONE:
        _say(out, "\n".join(piece))
    counted = counts(check.counts) if check.counts is not None and check.counts.exists() else ""
    return Outcome(check, running.returncode == 0, seconds, counted)


def _say(out: Console, text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def counts(file: Path) -> str:
    """pytest's own counts, from the report that it wrote itself."""
    suite = ElementTree.parse(file).getroot().find("testsuite")  # noqa: S314 - written by the line above
    if suite is None:
        return ""
    found = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    passed = found["tests"] - found["failures"] - found["errors"] - found["skipped"]
    rest = [f"{found[name]} {name}" for name in ("failures", "errors", "skipped") if found[name]]
    return ", ".join([f"{passed} passed", *rest])

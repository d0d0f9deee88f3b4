"""`make test` picks its checks by name and reports pytest's own counts."""

import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lianhu_tools import checks
from lianhu_tools.faults import Fault

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.0" />
</testsuites>"""


def test_counts_are_those_of_the_report(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    report.write_text(REPORT)
    assert checks.counts(report) == "4 passed, 2 failures, 1 errors, 3 skipped"


def test_without_a_name_all_are_run_in_order(tmp_path: Path) -> None:
    names = [check.name for check in checks.chosen(tmp_path, [])]
    assert names[0] == "ruff check"
    assert names[-5:] == ["tests/unit", "tests/contract", "tests/integration", "tests/browser", "tests/e2e"]


def test_every_distribution_has_its_dependencies_checked(tmp_path: Path) -> None:
    names = {check.name for check in checks.chosen(tmp_path, ["house"])}
    wanted = {"deptry tools", "deptry kit", "deptry web", "deptry requests", "deptry dispatch", "deptry notifications"}
    assert wanted | {"deptry reporting"} <= names


def test_each_ends_as_it_ends_and_all_are_listed_in_order(tmp_path: Path) -> None:
    out = Console(file=StringIO(), width=100)
    python = [sys.executable, "-c"]
    wanted = [
        checks.Check("quiet", [*python, "print('lint [bold] said')"], tmp_path),
        checks.Check("failing", [*python, "raise SystemExit('it does not hold')"], tmp_path),
        checks.Check("with stores", [*python, "print('it goes on')"], tmp_path, lane=checks.PARTS),
    ]
    assert not checks.run(wanted, out)
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert "lint [bold] said" in told
    assert "it does not hold" in told
    assert "with stores: it goes on" in told
    table = [line.split()[0:3] for line in told[told.index("check  ") :].splitlines()[1:]]
    assert [row[:2] for row in table] == [["quiet", "ok"], ["failing", "FAILED"], ["with", "stores"]]
    assert checks.run([wanted[0], wanted[2]], out)


def test_the_lanes_run_side_by_side(tmp_path: Path) -> None:
    meeting = (
        "import sys, time; from pathlib import Path\nPath(sys.argv[1]).touch()\n"
        "while len(list(Path(sys.argv[1]).parent.iterdir())) < 3: time.sleep(0.01)"
    )
    wanted = [
        checks.Check(lane, [sys.executable, "-c", meeting, str(tmp_path / lane)], tmp_path, lane=lane)
        for lane in checks.LANES
    ]
    assert checks.run(wanted, Console(file=StringIO()))


def test_an_unknown_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="There is no check 'smoke'; there are house, unit"):
        checks.chosen(tmp_path, ["smoke"])

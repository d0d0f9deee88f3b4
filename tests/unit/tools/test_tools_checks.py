"""`make test` picks its checks by name and reports pytest's own counts."""

from pathlib import Path

import pytest

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
    assert names[-4:] == ["tests/unit", "tests/contract", "tests/integration", "tests/e2e"]


def test_every_distribution_has_its_dependencies_checked(tmp_path: Path) -> None:
    names = {check.name for check in checks.chosen(tmp_path, ["house"])}
    wanted = {"deptry tools", "deptry kit", "deptry requests", "deptry dispatch", "deptry notifications"}
    assert wanted | {"deptry reporting"} <= names


def test_an_unknown_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="There is no check 'smoke'; there are house, unit"):
        checks.chosen(tmp_path, ["smoke"])

"""What `make chaos` says at its end."""

import re

import pytest

from chaos.table import Outcome, Record


def _outcome(case: str, seed: int, recovery: float, **counts: int) -> Outcome:
    found = {"lost": 0, "doubled": 0, "illegal": 0} | counts
    return Outcome(case, seed, "something", 20, 20, recovery, 30, 0, found)


def test_a_case_is_a_line_with_its_recovery_over_all_seeds() -> None:
    record = Record(
        [_outcome("kills", 1, 9), _outcome("kills", 2, 1), _outcome("zombie", 1, 4), _outcome("kills", 3, 2)]
    )
    lines = list(record.table())
    assert re.split(" +", lines[1]) == ["kills", "3", "60", "60", "0", "0", "0", "1.0", "2.0", "9.0"]
    assert re.split(" +", lines[2]) == ["zombie", "1", "20", "20", "0", "0", "0", "4.0", "4.0", "4.0"]


def test_the_last_line_is_the_summary() -> None:
    record = Record([_outcome("kills", 1, 9), _outcome("zombie", 1, 4)])
    assert list(record.table())[-1] == "2 cases, 2 runs, 40 orders: lost 0, doubled 0, illegal 0"
    assert record.good


@pytest.mark.parametrize("kind", ["lost", "doubled", "illegal"])
def test_one_fault_of_any_seed_is_counted_and_not_good(kind: str) -> None:
    record = Record([_outcome("kills", 1, 9), _outcome("kills", 2, 9, **{kind: 1})])
    assert f"{kind} 1" in record.summary()
    assert not record.good


def test_what_could_not_be_played_is_told() -> None:
    record = Record([_outcome("kills", 1, 9)], ["zombie (seed 1): it broke off"], {"disk-full": "needs root"})
    assert record.summary() == (
        "1 cases, 1 runs, 20 orders, not tried 1, not played to the end 1: lost 0, doubled 0, illegal 0"
    )
    assert not record.good
    assert "disk-full            not tried: needs root" in list(record.table())


def test_a_machine_that_does_not_allow_a_case_is_no_fault_and_nothing_at_all_is() -> None:
    assert Record([_outcome("kills", 1, 9)], untried={"disk-full": "needs root"}).good
    assert not Record().good

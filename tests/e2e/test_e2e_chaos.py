"""A short look at the system under faults, with fixed seeds; `make chaos` has all cases and longer ones.

Each case is a village at work, a fault in the middle of it, and a checker that compares what clients were told with
rows, topics and reports.
"""

import pytest

from chaos.faults import FAULTS
from chaos.run import run_case
from support.system import System

CASES = ("redelivery", "cut-commits", "database-stops", "api-failpoints")
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("case", CASES)
async def test_nothing_is_lost_doubled_or_illegal(system: System, case: str) -> None:
    outcome = await run_case(system, case, FAULTS[case], seed=1, short=True)
    assert not any(outcome.counts.values()), "\n".join(outcome.lines())
    assert outcome.accepted == outcome.arrived > 0, "\n".join(outcome.lines())

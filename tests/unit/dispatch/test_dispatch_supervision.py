"""How a written order stands, in time and after it."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch_service.domain.states import OPEN, State
from dispatch_service.domain.supervision import Standing, standing

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_open_work_runs_until_its_deadline_and_is_overdue_after_it(state: State) -> None:
    assert standing(state, until=NOW, ended_at=None, now=NOW) is Standing.RUNNING
    assert standing(state, until=NOW - HOUR, ended_at=None, now=NOW) is Standing.OVERDUE


def test_what_is_done_was_in_time_or_late_and_stays_so() -> None:
    later = NOW + timedelta(days=9)
    assert standing(State.COMPLETED, until=NOW, ended_at=NOW, now=later) is Standing.DONE_IN_TIME
    assert standing(State.COMPLETED, until=NOW, ended_at=NOW + HOUR, now=later) is Standing.DONE_LATE


@pytest.mark.parametrize("state", [State.RETURNED, State.CANCELLED])
def test_what_was_given_back_or_called_off_was_not_done(state: State) -> None:
    assert standing(state, until=NOW + HOUR, ended_at=NOW, now=NOW) is Standing.ENDED

"""The ladder of waves: linking household, grid, village, then the leader is told, then the town.

Source: product.md (the third of "What makes it better") and contract.md, "By default the first wave …".
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Step(StrEnum):
    """A rung: the first three widen the circle of the asked, the last two tell who decides."""

    LINKING_HOUSEHOLD = "linking_household"
    GRID = "grid"
    VILLAGE = "village"
    LEADER = "leader"
    TOWN = "town"


AUDIENCES = (Step.LINKING_HOUSEHOLD, Step.GRID, Step.VILLAGE)
_ORDER = tuple(Step)

# Ours, where no org unit sets `wave_seconds`: 2, 8, 24 and 24 hours.
DEFAULT_SECONDS: Mapping[Step, int] = {
    Step.LINKING_HOUSEHOLD: 2 * 3600,
    Step.GRID: 8 * 3600,
    Step.VILLAGE: 24 * 3600,
    Step.LEADER: 24 * 3600,
}
# An urgent request must be met on site within two hours: no rung lasts longer than ten minutes.
URGENT_SECONDS = 600


def steps_after(step: Step | None) -> tuple[Step, ...]:
    """The rungs still to come, all of them before the first."""
    return _ORDER if step is None else _ORDER[_ORDER.index(step) + 1 :]


def reached(step: Step | None) -> tuple[Step, ...]:
    """The audiences that were asked so far, this one included."""
    return () if step is None else tuple(a for a in AUDIENCES if _ORDER.index(a) <= _ORDER.index(step))


def seconds(step: Step, wave_seconds: Mapping[str, Any], *, urgent: bool) -> float:
    """How long a rung lasts: the setting where there is a sound one, else the default; at most 10 min when urgent."""
    given = wave_seconds.get(step.value)
    sound = isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0
    lasts = float(given) if sound and given is not None else float(DEFAULT_SECONDS[step])
    return min(lasts, URGENT_SECONDS) if urgent else lasts


def inherited(units: Mapping[str, Mapping[str, Any]], code: str) -> dict[str, Any]:
    """The settings that hold at a code: each key from the nearest unit above it; `wave_seconds` rung by rung."""
    result: dict[str, Any] = {}
    waves: dict[str, Any] = {}
    for unit in sorted((unit for unit in units if code.startswith(unit)), key=len):
        result.update(units[unit])
        given = units[unit].get("wave_seconds")
        waves.update(given if isinstance(given, Mapping) else {})
    return {**result, "wave_seconds": waves}

"""A tally row, made from sums: the shape that everyone reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reporting_service.domain.contribution import CONTACT_SECONDS, FINISH_SECONDS, SUBMITTED
from reporting_service.domain.figures import EVER, GRADES
from reporting_service.domain.histogram import median
from reporting_service.domain.rates import rates
from reporting_service.domain.statuses import ENDED, OPEN

_LIMITS = ("contact_due", "contact_met", "finish_due", "finish_met", "finish_longer")
_SOLVED = ("yes", "partly", "no", "unknown")


def row(
    sums: Mapping[str, int], *, basis: str, overdue: int, served_people: int, satisfied_from: int
) -> dict[str, Any]:
    """One row without key and name. `sums` holds a number for each measure that was ever counted."""
    ended = {status: sums.get(f"{'now' if basis == SUBMITTED else 'ended'}.{status}", 0) for status in ENDED}
    made: dict[str, Any] = {
        "submitted": sums.get("submitted", 0),
        "now": _standing(sums, overdue),
        "ever": {name: sums.get(f"ever.{name}", 0) for name in EVER},
        "limits": {name: sums.get(f"limits.{name}", 0) for name in _LIMITS},
        "solved": {name: sums.get(f"solved.{name}", 0) for name in _SOLVED},
        "first_grades": {name: sums.get(f"first_grades.{name}", 0) for name in GRADES},
        "last_grades": {name: sums.get(f"last_grades.{name}", 0) for name in GRADES},
        "served_person_times": sums.get("served_person_times", 0),
        "volunteer_person_times": sums.get("volunteer_person_times", 0),
        "service_minutes": sums.get("service_minutes", 0),
        "served_people": served_people,
        "matters": sums.get("matters", 0),
        "contact_seconds_p50": _median(sums, CONTACT_SECONDS),
        "finish_seconds_p50": _median(sums, FINISH_SECONDS),
    }
    if basis != SUBMITTED:
        made["ended"] = ended
    known = {**sums, **{f"ended.{status}": number for status, number in ended.items()}}
    made["rates"] = rates(known, satisfied_from)
    return made


def _standing(sums: Mapping[str, int], overdue: int) -> dict[str, int]:
    standing = {status: sums.get(f"now.{status}", 0) for status in OPEN + ENDED}
    return {
        "open": sum(standing[status] for status in OPEN),
        **standing,
        "overdue": overdue,
        "suspended": sums.get("now.suspended", 0),
    }


def _median(sums: Mapping[str, int], prefix: str) -> float | None:
    middle = median(
        {int(name.removeprefix(prefix)): number for name, number in sums.items() if name.startswith(prefix)}
    )
    return None if middle is None else round(middle, 3)

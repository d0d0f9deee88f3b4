"""What a revision of a bulletin says otherwise than the one before."""

from typing import Any

from reporting_service.domain.changes import Change, changes

FIELDS = ("submitted", "now.open")


def told(submitted: int, standing: int, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"total": {"submitted": submitted, "now": {"open": standing}}, "parts": {"village": list(rows)}}


def of_village(key: str, submitted: int) -> dict[str, Any]:
    return {"key": key, "name": f"Village {key}", "submitted": submitted, "now": {"open": 0}}


def test_the_same_bulletin_says_nothing_otherwise() -> None:
    one = told(3, 1, of_village("441702008205", 3))
    assert changes(one, one, FIELDS) == ()


def test_what_moved_is_told_the_total_first() -> None:
    earlier, later = told(3, 1, of_village("a", 3)), told(5, 1, of_village("a", 5))
    assert changes(earlier, later, FIELDS) == (
        Change("total", None, "", "submitted", 3, 5),
        Change("village", "a", "Village a", "submitted", 3, 5),
    )


def test_a_row_that_came_and_one_that_went() -> None:
    found = changes(told(3, 0, of_village("a", 3)), told(3, 0, of_village("b", 3)), ("submitted",))
    assert {(one.key, one.before, one.after) for one in found} == {("a", 3, None), ("b", None, 3)}

"""What one bulletin says otherwise than another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reporting_service.domain.sheets import Cell, value

TOTAL = "total"


class Change(NamedTuple):
    """A figure that differs: `part` is total, village, grid or service; None where a bulletin has no such row."""

    part: str
    key: str | None
    name: str
    field: str
    before: Cell
    after: Cell


def changes(earlier: Mapping[str, Any], later: Mapping[str, Any], fields: tuple[str, ...]) -> tuple[Change, ...]:
    """The figures of these fields that the later bulletin tells otherwise, those of the total first."""
    old, new = dict(_rows(earlier)), dict(_rows(later))
    return tuple(
        Change(part, key, new.get((part, key), old.get((part, key), {})).get("name") or "", field, before, after)
        for part, key in {**new, **old}
        for field in fields
        if (before := value(old.get((part, key), {}), field)) != (after := value(new.get((part, key), {}), field))
    )


def _rows(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str | None], Mapping[str, Any]]]:
    yield (TOTAL, None), content[TOTAL]
    for part, rows in content["parts"].items():
        for row in rows:
            yield (part, row["key"]), row

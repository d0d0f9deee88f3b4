"""Reports as tables for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reporting_service.domain.figures import FIGURES
from reporting_service.domain.rates import formulas

Cell = str | int | float | None
_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(
    rows: Sequence[Mapping[str, Any]], total: Mapping[str, Any], locale: str, satisfied_from: int
) -> list[list[Cell]]:
    """The rows of a report with the names of all figures above and the total below; rates as they are printed."""
    figures = [figure for figure in (*FIGURES, *formulas(satisfied_from)) if figure.field != "ended"]
    chinese = locale == "zh-CN"
    head: list[Cell] = ["代码" if chinese else "key", "名称" if chinese else "name"]
    head += [figure.zh.name if chinese else figure.en.name for figure in figures]
    lines = [head]
    for row in rows:
        lines.append([row["key"], row["name"], *(value(row, figure.field) for figure in figures)])
    lines.append(["", "合计" if chinese else "total", *(value(total, figure.field) for figure in figures)])
    return lines


def value(row: Mapping[str, Any], field: str) -> Cell:
    """A figure of a row by its path; a rate as it is printed, 7/9 where the cases are few."""
    found: Any = row
    for part in field.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    cell: Cell = found["text"] if isinstance(found, Mapping) else found
    return cell


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_LEADS) else cell

"""Rows under a division code as conditions of a query."""

from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Mapped

from lianhu_kit.divisions import VILLAGE, upper_bound


def under(column: Mapped[Any], code: str) -> ColumnElement[bool]:
    """The rows whose `column` lies at or under a code, down to a village; all of them are under the empty code.

    For a village it is an equation and no range: only then does an index over (village, id) give a page in its order,
    without reading and sorting everything that the village ever had.
    """
    if len(code) == VILLAGE:
        return column == code
    return and_(column >= code, column < upper_bound(code))
